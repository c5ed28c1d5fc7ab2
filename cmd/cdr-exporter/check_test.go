package main

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// noActiveCalls implements collector.ActiveCalls.
func noActiveCalls(context.Context, bool) (map[cdr.Direction]int, error) { return nil, nil }

// TestCheckingFeeds: every feed is asked, of whatever kind it is and whatever became of
// those before, and none for longer than it may take.
func TestCheckingFeeds(t *testing.T) {
	probe := func(rows int, err error) func(context.Context) (int, error) {
		return func(context.Context) (int, error) { return rows, err }
	}
	hangs := func(ctx context.Context) (int, error) {
		<-ctx.Done()
		return 0, ctx.Err()
	}
	for _, test := range []struct {
		name  string
		feeds []collector.FeedInfo
		want  string
		fails bool
	}{
		{
			"a log and a snapshot",
			[]collector.FeedInfo{{Name: "call_log", Probe: probe(5, nil)}, {Name: "active_calls", ActiveCalls: noActiveCalls, Probe: probe(2, nil)}},
			"office\tacme\tcall_log\tok, 5 calls in the smallest page\tnothing\n" +
				"office\tacme\tactive_calls\tok, 2 calls in progress\tnothing\n", false,
		},
		{
			"a snapshot that fails",
			[]collector.FeedInfo{{Name: "active_calls", ActiveCalls: noActiveCalls, Probe: probe(0, errors.New("forbidden"))}, {Name: "call_log", Probe: probe(0, nil)}},
			"office\tacme\tactive_calls\tfailed: forbidden\task your administrator\n" +
				"office\tacme\tcall_log\tok, 0 calls in the smallest page\tnothing\n", true,
		},
		{
			"one that hangs",
			[]collector.FeedInfo{{Name: "active_calls", ActiveCalls: noActiveCalls, Probe: hangs}, {Name: "call_log", Probe: probe(1, nil)}},
			"office\tacme\tactive_calls\tfailed: context deadline exceeded\task your administrator\n" +
				"office\tacme\tcall_log\tok, 1 calls in the smallest page\tnothing\n", true,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source := &collector.Source{
					Feeds: test.feeds, Advise: func(err error) (what, todo string) { return err.Error(), "ask your administrator" },
				}
				var out bytes.Buffer
				err := checkFeeds(t.Context(), &config.Source{Name: "office", ProviderName: "acme"}, source, time.Minute, &out)
				if out.String() != test.want || (err != nil) != test.fails {
					t.Errorf("%v, printed:\n%s\nwant:\n%s", err, out.String(), test.want)
				}
			})
		})
	}
}
