package laws

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rowmap"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// judgeRows compares what each row becomes with tests.
func (b *bench) judgeRows() Verdict {
	v := Verdict{Feed: b.name, Law: "rows"}
	if b.definition.SQL != nil {
		return b.judgeTables(v)
	}
	known := 0
	for _, r := range b.rows {
		if !r.known {
			continue
		}
		known++
		if r.rows != 1 {
			return v.broken("%s: it is read as %d rows", r.name, r.rows)
		}
		if problem := compare(r.word, r.becomes, &r.mapped); problem != "" {
			return v.broken("%s: %s", r.name, problem)
		}
	}
	if known == 0 {
		return v.unjudged("no rows in tests")
	}
	return v.held("%d rows", known)
}

// compare says how a row became something else; empty: it didn't.
func compare(word string, becomes map[string]string, m *rowmap.Result) string {
	got := "a call"
	switch {
	case m.Invalid != "":
		got = "invalid"
	case m.Ignored:
		got = "ignored"
	case m.Record != nil && m.Record.Provisional:
		got = "open"
	}
	want := word
	if want == "" {
		want = "a call"
	}
	switch {
	case got != want && got == "invalid":
		return fmt.Sprintf("it is invalid (%s), want %s", m.Invalid, want)
	case got != want:
		return fmt.Sprintf("it is %s, want %s", got, want)
	case got != "a call":
		return ""
	}
	all := differences(becomes, shown(m.Record))
	for _, u := range m.Unmapped {
		all = append(all, u.Field+" is unknown: no table has its value "+cdr.HideNumbers(u.Value))
	}
	if len(all) == 0 {
		return ""
	}
	return strings.Join(all[:min(3, len(all))], "; ")
}

// judgeTables compares all rows that the query gives with tests.
func (b *bench) judgeTables(v Verdict) Verdict {
	if len(b.base) == 0 {
		return v.unjudged("no tables in tests")
	}
	if len(b.tests.Rows) == 0 {
		return v.unjudged("no rows in tests")
	}
	page := *b.read
	page.Records = slices.Clone(page.Records)
	var wanted []declared.TestRow
	for _, r := range b.tests.Rows {
		if r.Feed == b.name || r.Feed == "" {
			wanted = append(wanted, r)
		}
	}
	if got := len(page.Records) + len(page.Invalid) + len(page.Ignored); got != len(wanted) {
		return v.broken("the query gives %d rows, want %d", got, len(wanted))
	}
	for i, r := range wanted {
		if r.Becomes.Word != "" {
			continue // counted above
		}
		nearest, at := "", -1
		for j, record := range page.Records {
			problem := compare("", r.Becomes.Fields, &rowmap.Result{Record: record})
			if problem == "" {
				at = j
				break
			}
			if r.Becomes.Fields["id"] == record.ID || nearest == "" {
				nearest = problem
			}
		}
		if at < 0 {
			return v.broken("rows[%d]: no row of the query becomes this; the nearest differs: %s", i, nearest)
		}
		page.Records = slices.Delete(page.Records, at, at+1)
	}
	if len(page.Unmapped) > 0 {
		return v.broken("%s is unknown: no table has its value %s", page.Unmapped[0].Field,
			cdr.HideNumbers(page.Unmapped[0].Value))
	}
	return v.held("%d rows", len(wanted))
}

// readAll reads all rows of a database.
func (b *bench) readAll(w world) (*collector.Page, error) {
	_, source, err := b.openSource(w.block(), time.Hour, collector.SourceSettings{
		Now: func() time.Time { return time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC) },
	})
	if err != nil {
		return nil, err
	}
	defer source.Close()
	all := new(collector.Page)
	from, to := time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)
	d := collector.Driver{Reader: source.Feeds[0].Reader, Commit: func(_ context.Context, page *collector.Page) error {
		for _, r := range page.Records {
			all.Records = append(all.Records, cloneRecord(r))
		}
		all.Invalid, all.Ignored, all.Unmapped = append(all.Invalid, page.Invalid...),
			append(all.Ignored, page.Ignored...), append(all.Unmapped, page.Unmapped...)
		return nil
	}}
	return all, d.Read(context.Background(), from, to)
}

// judgeAnswers compares what the definition asks, and finds, with the answers of tests.
func (b *bench) judgeAnswers() Verdict {
	v := Verdict{Feed: b.name, Law: "answers"}
	switch {
	case b.definition.HTTP == nil:
		return v.unjudged("nothing is asked over HTTP")
	case len(b.answers) == 0:
		return v.unjudged("no answers")
	}
	reads := 0
	for i := 0; i < len(b.answers); {
		end := i + 1
		for end < len(b.answers) && b.answers[end].Span.From.IsZero() {
			end++
		}
		if problem := b.replay(i, b.answers[i:end]); problem != "" {
			return v.broken("%s", problem)
		}
		i, reads = end, reads+1
	}
	return v.held("%d answers of %d reads", len(b.answers), reads)
}

// replayer gives saved answers in their order.
type replayer struct {
	bench   *bench
	first   int
	answers []declared.TestAnswer

	mu      sync.Mutex
	given   int
	problem string
}

// RoundTrip implements http.RoundTripper.
func (p *replayer) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if token := p.bench.token(r); token != nil {
		return token, nil
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
	if problem := p.bench.differs(a, r, string(bodyOf(r))); problem != "" {
		p.problem = name + ": " + problem
		return refuse, nil
	}
	p.given++
	header := http.Header{}
	for key, value := range a.Headers {
		header.Set(key, value)
	}
	return answer(r, cmp.Or(a.Status, http.StatusOK), header, string(a.Body)), nil
}

// differs says how a request differs from the request of an answer; empty: it doesn't.
func (b *bench) differs(a *declared.TestAnswer, r *http.Request, body string) string {
	method, address, _ := strings.Cut(a.Request, " ")
	path, query, _ := strings.Cut(address, "?")
	if u, err := url.Parse(path); err == nil && u.Host != "" {
		if u.Host != r.URL.Host {
			return fmt.Sprintf("it asks %s, want %s", r.URL.Host, u.Host)
		}
		path = u.Path
	} else if r.URL.Host != b.host {
		return fmt.Sprintf("it asks %s, want %s", r.URL.Host, b.host)
	} else {
		path = b.basePath + path
	}
	unescaped, err := url.PathUnescape(path)
	if err != nil || method != r.Method || unescaped != r.URL.Path {
		return fmt.Sprintf("it asks %s %s, want %s %s", r.Method, r.URL.Path, method, path)
	}
	want, err := url.ParseQuery(query)
	if err != nil {
		return "its query can't be read: " + err.Error()
	}
	got := r.URL.Query()
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
	if a.Sends != "" {
		var wanted, sent any
		if decode(string(a.Sends), &wanted) != nil || decode(body, &sent) != nil || encode(wanted) != encode(sent) {
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

// replay reads a span from saved answers.
func (b *bench) replay(first int, answers []declared.TestAnswer) string {
	span := answers[0].Span
	if span.From.IsZero() {
		return fmt.Sprintf("answers[%d] has no span: the first answer of a read says which time was wanted, as FROM/TO",
			first)
	}
	p := &replayer{bench: b, first: first, answers: answers}
	now := span.To.Add(b.feed.Filter.MinAge)
	settings := collector.SourceSettings{Now: func() time.Time { return now }}
	settings.Transport = p
	settings.LoadSecret = func(context.Context) ([]byte, error) { return nil, nil }
	settings.ReplaceSecret = func(_ context.Context, spend func() ([]byte, error)) error {
		_, err := spend()
		return err
	}
	_, source, err := b.openSource(nil, time.Hour, settings)
	if err != nil {
		return err.Error()
	}
	defer source.Close()
	info := &source.Feeds[0]
	if info.ActiveCalls != nil {
		if _, err = info.ActiveCalls(context.Background(), false); err == nil && p.given == len(answers) {
			return ""
		}
		return p.says(err)
	}
	bad := ""
	pages := info.Reader.Pages(context.Background(), span.From, span.To)
	if info.Stream != nil {
		pages = info.Stream.Pages(context.Background(),
			collector.StreamPosition{Origin: span.From.Add(b.feed.ReadAgain()), Now: now})
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
		return problem
	}
	if bad != "" {
		return fmt.Sprintf("answers[%d]: a row can't be read: %s", first, bad)
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

// checkTimes compares the times of the answers' rows with the requested span.
func (b *bench) checkTimes(first int, answers []declared.TestAnswer, from, to time.Time) string {
	all := 0
	for i := range answers {
		if problem := b.lacks(&answers[i]); problem != "" {
			return fmt.Sprintf("answers[%d] %s", first+i, problem)
		}
		if _, is := b.isTotals(requested(&answers[i])); is {
			continue
		}
		for number, m := range b.newMapper().Try([]byte(answers[i].Body)) {
			all++
			if m.Record == nil || b.feed.Filter.By == "inserted" {
				continue
			}
			at := m.Record.Start
			if b.feed.Filter.By == "end" && !m.Record.End.IsZero() {
				at = m.Record.End
			}
			if at.Before(from) || at.After(to) {
				return fmt.Sprintf("answers[%d]: the %s of row %d is %s, outside of what was asked, %s to %s", first+i,
					b.feed.Filter.By, number,
					at.Format(time.RFC3339), from.Format(time.RFC3339), to.Format(time.RFC3339))
			}
		}
	}
	if all == 0 {
		return fmt.Sprintf("answers[%d]: no answer of the read has rows where the definition says", first)
	}
	return ""
}

// lacks says which number an answer doesn't have where the definition says; empty: none.
func (b *bench) lacks(a *declared.TestAnswer) string {
	var body any
	if b.feed.Format != "json" || a.Status > 299 || decode(string(a.Body), &body) != nil {
		return ""
	}
	numbers := map[string][]string{"total": b.feed.Total}
	if _, is := b.isTotals(requested(a)); is {
		t := b.feed.Totals
		numbers = map[string][]string{
			"totals.calls": t.Calls, "totals.charges": t.Charges,
			"totals.currency": t.Currency,
		}
	}
	for name, steps := range numbers {
		if _, found := valueAt(body, steps); steps != nil && !found {
			return fmt.Sprintf("has nothing at %s, which %s names", strings.Join(steps, "."), name)
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
