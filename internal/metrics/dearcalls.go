package metrics

import (
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// DearCall is a connected outbound call to a premium or satellite number.
type DearCall struct {
	// Record is the index of its record in the page.
	Record int
	// Account is who made it, as it may be shown; empty: not known.
	Account string
	// Read is when it was counted, Start when it began.
	Read, Start    time.Time
	Country, Class string
}

// IsDear says whether a record is of a connected outbound call to a premium or satellite number, whose class is given.
func IsDear(r *cdr.Record, class string) bool {
	return r.Direction == cdr.Outbound && r.Outcome.Connected() && (class == cdr.ClassPremium || class == cdr.ClassSatellite)
}

// keptDearCalls is how many dear calls of a feed are kept, in memory alone: it is for what goes on now.
const keptDearCalls = 64

// DearCalls adds calls that were counted.
func (f *Feed) DearCalls(all []DearCall) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dear = append(f.dear, all...)
	f.dear = slices.Clone(f.dear[max(0, len(f.dear)-keptDearCalls):])
}

// LastDearCalls are the last ones that were counted.
func (f *Feed) LastDearCalls() []DearCall {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.dear)
}
