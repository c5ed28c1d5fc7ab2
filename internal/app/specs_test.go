package app

import (
	"context"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
)

// While a reload goes round, some replicas have a source with records and calls in progress, and others with one of
// them. Each finds the owner by the feeds that it has, so that two never read an account.
func TestOwnerWhileConfigurationsDiffer(t *testing.T) {
	records, live := collector.FeedInfo{Name: "call_log"}, collector.FeedInfo{
		Name:        "active_calls",
		ActiveCalls: func(context.Context, bool) (map[cdr.Direction]int, error) { return nil, nil },
	}
	account := func(feeds ...collector.FeedInfo) *account {
		s := &source{config: &config.Source{Name: "a"}, opened: &collector.Source{Feeds: feeds}}
		return &account{key: "a", feeds: [][]ledger.FeedSpec{s.specs()}}
	}
	both := []collector.FeedInfo{records, live}
	for name, c := range map[string]struct{ owner, other []collector.FeedInfo }{
		"records are removed": {both, both[1:]},
		"records are added":   {both[1:], both},
	} {
		t.Run(name, func(t *testing.T) {
			var now ledger.Cluster
			for _, f := range account(c.owner...).feeds[0] {
				now.Feeds = append(now.Feeds, ledger.FeedOwner{Source: f.Source, Feed: f.Feed, Owner: "one"})
			}
			if got := newCluster(&now).ownerOf(account(c.other...)); got != "one" {
				t.Errorf("the owner is %q, want one", got)
			}
		})
	}
}
