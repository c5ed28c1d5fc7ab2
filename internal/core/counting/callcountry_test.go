package counting_test

import (
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// The country of an outbound call is the one that it reached, not the one of the telephone that click-to-call rings
// first.
func TestCountryOfAnOutboundCall(t *testing.T) {
	inCountry := func(c string) func(*cdr.Record) { return func(r *cdr.Record) { r.Country = c } }
	out := func(id string, answer int, country string, options ...func(*cdr.Record)) *cdr.Record {
		return leg(id, 0, answer, 60, append(options, going(cdr.Outbound), inCountry(country))...)
	}
	own, without := party(cdr.Own), trunk("")
	for name, c := range map[string]struct {
		legs page
		want string
	}{
		"without trunks":         {page{out("a", 2, "US", own, without), out("b", 5, "LV", without)}, "LV"},
		"nobody answered":        {page{out("a", 2, "US", own, without), out("b", -1, "LV", without)}, "LV"},
		"the second one took it": {page{out("a", -1, "US", without), out("b", 5, "LV", without)}, "LV"},
		"it has none":            {page{out("a", 2, "US", own, without), out("b", 5, "", without)}, "US"},
		"of the trunk":           {page{out("a", 2, "US", without), out("b", 5, "LV", trunk("one"))}, "LV"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newCallRig(t, nil)
			r.records(c.legs...)
			r.wait(settle)
			for key := range r.values() {
				if strings.HasPrefix(key, "cdr_calls_by_country_total") && !strings.Contains(key, ","+c.want+",") {
					t.Errorf("%s, want %s", key, c.want)
				}
			}
		})
	}
}
