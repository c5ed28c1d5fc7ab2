package metrics

import (
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
)

// PremiumCall is a connected outbound call to a premium or satellite number.
type PremiumCall struct {
	// Account is who made it, as it may be shown; empty: not known.
	Account string
	// Read is when it was counted, Start when it began.
	Read, Start    time.Time
	Country, Class string
}

// PremiumCalls are the premium calls among facts of a page that was read at a time. account says who
// made the call of a record.
func PremiumCalls(all []facts.Fact, read time.Time, account func(*cdr.Record) string) (premium []PremiumCall) {
	for i := range all {
		r := all[i].Record
		if all[i].Kind != facts.Record || r.NoCall || r.Direction != cdr.Outbound || !r.Outcome.Connected() {
			continue
		}
		if class := r.NumberClass(); class == cdr.ClassPremium || class == cdr.ClassSatellite {
			premium = append(premium, PremiumCall{
				Account: CleanLabel(account(r)), Read: read, Start: r.Start,
				Country: strings.Clone(r.Country), Class: class,
			})
		}
	}
	return premium
}

// keptPremiumCalls is how many premium calls of a feed are kept, in memory alone: it is for what goes on now.
const keptPremiumCalls = 64

// PremiumCalls adds calls that were counted.
func (f *FeedMetrics) PremiumCalls(all []PremiumCall) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.premium = append(f.premium, all...)
	f.premium = slices.Clone(f.premium[max(0, len(f.premium)-keptPremiumCalls):])
}

// LastPremiumCalls are the last ones that were counted.
func (f *FeedMetrics) LastPremiumCalls() []PremiumCall {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.premium)
}
