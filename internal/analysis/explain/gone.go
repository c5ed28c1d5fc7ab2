package explain

import (
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

var (
	// rememberedLabels are the labels whose values the ledger keeps for each record, beside the operator's.
	rememberedLabels = []string{
		"direction", "call_type", "outcome", "country", "connected", "late",
		"currency", "component", "sign", "from", "to",
	}
	// rememberedMetrics are those that a record adds to by what the ledger keeps of it.
	rememberedMetrics = []*metrics.Def{
		metrics.Calls, metrics.CallFailures, metrics.CallsByCountry,
		metrics.CallCharges, metrics.ChargeCorrections, metrics.OutcomeChanges,
	}
)

// addGone adds the records that the ledger remembers in the hours of the range and the provider doesn't list. Of feeds
// whose records aren't remembered by the hour of their start none are known.
func (e *Feed) addGone(i *ledger.Inspector, floor time.Time) error {
	if e.Spec.FoundAnywhere() {
		return nil
	}
	seen := make(map[counting.Hash]bool, len(e.records))
	for _, l := range e.records {
		seen[l.Key] = true
	}
	for hour := e.From.Truncate(time.Hour); hour.Before(e.To); hour = hour.Add(time.Hour) {
		if hour.Add(time.Hour).Before(floor) {
			continue
		}
		var failed error
		err := i.Counted(e.Spec, hour, func(one counting.Stored) {
			if seen[one.Hash] || failed != nil {
				return
			}
			var m *counting.Memory
			if m, failed = one.Memory(); m != nil && !m.Visit {
				e.addRemembered(one.Hash, m, hour)
			}
		})
		if err != nil || failed != nil {
			return errors.Join(err, failed)
		}
	}
	return nil
}

// addRemembered adds a record by what the ledger remembers of it.
func (e *Feed) addRemembered(key counting.Hash, m *counting.Memory, hour time.Time) {
	def := e.Selector.Def
	isMoney := def == metrics.CallCharges || def == metrics.ChargeCorrections
	if !slices.Contains(rememberedMetrics, def) || m.Leg && !isMoney {
		e.differ(gone)
		return
	}
	unknown := func(label string) bool {
		return slices.ContainsFunc(def.Labels, func(l metrics.Label) bool { return l.Name == label }) &&
			!slices.Contains(rememberedLabels, label)
	}
	inRange := !hour.Before(e.From) && !hour.Add(time.Hour).After(e.To)
	r := &cdr.Record{ID: strconv.FormatUint(uint64(key), 16), Start: hour}
	for _, f := range m.Facts(nil, r) {
		if !isRemembered(&f) {
			continue
		}
		for d, certain := range e.selected(&f, unknown) {
			if !certain || !inRange {
				e.differ(gone)
				continue
			}
			const because = "the ledger has counted it, and the provider doesn't list it"
			e.addEntry(d, Entry{Record: r, Gone: true, Because: because})
		}
	}
}
