package app

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
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

// TestProvidersAsk: init asks for every feed, and for every key that can't be left out.
func TestProvidersAsk(t *testing.T) {
	for _, p := range Providers() {
		asked := map[string]bool{}
		for _, s := range config.Settings(p.NewConfig()) {
			asked[strings.TrimSuffix(s.Key, "_file")] = s.Ask != ""
		}
		rules := config.RulesOf(reflect.TypeOf(p.NewConfig()).Elem())
		for _, key := range slices.Concat(append([][]string{rules.Required}, append(rules.AnyOf, rules.ExactlyOne...)...)...) {
			if !asked[key] {
				t.Errorf("init doesn't ask for %s of %s", key, p.Name)
			}
		}
		for _, f := range p.Feeds {
			if !asked[f.Name] {
				t.Errorf("init doesn't ask for the feed %s of %s", f.Name, p.Name)
			}
		}
	}
}
