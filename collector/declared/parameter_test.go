package declared_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/declaredtest"
)

// scoped is a definition whose parameters have words, and a feed with further keys.
const scoped = `provider: acmetel
parameters: {whose: {default: all, values: {all: company, mine: users/me}}}
account: "{whose}"
http: {base_url: https://api.acmetel.example}
feeds:
  calls:
    parameters:
      view: {default: full, values: {full: Detailed, short: Simple}}
      menus: {default: "no", values: ["yes", "no"], needs: {whose: all, view: full}}
    request: {path: "/{whose}/calls", query: {view: "{view}", menus: "{menus}"}}
    filter: {by: start}
    rows: rows
    record:
      id: id
      start: {path: start, time: rfc3339}
      outcome: {is: answered}
      group: {when: {parameter.whose: users/me}, path: session}
`

// TestWords: a word of a source stands for a text, also in the block of a feed, and a condition on
// parameters alone decides whether rows share calls.
func TestWords(t *testing.T) {
	for _, c := range []struct {
		name, block, asked, problem string
		legs                        bool
	}{
		{"defaults", "calls: ", "/company/calls?menus=no&view=Detailed", "", false},
		{"words", "whose: mine, calls: {view: short, interval: 2m}", "/users/me/calls?menus=no&view=Simple", "", true},
		{"needs what is there", "calls: {menus: yes}", "/company/calls?menus=yes&view=Detailed", "", false},
		{"a default needs nothing", "whose: mine, calls: {menus: no}", "/users/me/calls?menus=no&view=Detailed", "", true},
		{"needs another parameter", "whose: mine, calls: {menus: yes}", "", "calls.menus: needs whose: all", false},
		{"needs another key", "calls: {menus: yes, view: short}", "", "calls.menus: needs view: full", false},
		{"no word", "whose: company, calls: ", "", "whose: must be all or mine", false},
		{"no word of the feed", "calls: {view: long}", "", "calls.view: must be full or short", false},
		{"no key", "calls: {vieuw: full}", "", "vieuw", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &declaredtest.API{Answer: func(*http.Request) (string, http.Header) { return `{"rows":[]}`, nil }}
			block := strings.NewReplacer("yes", `"yes"`, ": no", `: "no"`).Replace(c.block)
			if c.problem != "" {
				_, err := declaredtest.OpenWith(t.TempDir(), scoped, block, collector.SourceSettings{})
				if err == nil || !strings.Contains(err.Error(), c.problem) {
					t.Errorf("error %v, want %s", err, c.problem)
				}
				return
			}
			info := f.OpenText(t, scoped, block)
			if _, _, err := declaredtest.ReadIDs(t, info, declaredtest.Noon, declaredtest.Noon.Add(1)); err != nil || f.Asked[0] != c.asked ||
				info.Rules.Legs != c.legs {
				t.Errorf("it asks for %q, legs %t, error %v", f.Asked, info.Rules.Legs, err)
			}
		})
	}
}

// TestParametersOfAFeed: what a feed's parameters can't be.
func TestParametersOfAFeed(t *testing.T) {
	for was, becomes := range map[string][2]string{
		"view: {default: full,":     {"interval: {default: full,", "has the name of another key"},
		"{default: full, values":    {"{values", "needs a default"},
		"needs: {whose: all,":       {"needs: {whose: some,", "names whose: some"},
		"menus: {default: \"no\", ": {"menus: {default: maybe, ", "isn't one of the values"},
	} {
		_, err := declared.Load("acmetel.yaml", []byte(strings.Replace(scoped, was, becomes[0], 1)))
		if err == nil || !strings.Contains(err.Error(), becomes[1]) {
			t.Errorf("%s: error %v, want %s", becomes[0], err, becomes[1])
		}
	}
}
