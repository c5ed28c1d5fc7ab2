package web

import (
	"context"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// Totals says how to request a day's own total: once for each UTC day that is over.
type Totals struct {
	Request Request `yaml:"request"`
	// Calls is the path of the number of calls in the answer.
	Calls language.Path `yaml:"calls"`
	// Charges and Currency are the paths of the calls' cost, if the answer has it. Then Calls
	// counts only calls with a price.
	Charges  language.Path `yaml:"charges"`
	Currency language.Path `yaml:"currency"`
}

// Validate implements config.Validator.
func (t *Totals) Validate(r *config.Report) {
	r.Required("request.path", t.Request.FirstPath(), "the path of the totals")
	if t.Calls == nil {
		r.Problemf("calls", "is missing; set the path of the number of calls")
	}
}

const dayLength = 24 * time.Hour

// countsByDay says whether the provider's list of totals counts a call.
func (l *List) countsByDay(r *cdr.Record) bool {
	return l.Totals != nil && (l.Totals.Charges == nil || len(r.Charges) > 0)
}

// compareDays compares each past day that was read whole with the provider's list of totals. If a
// total can't be read now, no record is lost: the next read requests it again.
func (r *reader) compareDays(
	ctx context.Context, days dayRows, asked, wanted span,
) (all []collector.ProviderTotal) {
	earlier, _ := r.clocks()
	end := earliest(earlier, wanted.to, asked.to)
	day := wanted.from.UTC().Truncate(dayLength)
	if day.Before(wanted.from) {
		day = day.Add(dayLength)
	}
	for ; !day.Add(dayLength).After(end); day = day.Add(dayLength) {
		if theirs, known := r.totalOf(ctx, day, days.size(day)); known {
			all = append(all, theirs)
		}
	}
	return all
}

// totalOf is the provider's total of a day, beside ours. A total without money that was the same as ours isn't
// requested again: another one may lack calls that were published late.
func (r *reader) totalOf(ctx context.Context, day time.Time, ours int) (total collector.ProviderTotal, known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if total, known = r.totals[day]; known && total.Theirs == ours {
		total.Ours = ours
		return total, true
	}
	t := r.Totals
	asked := r.with(&List{Request: t.Request})
	whole := piece{span: span{day, day.Add(dayLength)}}
	request := asked.request(asked.address(t.Request.FirstPath(), whole), r.Name+" totals")
	request.ExpectJSON, request.Body = true, asked.body(whole).json()
	body, err := r.client.Get(ctx, request)
	if err != nil {
		r.logger.Info("Can't read the provider's total of a day now", "feed", r.Name, "day", day.Format(time.DateOnly),
			"err", err)
		return total, false
	}
	var page answerPage
	total = collector.ProviderTotal{Day: day, Ours: ours, Theirs: -1}
	if rows.IsJSON(body) && page.row.SetJSON(body) {
		total.Theirs, _ = page.count(t.Calls)
	}
	if total.Theirs < 0 {
		r.logger.Info("The provider's answer has no total for a day", "feed", r.Name, "day", day.Format(time.DateOnly))
		return total, false
	}
	if charges, err := cdr.ParseMoney(page.text(t.Charges)); err == nil {
		total.Charges, total.Currency = &charges, strings.ToUpper(page.text(t.Currency))
		return total, true // prices come late: request a total with money whenever its day is read
	}
	r.totals[day] = total
	return total, true
}
