// Package report sums calls, connected time and money by keys that a user asks for, such as trunk and month.
//
// It sums the facts that counting makes (internal/analysis/history), not calls. So counting decides about
// duplicates, legs of calls, revisions and corrections, and the sums equal the counters for the same records.
//
// Invariants: memory holds one row for each combination of the keys' values, however many calls
// there are; sums are integers and decimals, and only minutes are rounded, once, when they are
// written.
package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// Report sums what it is given. It isn't safe for concurrent use.
type Report struct {
	keys  []string
	zone  *time.Location
	rows  map[string]*Row
	total Row
	id    []byte // of the row in hand
}

// Row is the sums of all that has the same texts of the keys.
type Row struct {
	// Keys are these texts, in the order of the keys that New was given.
	Keys []string
	// Calls counts all calls, Connected the calls that a person, voicemail or a machine answered.
	Calls, Connected int64
	// Amounts are what they cost.
	cdr.Amounts

	connected time.Duration
}

// New makes an empty report by keys, which may be labels of the operator's, in the order of its
// columns. Days and months are in the time zone.
func New(keys, labels []string, zone *time.Location) (*Report, error) {
	known := slices.Concat(knownKeys, labels)
	for i, key := range keys {
		switch {
		case !slices.Contains(known, key):
			return nil, fmt.Errorf("no key %q; there are: %s", key, strings.Join(known, ", "))
		case slices.Contains(keys[:i], key):
			return nil, fmt.Errorf("the key %s is given twice", key)
		}
	}
	return &Report{keys: keys, zone: zone, rows: make(map[string]*Row)}, nil
}

// Add adds a fact of a feed. Its record and its texts may be used again afterwards.
func (r *Report) Add(source, feed string, f *facts.Fact) {
	switch f.Kind {
	case facts.Call, facts.Connected, facts.Charge, facts.Correction:
	case facts.OutcomeChange: // of a call of several records, or in a later version of one
		if f.From.Connected() == f.To.Connected() {
			return
		}
	default:
		return
	}
	r.rowOf(source, feed, f).Add(f)
	r.total.Add(f)
}

// Add adds a fact to the sums of its keys.
func (r *Row) Add(f *facts.Fact) {
	switch f.Kind {
	case facts.Call:
		r.Calls++
		r.Connected += connected(f.Record.Outcome)
	case facts.OutcomeChange:
		r.Connected += connected(f.To) - connected(f.From)
	case facts.Connected:
		r.connected += f.Time.Truncate(time.Microsecond) // as the counter counts it
	case facts.Charge, facts.Correction:
		r.Amounts.Add(f.Charge.Currency, &f.Charge.Amount)
	default:
	}
}

// connected is 1 if a call with an outcome connected, else 0.
func connected(o cdr.Outcome) int64 {
	if o.Connected() {
		return 1
	}
	return 0
}

// rowOf is the row that a fact belongs to.
func (r *Report) rowOf(source, feed string, f *facts.Fact) *Row {
	r.id = r.id[:0]
	for _, key := range r.keys {
		r.id = append(append(r.id, metrics.CleanLabel(textOf(key, source, feed, f, r.zone))...),
			0) // which no clean text has
	}
	row := r.rows[string(r.id)]
	if row == nil {
		id := string(r.id)
		row = &Row{Keys: strings.Split(strings.TrimSuffix(id, "\x00"), "\x00")}
		r.rows[id] = row
	}
	return row
}

// Keys are the keys asked for.
func (r *Report) Keys() []string { return r.keys }

// Rows are all rows in the order of their keys.
func (r *Report) Rows() []*Row {
	return slices.SortedFunc(maps.Values(r.rows), func(a, b *Row) int { return slices.Compare(a.Keys, b.Keys) })
}

// Total is the sum of all rows. It has no keys.
func (r *Report) Total() *Row { return &r.total }

// Minutes is the connected time in minutes.
func (r *Row) Minutes() string { return cdr.Minutes(r.connected) }

// knownKeys are the keys by which calls can be summed, in addition to the operator's labels. Users see
// them in this order.
var knownKeys = []string{"source", "feed", "direction", "trunk", "call_type", "country", "day", "month"}

// textOf is a fact's text of a key. A correction or a changed outcome has the texts of the call's first
// version, by which the call was counted, so a report by a label has the same sums as the counter.
func textOf(key, source, feed string, f *facts.Fact, zone *time.Location) string {
	labels := f.ChargeLabels()
	switch key {
	case "source":
		return source
	case "feed":
		return feed
	case "direction":
		return labels.Direction.String()
	case "trunk":
		return f.Record.Trunk
	case "call_type":
		return labels.CallType
	case "country":
		return labels.Country
	case "day":
		return f.Record.Start.In(zone).Format(time.DateOnly)
	case "month":
		return f.Record.Start.In(zone).Format("2006-01")
	}
	return labels.Labels.Value(key) // New refuses other keys
}
