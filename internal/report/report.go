// Package report sums calls, connected time and money by keys that a user asks for, such as trunk and month.
//
// It sums not calls but what each record changes in the series (internal/history), so duplicates, groups, revisions and
// corrections are counting's to decide, and the sums are those of the counters for the same records.
//
// Invariants: memory holds one row for each combination of the keys' values, however many calls there are; sums are integers and decimals, and
// only minutes are rounded, once, when they are written.
package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// Report sums what it is given. It isn't safe for concurrent use.
type Report struct {
	keys []string
	zone *time.Location
	rows map[string]*Row
	id   []byte // of the row in hand
}

// Row is the sums of all that has the same texts of the keys.
type Row struct {
	// Keys are these texts, in the order in which the keys were asked for.
	Keys []string
	// Calls are all calls, Connected those that a person, voicemail or a machine answered.
	Calls, Connected int64
	// micros is how long they were connected, in microseconds, and charges what they cost, by currency.
	micros  int64
	charges map[string]cdr.Money
}

// New makes an empty report by keys, which may be labels of the operator's, in the order of its columns. Days and months are those of a time zone.
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

// Add adds what a record changes in one series. The record and its texts may be used again afterwards.
func (r *Report) Add(c Change) {
	switch c.Delta.Def {
	case metrics.Calls, metrics.ConnectedSeconds, metrics.CallCharges, metrics.ChargeCorrections:
		r.rowOf(&c).Add(c)
	case metrics.OutcomeChanges: // of a call of several records, or in a later version of one
		if c.connected("from") != c.connected("to") {
			r.rowOf(&c).Add(c)
		}
	}
}

// Add adds a change to the sums of its keys.
func (r *Row) Add(c Change) {
	switch d := c.Delta; d.Def {
	case metrics.Calls:
		r.Calls += d.N
		r.Connected += c.connected("outcome")
	case metrics.OutcomeChanges:
		r.Connected += c.connected("to") - c.connected("from")
	case metrics.ConnectedSeconds:
		r.micros += d.N
	case metrics.CallCharges:
		r.addCharge(c.label("currency"), d.Money)
	case metrics.ChargeCorrections:
		by := d.Money
		if c.label("sign") == "credit" {
			by = by.Neg()
		}
		r.addCharge(c.label("currency"), by)
	}
}

// rowOf is the row that a change belongs to.
func (r *Report) rowOf(c *Change) *Row {
	r.id = r.id[:0]
	for _, key := range r.keys {
		r.id = append(append(r.id, metrics.CleanLabel(c.text(key, r.zone))...), 0) // which no clean text has
	}
	row := r.rows[string(r.id)]
	if row == nil {
		id := string(r.id)
		row = &Row{Keys: strings.Split(strings.TrimSuffix(id, "\x00"), "\x00")}
		r.rows[id] = row
	}
	return row
}

func (r *Row) addCharge(currency string, amount cdr.Money) {
	sum, known := r.charges[currency]
	if !known {
		currency = strings.Clone(currency)
	}
	if r.charges == nil {
		r.charges = make(map[string]cdr.Money)
	}
	r.charges[currency] = sum.Add(&amount)
}

// Keys are the keys asked for.
func (r *Report) Keys() []string { return r.keys }

// Rows are all rows in the order of their keys.
func (r *Report) Rows() []*Row {
	return slices.SortedFunc(maps.Values(r.rows), func(a, b *Row) int { return slices.Compare(a.Keys, b.Keys) })
}

// Total is the sum of all rows. It has no keys.
func (r *Report) Total() *Row {
	total := new(Row)
	for _, row := range r.rows {
		total.Calls += row.Calls
		total.Connected += row.Connected
		total.micros += row.micros
		for currency, amount := range row.charges {
			total.addCharge(currency, amount)
		}
	}
	return total
}

// Currencies are those of the row's charges, in order.
func (r *Row) Currencies() []string { return slices.Sorted(maps.Keys(r.charges)) }

// Charge is the exact sum in a currency, 0 if there is none.
func (r *Row) Charge(currency string) string {
	sum := r.charges[currency]
	return sum.String()
}

// Minutes is the connected time in minutes with six decimals, rounded half up.
func (r *Row) Minutes() string {
	const decimals = 1_000_000 // a minute has 60 of as many microseconds
	n := (r.micros + 30) / 60
	return fmt.Sprintf("%d.%06d", n/decimals, n%decimals)
}

// knownKeys are what calls can be summed by beside the operator's labels, as they are listed to users.
var knownKeys = []string{"source", "feed", "direction", "trunk", "call_type", "country", "day", "month"}

// Change is by how much a record of a feed changes one series.
type Change struct {
	Source, Feed string
	Record       *cdr.Record
	Delta        *metrics.Delta
}

// text is a change's text of a key.
//
// Where the series has the key as a label, the label decides: a correction has those of the call's first version, by which the call was counted,
// and so a report by a label has the same sums as the counter.
func (c *Change) text(key string, zone *time.Location) string {
	if i := c.labelIndex(key); i >= 0 {
		return c.Delta.Labels[i]
	}
	switch key {
	case "source":
		return c.Source
	case "feed":
		return c.Feed
	case "direction":
		return c.Record.Direction.String()
	case "trunk":
		return c.Record.Trunk
	case "call_type":
		return c.Record.CallType
	case "country":
		return c.Record.Country
	case "day":
		return c.Record.Start.In(zone).Format(time.DateOnly)
	case "month":
		return c.Record.Start.In(zone).Format("2006-01")
	}
	return c.operatorLabels().Value(key) // New refuses other keys
}

// operatorLabels are those of the changed series or, where it has none, of the record.
func (c *Change) operatorLabels() cdr.Labels {
	if d := c.Delta.Def; d.OperatorLabels {
		return cdr.Labels(c.Delta.Labels[len(d.Labels)])
	}
	return c.Record.Labels
}

// label is the value of a label that the changed series has.
func (c *Change) label(name string) string { return c.Delta.Labels[c.labelIndex(name)] }

func (c *Change) labelIndex(name string) int {
	return slices.IndexFunc(c.Delta.Def.Labels, func(l metrics.Label) bool { return l.Name == name })
}

// connected is how many calls a change is about, 0 if those of a label's outcome didn't connect.
func (c *Change) connected(label string) int64 {
	outcome := c.label(label)
	if slices.ContainsFunc(cdr.Outcomes(), func(o cdr.Outcome) bool { return o.Connected() && o.String() == outcome }) {
		return c.Delta.N
	}
	return 0
}
