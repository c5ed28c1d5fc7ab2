package declared_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/declaredtest"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestLegKeys: what a feed's rows are decides which keys it takes, and the source's come before the definition's.
func TestLegKeys(t *testing.T) {
	const group = "      group: g\n"
	for _, c := range []struct{ name, defaults, more, block, want string }{
		{"by default", "", group, "", "1m0s 4h0m0s"},
		{"of the definition", "settle: 5s, whole_after: 1h", group, "", "5s 1h0m0s"},
		{"of the source", "settle: 5s", group, "settle: 0s, whole_after: 8h", "0s 8h0m0s"},
		{"of parents", "", "      parent: p\n    whole: {p: ''}\n", "", "1m0s 4h0m0s whole parents"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.NewReplacer("    record:", "    defaults: {"+c.defaults+"}\n    record:",
				"      FIELD\n", c.more).Replace(base(t, "fields"))
			source, err := declaredtest.Open(t.TempDir(), text, "calls: {"+c.block+"}", time.Now)
			require.NoError(t, err)
			f := &source.Feeds[0]
			got := fmt.Sprint(f.Settle, " ", f.WholeAfter)
			if f.Rules.Whole {
				got += " whole"
			}
			if f.Rules.Parents {
				got += " parents"
			}
			if got != c.want || !f.Rules.Legs {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// TestInnerLegs: the order of the legs changes nothing, and a row has at most 1000.
func TestInnerLegs(t *testing.T) {
	m := mapper(t, base(t, "legs"), declared.MapperSettings{})
	became := func(legs ...string) string {
		return describe(m.MapJSON(row(`{"id":"1","way":"in","s":+0,"call":{"legs":[` + strings.Join(legs, ",") + `]}}`)))
	}
	legs := []string{
		`{"to":"queue","how":"ok","s":+0,"a":+0,"e":+315}`, `{"how":"busy","user":"u1","s":+5,"e":+6}`,
		`{"how":"ok","user":"u3","s":+5,"a":+15,"e":+315}`,
	}
	const want = "talk 5m0s connected 5m15s"
	for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		if got := became(legs[order[0]], legs[order[1]], legs[order[2]]); !strings.Contains(got, want) ||
			!strings.Contains(got, "UserID u3") {
			t.Errorf("%v: got %s, want %s", order, got, want)
		}
	}
	many := became(slices.Repeat([]string{`{"how":"ok"}`}, 1001)...)
	if !strings.Contains(many, "more than 1000 of them") {
		t.Errorf("got %.200s", many)
	}
}

// TestTalkOfInnerLegs: all legs' time is connected time, also of a call that failed. Only persons' time is talk time.
// A call that was answered for no time has a talk time of 0 s.
func TestTalkOfInnerLegs(t *testing.T) {
	m := mapper(t, base(t, "legs"), declared.MapperSettings{})
	const queue = `{"to":"queue","how":"ok","s":+0,"a":+0,"e":+30},`
	for _, c := range []struct{ name, legs, want string }{
		{"one leg, no time", `{"how":"ok","s":+0,"a":+5,"e":+5}`, "talk 0s connected 0s"},
		{"behind a queue, no time", queue + `{"how":"ok","s":+5,"a":+30,"e":+30}`, "talk 0s connected 30s"},
		{"behind a queue, not known", queue + `{"how":"ok","s":+5}`, "Connected 30s"},
		{"nobody", `{"to":"me","how":"ok","s":+0,"a":+3,"e":+30},{"how":"busy","s":+4,"e":+29}`, "Connected 27s"},
	} {
		got := describe(m.MapJSON(row(`{"id":"1","way":"in","s":+0,"call":{"legs":[` + c.legs + `]}}`)))
		if !strings.Contains(got, c.want) || strings.Contains(got, "talk ") != strings.Contains(c.want, "talk ") {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}
