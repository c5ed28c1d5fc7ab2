package laws

import (
	"cmp"
	"context"
	"encoding/base64"
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
		if problem := b.compare(r.word, r.becomes, &r.mapped); problem != "" {
			return v.broken("%s: %s", r.name, problem)
		}
	}
	if known == 0 {
		return v.unjudged("no rows in tests")
	}
	return v.held("%d rows", known)
}

// compare says how a row became something else; empty: it didn't.
func (b *bench) compare(word string, becomes map[string]string, m *rowmap.Result) string {
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
	currency := ""
	if slices.ContainsFunc(strings.Split(becomes["charges"], ","), hasCurrency) { // else the row has none
		currency = b.definition.CurrencyFor(b.values)
	}
	var all []string
	for _, u := range m.Unmapped {
		all = append(all, u.Field+" is unknown: no table has its value "+cdr.HideNumbers(u.Value))
	}
	all = append(all, differences(becomes, shown(m.Record, currency))...)
	if len(all) == 0 {
		return ""
	}
	return strings.Join(all[:min(3, len(all))], "; ")
}

// hasCurrency says whether a charge of tests names its currency.
func hasCurrency(charge string) bool { return len(strings.Fields(charge)) > 2 }

// judgeLimits compares the limits that the definition names with those of tests.
func (b *bench) judgeLimits() Verdict {
	v, t, f, most, own := Verdict{Feed: b.name, Law: "limits"}, b.tests, b.feed.Filter, b.feed.MaxRows, ""
	if lines := b.feed.Lines(); lines != nil {
		own = lines.Read
	}
	legs := b.feed.Map != "" || b.feed.Record.Group.IsSet() || b.feed.Record.Parent.IsSet()
	within := func(own, most time.Duration) bool { return 0 < own && own <= most }
	atMost := func(n any) string { return fmt.Sprint("at most ", n) }
	atLeast := func(n any) string { return fmt.Sprint("at least ", n) }
	known := 0
	for _, l := range []struct {
		key          string
		known, holds bool
		own          any
		want         string
	}{
		{"filter.by", t.By != "", f.By == t.By, f.By, t.By},
		{"filter.max_range", t.MaxRange > 0, within(f.MaxRange, t.MaxRange), f.MaxRange, atMost(t.MaxRange)},
		{"filter.retention", t.Retention > 0, within(f.Retention, t.Retention), f.Retention, atMost(t.Retention)},
		{"filter.retention", t.Retention > 0, f.Retention >= t.Retention*9/10, f.Retention, fmt.Sprint(t.Retention)},
		{"filter.min_age", t.MinAge > 0, f.MinAge >= t.MinAge, f.MinAge, atLeast(t.MinAge)},
		{"max_rows", t.MaxRows > 0, 0 < most && most <= t.MaxRows, most, atMost(t.MaxRows)},
		{"defaults.lookback", t.Delay > 0, b.info.Lookback >= t.Delay, b.info.Lookback, atLeast(t.Delay)},
		{"defaults.settle", t.Apart > 0 && legs, b.info.Settle >= t.Apart, b.info.Settle, atLeast(t.Apart)},
		{"files.read", t.Read != "" && own != "", own == t.Read, own, t.Read},
	} {
		switch {
		case b.info.ActiveCalls != nil || !l.known:
		case !l.holds:
			return v.broken("%s is %v, want %s", l.key, l.own, l.want)
		default:
			known++
		}
	}
	if known == 0 {
		return v.unjudged("tests name no limit")
	}
	return v.held("%d limits", known)
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
	words := map[string]int{"ignored": len(page.Ignored), "invalid": len(page.Invalid)}
	for _, record := range page.Records {
		if record.Provisional {
			words["open"]++
		}
	}
	for i, r := range wanted {
		if word := r.Becomes.Word; word != "" {
			if words[word]--; words[word] < 0 {
				return v.broken("rows[%d]: fewer rows of the query are %s than tests have", i, word)
			}
			continue
		}
		nearest, at := "", -1
		for j, record := range page.Records {
			problem := b.compare("", r.Becomes.Fields, &rowmap.Result{Record: record})
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

// judgeSeconds wants each row of the tables in a read of the very second by which the query filters.
func (b *bench) judgeSeconds(v Verdict) Verdict {
	if b.tests.By == "" || len(b.read.Records) == 0 {
		return v.unjudged("tests don't say which time the query filters by")
	}
	err := b.withTables(b.base, func(w world) error {
		for _, r := range b.read.Records {
			at := r.Start
			if b.filteredBy() == "end" && !r.End.IsZero() {
				at = r.End
			}
			at = at.Truncate(time.Second)
			page, err := b.readAll(w, at, at.Add(time.Second))
			if err != nil {
				return err
			}
			if !slices.ContainsFunc(page.Records, func(other *cdr.Record) bool { return other.ID == r.ID }) {
				return fmt.Errorf("a read of the second %s lacks the row of that %s", at.Format(time.RFC3339),
					b.filteredBy())
			}
		}
		return nil
	})
	if err != nil {
		return v.broken("%s", err)
	}
	return v.held("each of %d rows is in a read of its second", len(b.read.Records))
}

// readAll reads the rows of a database in a span.
func (b *bench) readAll(w world, from, to time.Time) (*collector.Page, error) {
	_, source, err := b.openSource(w.block(), time.Hour, collector.SourceSettings{
		Now: func() time.Time { return time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC) },
	})
	if err != nil {
		return nil, err
	}
	defer source.Close()
	all := new(collector.Page)
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
	case b.definition.SQL != nil && b.byTime():
		return b.judgeSeconds(v)
	case b.definition.HTTP == nil:
		return v.unjudged("nothing is asked over HTTP")
	case len(b.answers) == 0:
		return v.unjudged("no answers")
	}
	reads, rows := 0, 0
	for i := 0; i < len(b.answers); {
		end := i + 1
		for end < len(b.answers) && b.answers[end].Span.From.IsZero() {
			end++
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
		path = b.absolute(path)
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
	for name, want := range a.With {
		if user, is := strings.CutPrefix(want, "Basic "); is && strings.Contains(user, ":") {
			want = "Basic " + base64.StdEncoding.EncodeToString([]byte(user))
		}
		if got := r.Header.Get(name); got != want {
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
	span := answers[0].Span
	if span.From.IsZero() {
		return 0, fmt.Sprintf("answers[%d] has no span: the first answer of a read says which time was wanted, as "+
			"FROM/TO", first)
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
	for i := range answers {
		if problem := b.lacks(&answers[i]); problem != "" && !answers[i].AsksForToken() {
			return rows, fmt.Sprintf("answers[%d] %s", first+i, problem)
		}
		if _, is := b.isTotals(requested(&answers[i])); is || answers[i].AsksForToken() {
			continue
		}
		for number, m := range b.newMapper().Try([]byte(answers[i].Body)) {
			rows++
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
	}
	return rows, ""
}

// lacks says which number an answer doesn't have where the definition says, or which other one; empty: none.
func (b *bench) lacks(a *declared.TestAnswer) string {
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
