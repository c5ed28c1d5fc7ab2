package cdr

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"testing"
)

// TestDigitTable compares tables with the regular expressions that they are made of.
func TestDigitTable(t *testing.T) {
	for _, c := range []struct {
		name        string
		expressions []string
	}{
		{"nothing", []string{"", "NA"}},
		{"alternatives that begin alike", []string{"1(?:2[3-5]|26)\\d{2}", "12\\d{3}", "1234?5*"}},
		{"an expression in others", []string{"\\d{1,6}", "[2-4]\\d*", "(?:12|34)+"}},
		{"Germany's leading digits", []string{"15[0-25-9]\\d{3,4}|1(?:6[023]|7\\d)\\d{3}", "900(?:[135]\\d{2}|9\\d)"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			table, compiled := newDigitTable(c.expressions), make([]*regexp.Regexp, len(c.expressions))
			for i, text := range c.expressions {
				compiled[i] = regexp.MustCompile("^(?:" + text + ")$")
			}
			rng := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same numbers each time
			for range 20_000 {
				number := fmt.Sprint(rng.IntN(1_000_000))
				got := table.of(number)
				for i, text := range c.expressions {
					want := compiled[i].MatchString(number)
					if want != (got&(1<<i) != 0) {
						t.Fatalf("%s matches %q: %t, want %t", text, number, !want, want)
					}
				}
			}
		})
	}
}

// TestAllNumberPlans makes the table of each region, which would panic with an expression that it
// can't have.
func TestAllNumberPlans(t *testing.T) {
	states := 0
	for key, p := range numberPlans() {
		p.once.Do(p.compile)
		if len(p.numbers.next) < 2 {
			t.Errorf("%v has no numbers", key)
		}
		states += len(p.numbers.next)
	}
	if states > 100_000 {
		t.Errorf("all tables have %d states, which is too much memory", states)
	}
}
