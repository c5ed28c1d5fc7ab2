package metrics

import (
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
)

// DearCall is a connected outbound call to a premium or satellite number.
type DearCall struct {
	// Account is who made it, as it may be shown; empty: not known.
	Account string
	// Read is when it was counted, Start when it began.
	Read, Start    time.Time
	Country, Class string
}

// DearCalls are the premium calls among facts of a page that was read at a time. account says who
// made the call of a record.
func DearCalls(all []facts.Fact, read time.Time, account func(*cdr.Record) string) (dear []DearCall) {
	for i := range all {
		r := all[i].Record
		if all[i].Kind != facts.Record || r.NoCall || r.Direction != cdr.Outbound || !r.Outcome.Connected() {
			continue
		}
		if class := r.NumberClass(); class == cdr.ClassPremium || class == cdr.ClassSatellite {
			dear = append(dear, DearCall{
				Account: CleanLabel(account(r)), Read: read, Start: r.Start,
				Country: strings.Clone(r.Country), Class: class,
			})
		}
	}
	return dear
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
