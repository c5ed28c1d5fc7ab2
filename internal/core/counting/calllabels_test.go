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

// A call has the operator's labels of its user. Without a user it has the labels that all legs have. The leg on its
// trunk adds what is missing, unless that leg names another user.
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
		{"who answered, in place of another user", "site=North", []*cdr.Record{
			leg("a", 0, 0, 30, machine, labels("Front desk", "dept=Switchboard site=South")),
			leg("b", 1, 9, 30, going(cdr.Internal), trunk(""), labels("Eva", "site=North")),
		}},
		{"whose phones rang", "site=North", []*cdr.Record{
			leg("a", 0, -1, 30, machine, labels("", "site=North")),
			leg("b", 1, -1, 9, going(cdr.Internal), trunk(""), labels("Eva", "dept=Sales")),
			leg("c", 1, -1, 9, going(cdr.Internal), trunk(""), labels("Ann", "dept=Sales")),
		}},
		{"all legs", "site=North", []*cdr.Record{
			leg("a", 0, -1, 9, labels("Eva", "dept=Sales site=North")),
			leg("b", 1, -1, 9, labels("Ann", "dept=Support site=North")),
			leg("c", 1, -1, 9, labels("Bob", "site=North")),
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
