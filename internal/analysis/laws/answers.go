package laws

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/web"
)

// judgeAnswers compares what the definition asks, and finds, with the answers of tests.
func (b *bench) judgeAnswers() Verdict {
	switch {
	case b.definition.SQL != nil && b.byTime():
		return b.judgeSeconds()
	case b.definition.HTTP == nil:
		return unjudged("nothing is asked over HTTP")
	case len(b.answers) == 0:
		return unjudged("no answers")
	}
	reads, rows := 0, 0
	for i := 0; i < len(b.answers); {
		end := i + slices.IndexFunc(b.answers[i:], hasSpan) + 1 // a token, or names, may come before
		for end = max(end, i+1); end < len(b.answers) && !hasSpan(b.answers[end]); end++ {
		}
		n, problem := b.replay(i, b.answers[i:end])
		if problem != "" {
			return broken("%s", problem)
		}
		i, reads, rows = end, reads+1, rows+n
	}
	if rows == 0 && b.info.ActiveCalls == nil {
		return broken("no answer has rows where the definition says")
	}
	return held("%d answers of %d reads", len(b.answers), reads)
}

func hasSpan(a savedAnswer) bool { return !a.Span.From.IsZero() }

// replay reads a span from saved answers, and says how many rows they have.
func (b *bench) replay(first int, answers []savedAnswer) (rows int, problem string) {
	span := answers[max(0, slices.IndexFunc(answers, hasSpan))].Span
	if span.From.IsZero() && b.info.ActiveCalls == nil {
		return 0, fmt.Sprintf("answers[%d] has no span: the first answer of a read says which time was wanted, as "+
			"FROM/TO", first)
	}
	p := &replayer{bench: b, first: first, answers: answers}
	now := span.To.Add(b.feed.Filter.MinAge)
	settings := collector.SourceSettings{Now: func() time.Time { return now }}
	settings.Transport, settings.Waits = p, noWaits
	settings.LoadSecret = func(context.Context) ([]byte, error) { return nil, nil }
	settings.ReplaceSecret = func(_ context.Context, spend func() ([]byte, error)) error {
		_, err := spend()
		return err
	}
	_, source, err := b.openSource(nil, time.Hour, settings)
	if err != nil {
		return 0, err.Error()
	}
	defer source.Close()
	info := &source.Feeds[0]
	if info.ActiveCalls != nil {
		_, err = info.ActiveCalls(context.Background(), false)
		return 0, p.says(err)
	}
	pages := info.Reader.Pages(context.Background(), span.From, span.To)
	if info.Stream != nil {
		pages = info.Stream.Pages(context.Background(),
			collector.StreamPosition{Origin: span.From.Add(b.feed.Filter.Overlap.Time), Now: now})
	}
	bad := ""
	for page, failed := range pages {
		if err = failed; err != nil {
			break
		}
		for _, row := range page.Invalid {
			bad = row.At + ": " + row.Problem
		}
	}
	if problem := p.says(err); problem != "" {
		return 0, problem
	}
	if bad != "" {
		return 0, fmt.Sprintf("answers[%d]: a row can't be read: %s", first, bad)
	}
	from, to := span.From, span.To
	if grain := b.feed.Filter.Grain; grain > time.Second {
		from, to = from.Truncate(grain), to.Add(grain-1).Truncate(grain)
	}
	return b.checkRows(first, answers, from, to)
}

// checkRows compares what the answers of a read have with tests, and their rows' times with the requested span. It
// counts the rows.
func (b *bench) checkRows(
	first int, answers []savedAnswer, from, to time.Time,
) (rows int, problem string) {
	counted, names := false, b.feed.Next.URL != nil || b.feed.Next.Token != nil
	var ids map[string]bool // of the rows on the pages of a list; nil before its first page
	list, total := "", 0    // of its first page
	for i := range answers {
		a, name := &answers[i], fmt.Sprintf("answers[%d]", first+i)
		if a.kind == ofNames || a.kind == ofToken {
			continue
		}
		if problem := b.lacks(a, counted); problem != "" {
			return rows, name + " " + problem
		}
		if a.kind == ofTotals {
			continue
		}
		if ids == nil {
			list, total, ids = name, b.totalOf(a), make(map[string]bool)
		}
		counted = b.feed.Complete == "" // further pages may leave out the total
		for number, m := range b.newMapper().Try([]byte(a.Body)) {
			rows++
			if m.Record == nil {
				continue
			}
			if m.Record.ID != "" {
				ids[m.Record.ID] = true
			}
			at, by := b.feed.Filter.At(m.Record), b.feed.Filter.By
			if by != web.ByInserted && (at.Before(from) || at.After(to)) {
				return rows, fmt.Sprintf("%s: the %s of row %d is %s, outside of what was asked, %s to %s", name, by,
					number, at.Format(time.RFC3339), from.Format(time.RFC3339), to.Format(time.RFC3339))
			}
		}
		if total >= 0 && len(ids) > total {
			return rows, fmt.Sprintf("%s: the total is %d, but the pages of this list have %d rows: it may count the "+
				"rows of a page; then leave it out", list, total, len(ids))
		}
		if names && a.body != nil && b.nextIn(a.body) == "" {
			ids = nil
		}
	}
	return rows, ""
}

// totalOf is the number of rows that an answer says; -1: none, or several lists follow each other unseen.
func (b *bench) totalOf(a *savedAnswer) int {
	unseen := b.feed.Next.URL == nil && b.feed.Next.Token == nil && (b.feed.For != nil || b.feed.Filter.Step > 0)
	if b.feed.Total == nil || unseen || b.feed.MaxRows > 0 {
		return -1
	}
	value, _ := valueAt(a.body, b.feed.Total)
	n, err := strconv.Atoi(fmt.Sprint(value))
	if err != nil {
		return -1
	}
	return n
}

// lacks says which number an answer doesn't have where the definition says, or which other one; empty: none. A counted
// read has its total already.
func (b *bench) lacks(a *savedAnswer, counted bool) string {
	if b.feed.Format != rows.FormatJSON || a.Status > 299 || a.body == nil {
		return ""
	}
	type number struct {
		name, want string
		at         []string
		own        string // what is without a path
	}
	numbers := []number{{"total", a.Total, b.feed.Total, "nothing"}}
	if a.kind == ofTotals {
		t := b.feed.Totals
		amount, currency, _ := strings.Cut(a.Charges, " ")
		numbers = []number{
			{"totals.calls", a.Total, t.Calls, "nothing"},
			{"totals.charges", amount, t.Charges, "nothing"},
			{"totals.currency", currency, t.Currency, b.definition.CurrencyFor(b.values)},
		}
	}
	for _, n := range numbers {
		value, found := any(n.own), true
		if n.at != nil {
			value, found = valueAt(a.body, n.at)
		}
		switch {
		case !found && n.name == "total" && counted && n.want == "":
		case !found:
			return fmt.Sprintf("has nothing at %s, which %s names", strings.Join(n.at, "."), n.name)
		case n.want != "" && fmt.Sprint(value) != n.want:
			return fmt.Sprintf("gives %v as %s, want %s", value, n.name, n.want)
		}
	}
	return ""
}

// mostRepeats is how often an answer is given again: more often than the exporter repeats a request.
const mostRepeats = 10

// replayer gives saved answers in their order.
type replayer struct {
	bench   *bench
	first   int
	answers []savedAnswer

	mu      sync.Mutex
	given   int
	repeats int // how often the exporter repeated the last request
	problem string
}

// further says which body a further request has, and why it may be right.
func (p *replayer) further(r *http.Request) (text string) {
	if body := bodyOf(r); len(body) > 0 {
		text = " with " + string(body)
	}
	if next := p.bench.feed.Next; next.Page+next.Offset != "" {
		text += "; if that is right, give this answer too: the last page is the one without rows"
	}
	return text
}

// RoundTrip implements http.RoundTripper.
func (p *replayer) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.given == len(p.answers) || p.answers[p.given].kind != ofToken {
		if token := p.bench.token(r); token != nil {
			return token, nil
		}
	}
	refuse := answer(r, http.StatusForbidden, nil, "{}")
	if p.problem != "" {
		return refuse, nil
	}
	if p.given == len(p.answers) {
		p.problem = fmt.Sprintf("after answers[%d] it asks further: %s %s%s", p.first+p.given-1, r.Method,
			r.URL.RequestURI(), p.further(r))
		return refuse, nil
	}
	a := &p.answers[p.given]
	name := fmt.Sprintf("answers[%d]", p.first+p.given)
	body := string(bodyOf(r))
	if problem := p.bench.differs(a, r, body); problem != "" {
		// The exporter asks again for a page that it can't use. It gets the same page, so that its error says why.
		if last := p.given - 1; last >= 0 && p.repeats < mostRepeats &&
			p.bench.differs(&p.answers[last], r, body) == "" {
			p.repeats++
			return given(r, &p.answers[last]), nil
		}
		p.problem = name + ": " + problem
		return refuse, nil
	}
	p.given, p.repeats = p.given+1, 0
	return given(r, a), nil
}

// differs says how a request differs from the request of an answer; empty: it doesn't.
func (b *bench) differs(a *savedAnswer, r *http.Request, body string) string {
	method, _, _ := strings.Cut(a.Request, " ")
	switch host, path := b.asked(a.url); {
	case r.URL.Host != host:
		return fmt.Sprintf("it asks %s, want %s", r.URL.Host, host)
	case r.Method != method || r.URL.Path != path:
		return fmt.Sprintf("it asks %s %s, want %s %s", r.Method, r.URL.Path, method, path)
	}
	want, got := a.url.Query(), r.URL.Query()
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if !slices.Equal(want[key], got[key]) {
			return fmt.Sprintf("it asks with %s=%s, want %s=%s", key, strings.Join(got[key], ","), key,
				strings.Join(want[key], ","))
		}
		delete(got, key)
	}
	for _, key := range slices.Sorted(maps.Keys(got)) {
		if values := strings.Join(got[key], ","); b.secretIn(values) == "" {
			return fmt.Sprintf("it asks with %s=%s, which the request of the answer doesn't have", key, values)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a.With)) {
		want, got := a.With[name], r.Header.Get(name)
		user, password, basic := r.BasicAuth()
		if basic && strings.EqualFold(name, "Authorization") && strings.Contains(want, ":") {
			got = "Basic " + user + ":" + password // as tests write it
		}
		if got != want {
			return fmt.Sprintf("it asks with the header %s: %s, want %s", name, got, want)
		}
	}
	if a.Sends != "" {
		var wanted, sent any
		wantedErr, sentErr := decode(string(a.Sends), &wanted), decode(body, &sent)
		if a.Sends[0] != '{' && a.Sends[0] != '[' { // a form
			wanted, wantedErr = url.ParseQuery(string(a.Sends))
			sent, sentErr = url.ParseQuery(body)
		}
		if wantedErr != nil || sentErr != nil || encode(wanted) != encode(sent) {
			return fmt.Sprintf("it sends %s, want %s", body, a.Sends)
		}
	}
	return ""
}

// says is what was wrong with the requests of a replay.
func (p *replayer) says(err error) string {
	switch {
	case p.problem != "":
		return p.problem
	case err != nil:
		return fmt.Sprintf("answers[%d]: %s", p.first+max(p.given-1, 0), err)
	case p.given < len(p.answers):
		return fmt.Sprintf("it never asks for answers[%d], %s", p.first+p.given, p.answers[p.given].Request)
	}
	return ""
}
