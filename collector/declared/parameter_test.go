package declared_test

import (
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/declaredtest"
)

// TestWords: a word of a source stands for a text, also in the block of a feed, and a condition on
// parameters alone decides whether rows share calls.
func TestWords(t *testing.T) {
	for _, c := range []struct {
		name, block, asked string
		legs               bool
	}{
		{"defaults", "calls: ", "/company/calls?menus=no&view=Detailed", false},
		{"words", "whose: mine, calls: {view: short, interval: 2m}", "/users/me/calls?menus=no&view=Simple", true},
		{"needs what is there", "calls: {menus: yes}", "/company/calls?menus=yes&view=Detailed", false},
		{"a default needs nothing", "whose: mine, calls: {menus: no}", "/users/me/calls?menus=no&view=Detailed", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := declaredtest.Always(`{"rows":[]}`)
			block := strings.NewReplacer("yes", `"yes"`, ": no", `: "no"`).Replace(c.block)
			info := f.OpenText(t, base(t, "parameters"), block)
			_, _, err := declaredtest.ReadIDs(t, info, declaredtest.Noon, declaredtest.Noon.Add(1))
			if err != nil || f.Asked[0] != c.asked || info.Rules.Legs != c.legs {
				t.Errorf("it asks for %q, legs %t, error %v", f.Asked, info.Rules.Legs, err)
			}
		})
	}
}
