package main

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/analysis/history"
	"github.com/cdr-exporter/cdr-exporter/internal/analysis/report"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
)

// mostCallers is the number of callers in a report.
const mostCallers = 20

// callers sums outbound calls by caller, to find fraud: no metric has the account.
type callers struct {
	country string // empty: all
	sums    map[callerKey]*callerSums
}

// callerKey is a party in the provider's form; it is never shown.
type callerKey struct{ source, feed, user, extension, number, country, class string }

// callerSums are the calls of a party to a country, and the party in the form that may be shown.
type callerSums struct {
	report.Row

	user, extension, number string
}

// add adds the fact of a connected outbound call. redact gives the record in the form that may be
// shown.
func (c *callers) add(feed *history.Feed, f *facts.Fact, redact func(*cdr.Record) cdr.Record) {
	r := f.Record
	if r.Direction != cdr.Outbound || c.country != "" && r.Country != c.country {
		return
	}
	key := callerKey{
		source: feed.Source, feed: feed.Info.Name, user: cmp.Or(r.UserPrincipal, r.UserID,
			r.UserName), extension: extension(r), number: r.CallerNumber,
		country: r.Country, class: r.NumberClass(),
	}
	sums := c.sums[key]
	if sums == nil {
		if f.Kind != facts.Call && f.Kind != facts.OutcomeChange || !r.Outcome.Connected() {
			return
		}
		shown := redact(r)
		sums = &callerSums{
			report.Row{},
			strings.Clone(cmp.Or(shown.UserName, shown.UserPrincipal, shown.UserID)),
			strings.Clone(extension(&shown)), strings.Clone(shown.CallerNumber),
		}
		for _, text := range []*string{&key.user, &key.extension, &key.number, &key.country} {
			*text = strings.Clone(*text) // a record's texts lie in a page that is reused
		}
		c.sums[key] = sums
	}
	sums.Add(f)
}

// extension is the caller's extension, if the provider gives it.
func extension(r *cdr.Record) string {
	return extra(r, "from_extension_number", "from_extension_id", "extension_id")
}

// each yields the callers with the longest calls as rows.
func (c *callers) each(row func(kind string, cells ...[]cell)) {
	keys := slices.SortedFunc(maps.Keys(c.sums), func(a, b callerKey) int {
		long, short := c.sums[a].Minutes(), c.sums[b].Minutes()
		return cmp.Or(cmp.Compare(len(short), len(long)), cmp.Compare(short, long),
			cmp.Compare(c.sums[b].Connected, c.sums[a].Connected),
			cmp.Compare(a.source, b.source), cmp.Compare(a.number, b.number), cmp.Compare(a.user, b.user))
	})
	for _, k := range keys[:min(len(keys), mostCallers)] {
		s := c.sums[k]
		var charges []string
		for _, currency := range s.Currencies() {
			charges = append(charges, s.Charge(currency)+" "+currency)
		}
		row("caller", []cell{
			{"source", k.source},
			{"feed", k.feed},
			{"country", k.country},
			{"number_class", k.class},
			{"user", s.user},
			{"extension", s.extension},
			{"caller", s.number},
			{"connected", int(s.Connected)},
			{"minutes", s.Minutes()},
			{"charges", strings.Join(charges, ", ")},
		})
	}
}
