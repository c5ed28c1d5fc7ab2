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

// What is older than the provider keeps isn't asked for at a first start, and so is never shown as lost.
func TestHistoryThatIsNotKept(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name        string
		keeps, want time.Duration // of a history of an hour
		logged      int
	}{
		{"no limit", 0, time.Hour, 0},
		{"more is kept", 3 * time.Hour, time.Hour, 0},
		{"less is kept", 90 * time.Minute, 45 * time.Minute, 1},
		{"hardly anything is kept", 30 * time.Minute, 15 * time.Minute, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := &acme{t: t}
			provider := p.provider()
			provider.Open = func(block any, settings collector.SourceSettings) (*collector.Source, error) {
				source, err := p.open(block, settings)
				for i := range source.Feeds {
					source.Feeds[i].Limits.Retention = c.keeps
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
			if err := a.Stop(); err != nil {
				t.Error(err)
			}
			if got := began.Sub(state.Origin); (got - c.want).Abs() > time.Minute {
				t.Errorf("the history is %s, want %s", got, c.want)
			}
			if n := strings.Count(log.String(), "history is shorter"); n != c.logged {
				t.Errorf("logged %d times: %s", n, log.String())
			}
		})
	}
}
