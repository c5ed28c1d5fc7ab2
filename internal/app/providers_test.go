package app

import (
	"slices"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector"
)

// TestFeedProperties: feeds of several providers that share a name share their properties too, since rules select by
// name alone.
func TestFeedProperties(t *testing.T) {
	declared := make(map[string]collector.FeedProperties)
	for _, p := range Providers() {
		for _, f := range p.Feeds {
			if before, known := declared[f.Name]; known && before != f {
				t.Errorf("%s: feed %s has the properties %+v, and %+v elsewhere", p.Name, f.Name, f, before)
			}
			declared[f.Name] = f
		}
	}
	want := []string{"pstn", "direct_routing", "call_records", "call_log", "active_calls"}
	if got := Feeds(func(collector.FeedProperties) bool { return true }); !slices.Equal(got, want) {
		t.Errorf("feeds %v, want %v", got, want)
	}
}
