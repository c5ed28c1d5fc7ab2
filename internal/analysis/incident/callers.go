package incident

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

// callerKey is a party in the provider's form; it is never shown.
type callerKey struct{ source, feed, user, extension, number, country, class string }

// callerSums are the calls of a party to a country, and the party in the form that may be shown.
type callerSums struct {
	report.Row

	user, extension, number string
}

// addCaller adds the fact of an outbound call to its caller's, to find fraud: no metric has
// the account.
func (f *Finder) addCaller(feed *history.Feed, fact *facts.Fact) {
	r := fact.Record
	if fact.WithCall {
		return // the call has it, and may have another caller than its legs
	}
	if country := f.settings.Country; r.Direction != cdr.Outbound || country != "" && r.Country != country {
		return
	}
	key := callerKey{
		source: feed.Source, feed: feed.Info.Name, user: cmp.Or(r.UserPrincipal, r.UserID,
			r.UserName), extension: extension(r), number: r.CallerNumber,
		country: r.Country, class: r.NumberClass(),
	}
	sums := f.callers[key]
	if sums == nil {
		switch fact.Kind {
		case facts.Charge, facts.Correction:
		case facts.Call, facts.OutcomeChange:
			if !r.Outcome.Connected() && len(r.Charges) == 0 {
				return
			}
		default:
			return
		}
		shown := f.redacted(r)
		sums = &callerSums{
			report.Row{},
			strings.Clone(cmp.Or(shown.UserName, shown.UserPrincipal, shown.UserID)),
			strings.Clone(extension(&shown)), strings.Clone(shown.CallerNumber),
		}
		for _, text := range []*string{&key.user, &key.extension, &key.number, &key.country} {
			*text = strings.Clone(*text) // a record's texts lie in a page that is reused
		}
		f.callers[key] = sums
	}
	sums.Add(fact)
	if fact.Kind == facts.Call {
		for i := range r.Charges {
			sums.Amounts.Add(cmp.Or(r.Charges[i].Currency, feed.Info.Currency), &r.Charges[i].Amount)
		}
	}
}

// extension is the caller's extension, if the provider gives it.
func extension(r *cdr.Record) string {
	return extra(r, "from_extension_number", "from_extension_id", "extension_id")
}

// longestCallers are the callers with the longest calls.
func (f *Finder) longestCallers() []Caller {
	maps.DeleteFunc(f.callers, func(_ callerKey, s *callerSums) bool { return s.Connected <= 0 })
	keys := slices.SortedFunc(maps.Keys(f.callers), func(a, b callerKey) int {
		one, other := f.callers[a], f.callers[b]
		long, short := one.Minutes(), other.Minutes()
		return cmp.Or(cmp.Compare(len(short), len(long)), cmp.Compare(short, long),
			cmp.Compare(other.Connected, one.Connected),
			cmp.Compare(a.source, b.source), cmp.Compare(a.number, b.number), cmp.Compare(a.user, b.user))
	})
	all := []Caller{}
	for _, k := range keys[:min(len(keys), mostCallers)] {
		s := f.callers[k]
		var charges []string
		for _, currency := range s.Currencies() {
			charges = append(charges, s.Text(currency)+" "+currency)
		}
		all = append(all, Caller{
			Source: k.source, Feed: k.feed, Country: k.country, NumberClass: k.class, User: s.user,
			Extension: s.extension, Caller: s.number, Connected: int(s.Connected), Minutes: s.Minutes(),
			Charges: strings.Join(charges, ", "),
		})
	}
	return all
}
