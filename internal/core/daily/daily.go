// Package daily has the totals of a day: what was counted of a feed, what its provider says, and what an audit found.
//
// Counting makes them, the ledger keeps them, and audits, gauges and the status page compare them. They are
// pure: exact sums without a clock.
package daily

import (
	"cmp"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// Kept is how far back totals are kept: the last seven days that are over, and what may still be in
// dispute of the one before.
const Kept = 9 * 24 * time.Hour

// Date is a day of UTC, by when it begins. Texts have it as 2026-03-28.
type Date struct{ time.Time }

// DateOf is the day of a time.
func DateOf(at time.Time) Date { return Date{at.UTC().Truncate(24 * time.Hour)} }

// Add is the date some days later.
func (d Date) Add(days int) Date { return Date{d.AddDate(0, 0, days)} }

// String is such as 2026-03-28.
func (d Date) String() string { return d.Format(time.DateOnly) }

// MarshalJSON implements json.Marshaler.
func (d Date) MarshalJSON() ([]byte, error) { return []byte(`"` + d.String() + `"`), nil }

// UnmarshalJSON implements json.Unmarshaler.
func (d *Date) UnmarshalJSON(text []byte) (err error) {
	d.Time, err = time.Parse(`"`+time.DateOnly+`"`, string(text))
	return err
}

// Totals sum up the records of a feed that start within a day. The day is the one in which the counted
// version starts, so a correction of a record that moved past midnight is in the new day.
type Totals struct {
	Source string `json:"-"`
	Feed   string `json:"-"`
	Day    Date   `json:"day"`
	// Incomplete says that the feed hasn't read up to the day's end yet.
	Incomplete bool `json:"incomplete,omitempty"`

	Counted

	// Audit is the newest one of the whole day; nil: there is none.
	Audit *Audit `json:"audit,omitempty"`
}

// Counted is what the ledger keeps of a day.
type Counted struct {
	// Records were counted, each once: calls, further records of a call, and visits to queues.
	Records int64 `json:"records"`
	// Late are those of them that were first seen more than late_after after their end. Those of
	// the first history are none.
	Late int64 `json:"late"`
	// Revised is how many versions changed a record after it was counted.
	Revised int64 `json:"revised"`
	// Charges are the sums of all amounts and corrections, by currency.
	Charges cdr.Amounts `json:"charges,omitempty"`
	// Total is the provider's own of the day, as of its last read; nil: it gave none.
	Total *ProviderTotal `json:"total,omitempty"`
}

// ProviderTotal compares the number of records that were read for a day with the provider's own total for
// the same query.
type ProviderTotal struct {
	// Day is the day's begin in UTC.
	Day time.Time `json:"-"`
	// Ours is how many distinct records were read, Theirs how many the provider says there are.
	Ours   int `json:"read"`
	Theirs int `json:"records"`
	// Charges are what the provider says that the day's calls cost, in Currency; nil if it doesn't say.
	Charges  *cdr.Money `json:"charges,omitempty"`
	Currency string     `json:"currency,omitempty"`
}

// Audit is what an audit found of a feed's records that start within a day.
type Audit struct {
	Source string `json:"source"`
	Feed   string `json:"feed"`
	// Day is the first one, if it is the sum of several. Whole says that all of it was audited.
	Day   Date `json:"day"`
	Whole bool `json:"whole"`
	// Began is when the audit began.
	Began time.Time `json:"began"`
	// Listed, Missing and Changed are numbers of records. Those that changed are counted with other amounts than are
	// listed, even if the sums are equal.
	Listed  int64 `json:"listed"`
	Missing int64 `json:"missing"`
	Changed int64 `json:"changed"`
}

// Differs says that something is missing, or that an amount differs.
func (a *Audit) Differs() bool { return a.Missing > 0 || a.Changed > 0 }

// Add adds what was counted since, and takes its total over.
func (c *Counted) Add(more *Counted) {
	c.Records, c.Late, c.Revised = c.Records+more.Records, c.Late+more.Late, c.Revised+more.Revised
	c.Charges.AddAll(more.Charges)
	c.Total = cmp.Or(more.Total, c.Total)
}

// ChargesDifference is what was counted minus what the provider says that the day's calls cost; 0 if it doesn't say.
func (c *Counted) ChargesDifference() cdr.Money {
	if c.Total == nil || c.Total.Charges == nil {
		return cdr.Money{}
	}
	theirs, ours := c.Total.Charges.Neg(), c.Charges[c.Total.Currency]
	return ours.Add(&theirs)
}

// Compared says whether anything but the exporter itself says how many records there are.
func (t *Totals) Compared() bool { return t.Total != nil || t.Audit != nil }

// Listed is how many records the provider has; 0 if the day isn't Compared.
func (t *Totals) Listed() int64 {
	switch {
	case t.Total != nil && (t.Audit == nil || t.Audit.Missing == 0):
		return int64(t.Total.Theirs)
	case t.Audit != nil:
		return t.Audit.Listed
	}
	return 0
}

// Difference is what the exporter has minus what the provider has: below 0 something is missing.
// What an audit misses says more than a total.
func (t *Totals) Difference() int64 {
	switch {
	case t.Audit != nil && t.Audit.Missing > 0:
		return -t.Audit.Missing
	case t.Total != nil:
		return int64(t.Total.Ours - t.Total.Theirs)
	}
	return 0
}

// AmountsDiffer says that an audit found other amounts, or the provider's own sum is another one,
// and no record is missing.
func (t *Totals) AmountsDiffer() bool {
	charges := t.ChargesDifference()
	return t.Difference() == 0 && (t.Audit != nil && t.Audit.Differs() || charges.Sign() != 0)
}
