package app

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// What is older than the provider keeps isn't asked for at a first start, which the log says, and so is never shown as
// lost. TestSpecOfAFeedOfLegs has what else the history depends on.
func TestHistoryThatIsNotKept(t *testing.T) {
	t.Parallel()
	p := &acme{t: t}
	provider := p.provider()
	provider.Open = func(block any, settings collector.SourceSettings) (*collector.Source, error) {
		source, err := p.open(block, settings)
		for i := range source.Feeds {
			source.Feeds[i].Limits.Retention = 90 * time.Minute
		}
		return source, err
	}
	var log bytes.Buffer
	began := time.Now()
	a, err := New(t.Context(), Settings{
		ConfigFile: p.write(t.TempDir(), "call_log: ", ""), ListenAddresses: []string{"127.0.0.1:0"},
		Providers: []collector.Provider{provider},
		Logger:    slog.New(slog.NewTextHandler(&log, nil)),
	})
	require.NoError(t, err)
	require.NoError(t, a.Start())
	state := a.running.Load().sources[0].feeds()[0].state.State()
	require.NoError(t, a.Stop())
	if got := began.Sub(state.Origin); (got - 45*time.Minute).Abs() > time.Minute {
		t.Errorf("the history is %s", got)
	}
	if n := strings.Count(log.String(), "history is shorter"); n != 1 {
		t.Errorf("logged %d times: %s", n, log.String())
	}
}

// TestSpecOfAFeedOfLegs (counting.md 36): a feed whose calls have several records is read from
// whole_after before its origin, if the provider keeps records that long. Its configuration decides
// how it counts.
func TestSpecOfAFeedOfLegs(t *testing.T) {
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		legs      bool
		retention time.Duration
		history   time.Duration // wanted
		lead      time.Duration // wanted
	}{
		"a record is a call":              {false, 0, 30 * day, 0},
		"legs":                            {true, 0, 30 * day, 4 * time.Hour},
		"kept for long":                   {true, 90 * day, 30 * day, 4 * time.Hour},
		"kept for little more than that":  {true, 30*day + 3*time.Hour, 30 * day, 2 * time.Hour},
		"kept for less than the history":  {true, 10 * day, 10*day - time.Hour, 0},
		"kept for less, a record is one ": {false, 10 * day, 10*day - time.Hour, 0},
		"hardly anything is kept":         {false, time.Hour, 30 * time.Minute, 0},
	} {
		t.Run(name, func(t *testing.T) {
			info := &collector.FeedInfo{
				Name: "cdr", Settle: 5 * time.Minute, WholeAfter: 4 * time.Hour,
				Limits: collector.Limits{Retention: c.retention},
			}
			info.Rules.Legs = c.legs
			spec := SpecOf(&config.Source{Name: "pbx", History: 30 * day}, info)
			if spec.History != c.history || spec.Lead != c.lead || spec.Settle != info.Settle ||
				spec.WholeAfter != info.WholeAfter {
				t.Errorf("history %s, lead %s, settle %s, whole_after %s; want %s, %s", spec.History, spec.Lead,
					spec.Settle, spec.WholeAfter, c.history, c.lead)
			}
		})
	}
}
