package laws

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared"
)

// judgeAnswers compares what the definition asks, and finds, with the answers of tests.
func (b *bench) judgeAnswers() Verdict {
	v := Verdict{Feed: b.name, Law: "answers"}
	switch {
	case b.definition.SQL != nil && b.byTime():
		return b.judgeSeconds(v)
	case b.definition.HTTP == nil:
		return v.unjudged("nothing is asked over HTTP")
	case len(b.answers) == 0:
		return v.unjudged("no answers")
	}
	reads, rows := 0, 0
	for i := 0; i < len(b.answers); {
		end := i + slices.IndexFunc(b.answers[i:], hasSpan) + 1 // a token, or names, may come before
		for end = max(end, i+1); end < len(b.answers) && !hasSpan(b.answers[end]); end++ {
		}
		n, problem := b.replay(i, b.answers[i:end])
		if problem != "" {
			return v.broken("%s", problem)
		}
		i, reads, rows = end, reads+1, rows+n
	}
	if rows == 0 && b.info.ActiveCalls == nil {
		return v.broken("no answer has rows where the definition says")
	}
	return v.held("%d answers of %d reads", len(b.answers), reads)
}

func hasSpan(a declared.TestAnswer) bool { return !a.Span.From.IsZero() }

// mostRepeats is how often an answer is given again: more often than the exporter repeats a request.
const mostRepeats = 10

// replayer gives saved answers in their order.
type replayer struct {
	bench   *bench
	first   int
	answers []declared.TestAnswer

	mu      sync.Mutex
	given   int
	repeats int // how often the exporter repeated the last request
	problem string
}

// RoundTrip implements http.RoundTripper.
func (p *replayer) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.given == len(p.answers) || !p.answers[p.given].AsksForToken() {
		if token := p.bench.token(r); token != nil {
			return token, nil
		}
	}
	refuse := answer(r, http.StatusForbidden, nil, "{}")
	if p.problem != "" {
		return refuse, nil
	}
	if p.given == len(p.answers) {
		p.problem = fmt.Sprintf("after answers[%d] it asks further: %s %s", p.first+p.given-1, r.Method,
			r.URL.RequestURI())
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
func (b *bench) differs(a *declared.TestAnswer, r *http.Request, body string) string {
	method, _, _ := strings.Cut(a.Request, " ")
	u := requested(a)
	path, host := u.Path, cmp.Or(u.Host, b.host)
	if u.Host == "" {
		path = b.absolute(path)
	}
	switch {
	case r.URL.Host != host:
		return fmt.Sprintf("it asks %s, want %s", r.URL.Host, host)
	case r.Method != method || r.URL.Path != path:
		return fmt.Sprintf("it asks %s %s, want %s %s", r.Method, r.URL.Path, method, path)
	}
	want, got := u.Query(), r.URL.Query()
	for key := range want {
		if !slices.Equal(want[key], got[key]) {
			return fmt.Sprintf("it asks with %s=%s, want %s=%s", key, strings.Join(got[key], ","), key,
				strings.Join(want[key], ","))
		}
		delete(got, key)
	}
	for key, values := range got {
		if len(b.secretsIn(strings.Join(values, ""))) == 0 {
			return fmt.Sprintf("it asks with %s=%s, which the request of the answer doesn't have", key,
				strings.Join(values, ","))
		}
	}
	for name, want := range a.With {
		got := r.Header.Get(name)
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
		if a.AsksForToken() {
			wanted, wantedErr = url.ParseQuery(string(a.Sends))
			sent, sentErr = url.ParseQuery(body)
		}
		if wantedErr != nil || sentErr != nil || encode(wanted) != encode(sent) {
			return fmt.Sprintf("it sends %s, want %s", body, a.Sends)
		}
	}
	return ""
}

// secretsIn are the secrets of the source that a text has.
func (b *bench) secretsIn(text string) (found []string) {
	for name, value := range b.secrets {
		if strings.Contains(text, value) {
			found = append(found, name)
		}
	}
	return found
}

// replay reads a span from saved answers, and says how many rows they have.
func (b *bench) replay(first int, answers []declared.TestAnswer) (rows int, problem string) {
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
	bad := ""
	pages := info.Reader.Pages(context.Background(), span.From, span.To)
	if info.Stream != nil {
		pages = info.Stream.Pages(context.Background(),
			collector.StreamPosition{Origin: span.From.Add(b.feed.Filter.Overlap.Time), Now: now})
	}
	from, to := span.From, span.To
	if grain := b.feed.Filter.Grain; grain > time.Second {
		from = from.Truncate(grain)
		if to = to.Truncate(grain); to.Before(span.To) {
			to = to.Add(grain)
		}
	}
	for page, failed := range pages {
		if failed != nil {
			err = failed
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
	return b.checkTimes(first, answers, from, to)
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

// checkTimes compares the times of the answers' rows with the requested span, and counts the rows.
func (b *bench) checkTimes(
	first int, answers []declared.TestAnswer, from, to time.Time,
) (rows int, problem string) {
	counted := false
	list := ownTotal{bench: b}
	for i := range answers {
		if b.isNames(&answers[i]) {
			continue
		}
		if problem := b.lacks(&answers[i], counted); problem != "" && !answers[i].AsksForToken() {
			return rows, fmt.Sprintf("answers[%d] %s", first+i, problem)
		}
		if _, is := b.isTotals(requested(&answers[i])); is || answers[i].AsksForToken() {
			continue
		}
		list.begin(first+i, &answers[i])
		counted = b.feed.Complete == "" // further pages may leave out the total
		for number, m := range b.newMapper().Try([]byte(answers[i].Body)) {
			rows++
			if m.Record != nil && m.Record.ID != "" {
				list.ids[m.Record.ID] = true
			}
			if m.Record == nil || b.feed.Filter.By == "inserted" {
				continue
			}
			at := m.Record.Start
			if b.feed.Filter.By == "end" && !m.Record.End.IsZero() {
				at = m.Record.End
			}
			if at.Before(from) || at.After(to) {
				return rows, fmt.Sprintf("answers[%d]: the %s of row %d is %s, outside of what was asked, %s to %s",
					first+i, b.feed.Filter.By, number,
					at.Format(time.RFC3339), from.Format(time.RFC3339), to.Format(time.RFC3339))
			}
		}
		if problem := list.end(&answers[i]); problem != "" {
			return rows, problem
		}
	}
	return rows, ""
}

// ownTotal compares the total of a list's first page with the rows of all its pages. A total that is too small may
// count the rows of a page.
type ownTotal struct {
	bench *bench
	at    int // the first page's answer
	total int // -1: it has none
	ids   map[string]bool
}

// begin takes the total if an answer is the first page of a list.
func (o *ownTotal) begin(at int, a *declared.TestAnswer) {
	if o.ids == nil {
		o.at, o.total, o.ids = at, o.bench.totalOf(a), make(map[string]bool)
	}
}

// end says whether a list has more rows than its total. It forgets the list if the page names no further one.
func (o *ownTotal) end(a *declared.TestAnswer) string {
	if o.total >= 0 && len(o.ids) > o.total {
		return fmt.Sprintf("answers[%d]: the total is %d, but the pages of this list have %d rows: it may count the "+
			"rows of a page; then leave it out", o.at, o.total, len(o.ids))
	}
	var body any
	names := o.bench.feed.Next.URL != nil || o.bench.feed.Next.Token != nil
	if names && decode(string(a.Body), &body) == nil && o.bench.nextIn(body) == "" {
		o.ids = nil
	}
	return ""
}

// totalOf is the number of rows that an answer says; -1: none, or several lists follow each other unseen.
func (b *bench) totalOf(a *declared.TestAnswer) int {
	unseen := b.feed.Next.URL == nil && b.feed.Next.Token == nil && (b.feed.For != nil || b.feed.Filter.Step > 0)
	var body any
	if b.feed.Total == nil || unseen || b.feed.MaxRows > 0 || decode(string(a.Body), &body) != nil {
		return -1
	}
	value, _ := valueAt(body, b.feed.Total)
	n, err := strconv.Atoi(fmt.Sprint(value))
	if err != nil {
		return -1
	}
	return n
}

// lacks says which number an answer doesn't have where the definition says, or which other one; empty: none. A counted
// read has its total already.
func (b *bench) lacks(a *declared.TestAnswer, counted bool) string {
	var body any
	if b.feed.Format != "json" || a.Status > 299 || decode(string(a.Body), &body) != nil {
		return ""
	}
	type number struct {
		at   []string
		want string
	}
	numbers := map[string]number{"total": {b.feed.Total, a.Total}}
	if _, is := b.isTotals(requested(a)); is {
		t := b.feed.Totals
		amount, currency, _ := strings.Cut(a.Charges, " ")
		numbers = map[string]number{
			"totals.calls": {t.Calls, a.Total}, "totals.charges": {t.Charges, amount},
			"totals.currency": {t.Currency, currency},
		}
	}
	for name, n := range numbers {
		value, found := valueAt(body, n.at)
		if n.at == nil { // valueAt gives the whole body
			value = "nothing"
			if name == "totals.currency" {
				value = b.definition.CurrencyFor(b.values)
			}
		}
		switch {
		case n.at != nil && !found && name == "total" && counted && n.want == "":
		case n.at != nil && !found:
			return fmt.Sprintf("has nothing at %s, which %s names", strings.Join(n.at, "."), name)
		case n.want != "" && fmt.Sprint(value) != n.want:
			return fmt.Sprintf("gives %v as %s, want %s", value, name, n.want)
		}
	}
	return ""
}

func requested(a *declared.TestAnswer) *url.URL {
	_, address, _ := strings.Cut(a.Request, " ")
	u, err := url.Parse(address)
	if err != nil {
		return new(url.URL)
	}
	return u
}
