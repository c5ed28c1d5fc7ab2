package web

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/core/daily"
)

// DaysShown is how many days the daily totals have that are over.
const DaysShown = 7

// charges is what was counted, and what the provider says where it says something else.
func charges(t *daily.Totals) string {
	var all []string
	for _, currency := range t.Charges.Currencies() {
		all = append(all, strings.TrimSpace(t.Charges.Text(currency)+" "+currency))
	}
	if difference := t.ChargesDifference(); difference.Sign() != 0 {
		all = append(all, "the provider says "+strings.TrimSpace(t.Total.Charges.String()+" "+t.Total.Currency))
	}
	return strings.Join(all, "; ")
}

// comparedDay is a day of all feeds.
type comparedDay struct {
	listed, difference int64
	amounts, read      bool // amounts differ; some record may have been read and not counted
	partly             bool // some record isn't counted, and an audit didn't expect it
	compared           map[string]bool
	differing          []string // feeds
	unknown            int      // feeds
}

func comparedDays(status Status) map[daily.Date]*comparedDay {
	days := make(map[daily.Date]*comparedDay)
	for _, s := range status.Sources {
		for _, f := range s.Feeds {
			for i := range f.DailyTotals {
				t := &f.DailyTotals[i]
				d := days[t.Day]
				if d == nil {
					d = &comparedDay{compared: make(map[string]bool)}
					days[t.Day] = d
				}
				d.add(t, s, f.Feed)
			}
		}
	}
	return days
}

func (d *comparedDay) add(t *daily.Totals, s Source, feed string) {
	difference := t.Difference()
	if !t.Compared() || t.Incomplete && difference == 0 {
		d.unknown++
		return
	}
	d.listed += t.Listed()
	switch total := t.Total; {
	case total != nil:
		d.read = d.read || t.Records < int64(total.Theirs) || t.Audit == nil && t.Records != int64(total.Theirs)
	case t.Records < t.Audit.Listed: // some began before the origin, say
		d.partly = true
	}
	d.compared[s.Provider] = true
	if difference != 0 || t.AmountsDiffer() {
		d.difference, d.amounts = d.difference+difference, d.amounts || t.AmountsDiffer()
		d.differing = append(d.differing, s.Name+" "+feed)
	}
}

// reconciliation describes one day in a sentence: the newest day with a difference, else the newest
// day that was compared. It is empty without days.
func reconciliation(status Status) string {
	days, today := comparedDays(status), daily.DateOf(status.Now.Time)
	order := slices.SortedFunc(maps.Keys(days), func(a, b daily.Date) int { return b.Compare(a.Time) })
	for _, day := range order {
		if d := days[day]; len(d.differing) > 0 {
			return d.differenceText(dayText(day, today))
		}
	}
	for _, day := range order {
		if d := days[day]; len(d.compared) > 0 {
			return d.agreementText(dayText(day, today))
		}
	}
	if len(order) == 0 {
		return ""
	}
	return "The counts of these days weren't compared: no provider gave a total, and no day was audited " +
		"completely."
}

func (d *comparedDay) differenceText(day string) string {
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

func (d *comparedDay) agreementText(day string) string {
	whole, what := "All "+things(int(d.listed), "record"), "are counted"
	switch one := d.listed == 1; {
	case d.read && one:
		whole, what = "The only record", "was read"
	case d.read:
		what = "were read"
	case d.partly && one:
		whole, what = "The only record", "isn't missing"
	case d.partly:
		whole, what = "None of the "+things(int(d.listed), "record"), "is missing"
	case one:
		whole, what = "The only record", "is counted"
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

func (d *comparedDay) who() string {
	if len(d.compared) > 1 {
		return "the providers list"
	}
	for name := range d.compared {
		return name + " lists"
	}
	return "the provider lists"
}

func dayText(day, today daily.Date) string {
	if day == today.Add(-1) {
		return "yesterday"
	}
	return day.String()
}
