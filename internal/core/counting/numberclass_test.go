package counting_test

import (
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// The kind of number of a call of several legs is decided before anything is redacted, as each leg's is.
func TestNumberClassOfLegs(t *testing.T) {
	to := func(number, country string) func(*cdr.Record) {
		return func(r *cdr.Record) { r.CalleeNumber, r.Country = number, country }
	}
	from := func(number, country string) func(*cdr.Record) {
		return func(r *cdr.Record) { r.CallerNumber, r.Country = number, country }
	}
	out, in, internal := going(cdr.Outbound), going(cdr.Inbound), going(cdr.Internal)
	for _, c := range []struct {
		name string
		legs page
		want string
	}{
		{
			"the carrier that took it doesn't say which number", page{
				leg("a", 0, -1, 2, out, trunk("A"), to("+4915112345678", "DE")),
				leg("b", 2, 4, 9, out, trunk("B"), to("", "")),
			}, "{outbound,DE,mobile,true}",
		},
		{
			"only the origin has a number", page{
				leg("a", 0, -1, 2, internal, to("+4915112345678", "")),
				leg("b", 2, 4, 9, out, trunk("B"), to("", "")),
			}, "{outbound,,,true}",
		},
		{
			"the carrier's leg has a number without a country", page{
				leg("a", 0, 2, 9, out, trunk(""), party(cdr.Own), to("+12125550123", "US")),
				leg("b", 3, 5, 9, out, trunk("B"), to("09001234567", "")),
			}, "{outbound,US,other,true}",
		},
		{
			"a hidden caller", page{
				leg("a", 0, -1, 2, internal, from("201", "")),
				leg("b", 2, 4, 9, in, trunk("B"), from("", "")),
			}, "{inbound,,,true}",
		},
	} {
		for _, mode := range []cdr.Mode{cdr.Keep, cdr.Mask, cdr.Hash, cdr.Drop} {
			r := newCallRig(t, func(s *counting.Settings) {
				s.Redactor = cdr.NewRedactor(cdr.Policy{Numbers: mode}, []byte("key"))
			})
			r.records(c.legs...)
			r.wait(settle)
			var got []string
			for series := range r.values() {
				if labels, is := strings.CutPrefix(series, "cdr_calls_by_country_total"); is {
					got = append(got, labels)
				}
			}
			if len(got) != 1 || got[0] != c.want {
				t.Errorf("%s, mode %v: %v, want %s", c.name, mode, got, c.want)
			}
		}
	}
}
