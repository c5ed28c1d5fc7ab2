package counting_test

import (
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// A call of one leg has the operator's labels of its record, also if nobody answered and no user is known.
func TestLabelsOfACallOfOneLeg(t *testing.T) {
	r := newCallRig(t, nil)
	r.records(leg("a", 0, -1, 9, func(r *cdr.Record) { r.Labels, r.UserName = "site=Annex", "" }))
	r.wait(settle)
	wantValues(t, r.values(),
		map[string]string{"cdr_calls_total{inbound,byot_in,no_answer,sbc1.example.com,false,site=Annex}": "1"})
}

// A call has the operator's labels of its user, and those that only the leg on its trunk has. Without a user it has the
// only values that its legs have.
func TestLabelsOfACallOfLegs(t *testing.T) {
	labels := func(user, all string) func(*cdr.Record) {
		return func(r *cdr.Record) {
			r.UserName, r.Labels = user, cdr.Labels(strings.ReplaceAll(all, " ", "\n")+"\n")
		}
	}
	machine := party(cdr.PartyMachine)
	for _, c := range []struct {
		name, labels string
		legs         []*cdr.Record
	}{
		{"who answered", "dept=Sales\nsite=North", []*cdr.Record{
			leg("a", 0, 0, 30, machine, labels("", "dept=Switchboard site=North")),
			leg("b", 1, 9, 30, going(cdr.Internal), trunk(""), labels("Eva", "dept=Sales")),
			leg("c", 1, -1, 9, going(cdr.Internal), trunk(""), labels("Ann", "floor=2")),
		}},
		{"whose phones rang", "dept=Sales\nsite=North", []*cdr.Record{
			leg("a", 0, -1, 30, machine, labels("", "site=North")),
			leg("b", 1, -1, 9, going(cdr.Internal), trunk(""), labels("Eva", "dept=Sales floor=1")),
			leg("c", 1, -1, 9, going(cdr.Internal), trunk(""), labels("Ann", "dept=Sales floor=2")),
			leg("d", 1, -1, 9, going(cdr.Internal), trunk(""), labels("Bob", "dept=Sales floor=1")),
		}},
		{"without users", "site=North", []*cdr.Record{
			leg("a", 0, -1, 9, labels("", "site=North")), leg("b", 1, -1, 9, labels("", "site=North")),
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newCallRig(t, nil)
			r.records(c.legs...)
			r.wait(settle)
			var got string
			for name := range r.values() {
				if _, after, found := strings.Cut(name, "cdr_calls_total{"); found {
					got = after
				}
			}
			if !strings.HasSuffix(got, ",false,"+c.labels+"}") && !strings.HasSuffix(got, ",false,"+c.labels+"\n}") {
				t.Errorf("it counted as %q", got)
			}
		})
	}
}
