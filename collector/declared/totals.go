package declared

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// Totals says how a day's own total is asked for: once for each UTC day that is over.
type Totals struct {
	Request Request `yaml:"request"`
	// Calls is where the answer has the number of calls.
	Calls path `yaml:"calls"`
	// Charges and Currency are where it has what the calls cost, if it says so. Then its calls are those that have a price.
	Charges  path `yaml:"charges"`
	Currency path `yaml:"currency"`
}

// Validate implements config.Validator.
func (t *Totals) Validate(r *config.Report) {
	r.Required("request.path", t.Request.Path, "the path that totals are asked from")
	if t.Calls == nil {
		r.Problemf("calls", "is missing; give the path of the number of calls")
	}
}

const dayLength = 24 * time.Hour

// dayTotals are the provider's totals of days that are over.
type dayTotals struct {
	mu   sync.Mutex
	days map[time.Time]dayTotal
}

type dayTotal struct {
	calls    int
	charges  *cdr.Money // nil: it doesn't say
	currency string
}

// at is the time of a record by which days are told apart.
func (f *Filter) at(r *cdr.Record) time.Time {
	if f.By == byEnd && !r.End.IsZero() {
		return r.End
	}
	return r.Start
}

// countDays notes the ids of records by their day, where the provider has totals of days.
func (r *httpReader) countDays(seen map[time.Time]map[string]bool, records []*cdr.Record) {
	if r.feed.Totals == nil {
		return
	}
	for _, record := range records {
		if r.feed.Totals.Charges != nil && len(record.Charges) == 0 {
			continue
		}
		day := r.feed.Filter.at(record).UTC().Truncate(dayLength)
		if seen[day] == nil {
			seen[day] = make(map[string]bool)
		}
		seen[day][record.ID+record.Synthetic] = true
	}
}

// compareDays compares each day that is over, and of which all was read, with the provider's total. A total that can't be had now costs no record: it
// is asked for with the next read.
func (r *httpReader) compareDays(ctx context.Context, read span, seen map[time.Time]map[string]bool) (all []collector.DayTotal) {
	if r.feed.Totals == nil {
		return nil
	}
	earlier, _ := r.clocks()
	day := read.from.UTC().Truncate(dayLength)
	if day.Before(read.from) {
		day = day.Add(dayLength)
	}
	for ; !day.Add(dayLength).After(read.to) && !day.Add(dayLength).After(earlier); day = day.Add(dayLength) {
		if theirs, known := r.totalOf(ctx, day); known {
			all = append(all, collector.DayTotal{Day: day, Ours: len(seen[day]), Theirs: theirs.calls, Charges: theirs.charges, Currency: theirs.currency})
		}
	}
	return all
}

// totalOf is the provider's total of a day. One without money is asked for once.
func (r *httpReader) totalOf(ctx context.Context, day time.Time) (theirs dayTotal, known bool) {
	r.totals.mu.Lock()
	defer r.totals.mu.Unlock()
	if theirs, known = r.totals.days[day]; known {
		return theirs, true
	}
	of := Feed{Request: r.feed.Totals.Request}
	request := httpclient.Request{
		Feed: r.name, URL: of.address(span{day, day.Add(dayLength)}, r.settings.Parameters), Label: r.name + " totals", ExpectJSON: true,
	}
	body, err := r.client.Get(ctx, request)
	if err != nil {
		r.logger.Info("the provider's total of a day can't be read now", "feed", r.name, "day", day.Format(time.DateOnly), "error", err.Error())
		return theirs, false
	}
	var page answerPage
	if theirs.calls = -1; jsontext.Value(body).IsValid() && page.row.setJSON(body) {
		theirs = r.feed.Totals.read(&page)
	}
	if theirs.calls < 0 {
		r.logger.Info("the provider's answer has no total of a day", "feed", r.name, "day", day.Format(time.DateOnly))
		return theirs, false
	}
	if r.totals.days == nil {
		r.totals.days = make(map[time.Time]dayTotal)
	}
	if theirs.charges == nil { // prices come late: a total of money is asked for whenever its day is read
		r.totals.days[day] = theirs
	}
	return theirs, true
}

// read takes a day's total from an answer; its calls are below zero if it has none.
func (t *Totals) read(page *answerPage) dayTotal {
	theirs := dayTotal{calls: page.count(t.Calls)}
	if t.Charges == nil {
		return theirs
	}
	if charges, err := cdr.ParseMoney(page.text(t.Charges)); err == nil {
		theirs.charges, theirs.currency = &charges, strings.ToUpper(page.text(t.Currency))
	}
	return theirs
}
