package web

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// BookDays is how many days the books have, all over.
const BookDays = 7

// Book is what was counted of a feed's records that start within a day of UTC, and how that compares with the provider.
type Book struct {
	// Day is the date.
	Day string `json:"day"`
	// Incomplete says that the feed hasn't read up to the day's end yet.
	Incomplete bool `json:"incomplete,omitempty"`
	// Records were counted, Late of them first seen more than late_after after their end; Revised
	// is how often one changed later.
	Records int64 `json:"records"`
	Late    int64 `json:"late"`
	Revised int64 `json:"revised"`
	// Charges are sums by currency, exact.
	Charges map[string]string `json:"charges,omitempty"`
	// Total is the provider's own; absent if it gives none. Audit is the newest one of the whole
	// day; absent without one.
	Total *DayTotal `json:"total,omitempty"`
	Audit *DayAudit `json:"audit,omitempty"`
}

// DayTotal is the provider's own total of a day.
type DayTotal struct {
	// Records is how many the provider says there are, Read how many distinct ones it listed.
	Records int64 `json:"records"`
	Read    int64 `json:"read"`
	// Charges is the provider's sum, exact, in Currency; absent if it gives none. ChargesDiffer
	// says that another sum was counted.
	Charges       string `json:"charges,omitempty"`
	Currency      string `json:"currency,omitempty"`
	ChargesDiffer bool   `json:"charges_differ,omitempty"`
}

// DayAudit is what an audit found of a day.
type DayAudit struct {
	Began   Time  `json:"began"`
	Listed  int64 `json:"listed"`
	Missing int64 `json:"missing"`
	// Differs says that something is missing, or that an amount differs.
	Differs bool `json:"differs"`
}

// Checked says whether anything but the exporter itself says how many records there are.
func (b *Book) Checked() bool { return b.Total != nil || b.Audit != nil }

// Listed is how many records the provider has; 0 if the book isn't Checked.
func (b *Book) Listed() int64 {
	switch {
	case b.Total != nil && (b.Audit == nil || b.Audit.Missing == 0):
		return b.Total.Records
	case b.Audit != nil:
		return b.Audit.Listed
	}
	return 0
}

// Difference is what the exporter has minus what the provider has: below 0 something is missing.
// What an audit misses says more than a total.
func (b *Book) Difference() int64 {
	switch {
	case b.Audit != nil && b.Audit.Missing > 0:
		return -b.Audit.Missing
	case b.Total != nil:
		return b.Total.Read - b.Total.Records
	}
	return 0
}

// AmountsDiffer says that an audit found other amounts, or the provider's own sum is another one,
// and no record is missing.
func (b *Book) AmountsDiffer() bool {
	return b.Difference() == 0 && (b.Audit != nil && b.Audit.Differs || b.Total != nil && b.Total.ChargesDiffer)
}

// Money is what was counted, and what the provider says where it says something else.
func (b *Book) Money() string {
	var all []string
	for _, currency := range slices.Sorted(maps.Keys(b.Charges)) {
		text := strings.TrimSpace(b.Charges[currency] + " " + currency)
		all = append(all, text)
	}
	if t := b.Total; t != nil && t.ChargesDiffer {
		all = append(all, "the provider says "+strings.TrimSpace(t.Charges+" "+t.Currency))
	}
	return strings.Join(all, "; ")
}

// bookDay is a day of all feeds.
type bookDay struct {
	listed, difference int64
	amounts, read      bool // amounts differ; some record may have been read and not counted
	checked            map[string]bool
	differing          []string // feeds
	unknown            int      // feeds
}

func bookDays(status Status) map[string]*bookDay {
	days := make(map[string]*bookDay)
	for _, s := range status.Sources {
		for _, f := range s.Feeds {
			for i := range f.Books {
				b := &f.Books[i]
				d := days[b.Day]
				if d == nil {
					d = &bookDay{checked: make(map[string]bool)}
					days[b.Day] = d
				}
				d.add(b, s, f.Feed)
			}
		}
	}
	return days
}

func (d *bookDay) add(b *Book, s Source, feed string) {
	if !b.Checked() || b.Incomplete && b.Difference() == 0 {
		d.unknown++
		return
	}
	d.listed += b.Listed()
	d.read = d.read || b.Audit == nil && b.Records != b.Total.Records
	d.checked[s.Provider] = true
	if b.Difference() != 0 || b.AmountsDiffer() {
		d.difference, d.amounts = d.difference+b.Difference(), d.amounts || b.AmountsDiffer()
		d.differing = append(d.differing, s.Name+" "+feed)
	}
}

// booksText describes one day's books in a sentence: the newest day with a difference, else the newest
// day that was compared. It is empty without books.
func booksText(status Status) string {
	days := bookDays(status)
	order := slices.Sorted(maps.Keys(days))
	slices.Reverse(order)
	for _, day := range order {
		if d := days[day]; len(d.differing) > 0 {
			return d.differenceText(dayText(day, status.Now))
		}
	}
	for _, day := range order {
		if d := days[day]; len(d.checked) > 0 {
			return d.agreementText(dayText(day, status.Now))
		}
	}
	if len(order) == 0 {
		return ""
	}
	return "The counts of these days weren't compared: no provider gave a total, and no day was audited " +
		"completely."
}

func (d *bookDay) differenceText(day string) string {
	where, who := strings.Join(d.differing, ", "), d.who()
	switch {
	case d.difference < 0:
		return fmt.Sprintf("%s of %s of %s that %s aren't counted: see %s.", countText(-d.difference),
			things(int(d.listed), "record"), day, who, where)
	case d.difference > 0:
		return fmt.Sprintf("%s of %s were read than %s: see %s.", things(int(d.difference), "more record"), day, who,
			where)
	case d.amounts:
		return fmt.Sprintf("The counted amounts of %s differ from what %s: see %s.", day, who, where)
	default:
		return fmt.Sprintf("The records read of %s differ from what %s: see %s.", day, who, where)
	}
}

func (d *bookDay) agreementText(day string) string {
	what, whole := "are counted", "All "+things(int(d.listed), "record")
	switch {
	case d.read:
		what = "were read"
	case d.listed == 1:
		what = "is counted"
	}
	if d.listed < 2 {
		whole = "The only record"
	}
	text := fmt.Sprintf("%s of %s that %s %s.", whole, day, d.who(), what)
	if d.listed == 0 {
		text = fmt.Sprintf("For %s %s no records.", day, d.who())
	}
	if d.unknown == 1 {
		return text + " 1 other feed wasn't compared."
	}
	if d.unknown > 1 {
		text += fmt.Sprintf(" %s weren't compared.", things(d.unknown, "other feed"))
	}
	return text
}

func (d *bookDay) who() string {
	if len(d.checked) > 1 {
		return "the providers list"
	}
	for name := range d.checked {
		return name + " lists"
	}
	return "the provider lists"
}

func dayText(day string, now Time) string {
	if day == now.UTC().AddDate(0, 0, -1).Format(time.DateOnly) {
		return "yesterday"
	}
	return day
}
