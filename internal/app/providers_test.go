package app

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

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
