package app

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
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
