package explain

import (
	"errors"
	"slices"
	"strconv"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

var (
	// rememberedLabels are the labels whose values the ledger keeps for each record, in addition to the operator's.
	rememberedLabels = []string{
		"direction", "call_type", "outcome", "country", "connected", "late",
		"currency", "component", "sign", "from", "to",
	}
	// rememberedMetrics are the metrics for which the ledger keeps what a record added.
	rememberedMetrics = []*metrics.Def{
		metrics.Calls, metrics.CallFailures, metrics.CallsByCountry,
		metrics.CallCharges, metrics.ChargeCorrections, metrics.OutcomeChanges,
	}
)

// Remember notes which records of the range the ledger has, before the provider is read. A record that is counted
// meanwhile may be missing from the read, but it isn't gone.
func (e *Feed) Remember(i *ledger.Inspector) error {
	e.remembered = make(map[counting.Hash]bool)
	return i.Counted(e.Spec, e.From, e.To, func(one counting.Stored) { e.remembered[one.Hash] = true })
}

// addGone adds the records that the ledger had before the provider was read, and the provider doesn't list.
func (e *Feed) addGone(i *ledger.Inspector) error {
	seen := make(map[counting.Hash]bool, len(e.records))
	for _, l := range e.records {
		seen[l.Key] = true
	}
	var failed error
	err := i.Counted(e.Spec, e.From, e.To, func(one counting.Stored) {
		if seen[one.Hash] || !e.remembered[one.Hash] || failed != nil {
			return
		}
		var m *counting.Memory
		if m, failed = one.Memory(); m != nil && !m.Visit {
			e.addRemembered(one.Hash, m)
		}
	})
	return errors.Join(err, failed)
}

// hashText names a record by the hash that the ledger remembers it by.
func hashText(key counting.Hash) string { return strconv.FormatUint(uint64(key), 16) }

// addRemembered adds a record by what the ledger remembers of it.
func (e *Feed) addRemembered(key counting.Hash, m *counting.Memory) {
	def, end := e.Selector.Def, m.Start.Add(m.Within)
	isMoney := def == metrics.CallCharges || def == metrics.ChargeCorrections
	switch {
	case !m.Start.Before(e.To) || !end.After(e.From):
		return
	case !slices.Contains(rememberedMetrics, def) || m.Leg && !isMoney:
		e.result.Differ(gone)
		return
	}
	unknown := func(label string) bool {
		return def.Index(label) >= 0 && !slices.Contains(rememberedLabels, label)
	}
	isWithin := !m.Start.Before(e.From) && !end.After(e.To)
	r := &cdr.Record{ID: hashText(key), Start: m.Start}
	for _, f := range m.Facts(nil, r) {
		if !isRemembered(&f) {
			continue
		}
		for d, certain := range e.selected(&f, unknown) {
			if !certain || !isWithin {
				e.result.Differ(gone)
				continue
			}
			const because = "the ledger has counted it, and the provider doesn't list it"
			e.addEntry(d, Entry{Record: r, Gone: true, Because: because})
		}
	}
}
