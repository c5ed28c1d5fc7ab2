package sim

import "github.com/cdr-exporter/cdr-exporter/internal/simulator"

// scenario is what a call has beside its own row. A mix says it as the kind's Wire.
type scenario string

const (
	// plain is a row on its own.
	plain scenario = "plain"
	// selfParent is a row that names itself as its parent: it has none.
	selfParent scenario = "self parent"
	// otherParent names a parent that isn't listed.
	otherParent scenario = "other parent"
	// ownNumber is a placed call to one of the account's own numbers: it is also
	// listed as received, with the same id.
	ownNumber scenario = "own number"
	// forwarded is a received call that went on to the telephone network: there is
	// a placed leg too, whose parent it is, and a fee. The leg is answered, or fails.
	forwarded       scenario = "forwarded"
	forwardedInVain scenario = "forwarded in vain"
)

// scenarioOf is the scenario of a call, which its first version decides.
func scenarioOf(c *simulator.Call) scenario { return scenario(c.Versions()[0].Kind.Wire) }

// fits says whether a scenario makes sense for a type.
func (s scenario) fits(of side) bool {
	switch s {
	case plain, selfParent, otherParent:
		return true
	case ownNumber:
		return of == placed
	case forwarded, forwardedInVain:
		return of == received
	default:
		return false
	}
}

func (s scenario) isForwarded() bool { return s == forwarded || s == forwardedInVain }
