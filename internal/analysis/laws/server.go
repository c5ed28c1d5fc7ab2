package laws

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/web"
)

// world is the provider of a run.
type world interface {
	http.RoundTripper
	// block are the keys of the source's block by which the provider is found.
	block() map[string]any
	// show makes the rows of the run the ones that the provider has.
	show() error
	// close removes what lies outside of the run's folder.
	close() error
}

// newWorld makes the provider of a run, with a folder for its files.
func (r *run) newWorld(path string) world {
	switch {
	case r.definition.HTTP != nil:
		return &server{run: r}
	case r.feed.Lines() != nil && !r.script.posted:
		return &folder{run: r, path: path, written: make(map[*row]bool)}
	case r.definition.SQL != nil:
		return r.newDatabase(path)
	}
	return &poster{run: r, posted: make(map[*row]bool)}
}

// fault is what requests for some pages get in place of an answer.
type fault struct {
	kind  string
	from  int // the first page, from 0, in the order in which they are first asked for
	pages int // so many pages
	each  int // how often each is refused
}

// server is a provider over HTTP. Nothing leaves the process: it stands in the place of the network.
type server struct {
	*run

	rows  []*row // that it lists: those that are shown, until `between` changes them
	mu    sync.Mutex
	asked map[string][2]int // of each page its number, and how often the exporter asked for it
}

func (*server) block() map[string]any { return nil }

func (*server) close() error { return nil }

func (s *server) show() error {
	s.rows = s.shown
	return nil
}

// RoundTrip implements http.RoundTripper.
func (s *server) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance(time.Microsecond) // an answer takes time: a row may come while a list is read
	body := bodyOf(r)
	if token := s.token(r); token != nil {
		return token, nil
	}
	if r.URL.Host != s.host {
		s.wrong = append(s.wrong, "a request went to "+r.URL.Host)
		return answer(r, http.StatusNotFound, nil, "{}"), nil
	}
	if day, is := s.isTotals(r.URL); is {
		return answer(r, http.StatusOK, nil, s.totals(day)), nil
	}
	if names := s.listOfNames(r, body); names != nil {
		return names, nil
	}
	return s.list(r, body), nil
}

// token answers a request for a token of OAuth 2.0, or to end its session; nil: it is another request.
func (b *bench) token(r *http.Request) *http.Response {
	if b.definition.HTTP.Auth.OAuth2 == nil {
		return nil
	}
	o := b.definition.HTTP.Auth.OAuth2
	at, err := url.Parse(language.Expand(o.TokenURL, b.values))
	if err == nil && r.URL.Path == at.Path && (at.Host == "" || at.Host == r.URL.Host) {
		return answer(r, http.StatusOK, nil, `{"access_token":"`+accessToken+
			`","token_type":"bearer","expires_in":3600,"refresh_token":"`+nextRefreshToken+`"}`)
	}
	if o.RevokeURL != "" && r.URL.Path == b.absolute(o.RevokeURL) {
		return answer(r, http.StatusOK, nil, "")
	}
	return nil
}

// absolute is a path from the host, as links are: one without a slash begins at the path of base_url.
func (b *bench) absolute(path string) string {
	if strings.HasPrefix(path, "/") {
		return path
	}
	return b.basePath + "/" + path
}

// bodyOf is the body of a request.
func bodyOf(r *http.Request) []byte {
	if r.Body == nil {
		return nil
	}
	body, _ := io.ReadAll(r.Body) // it lies in memory
	return body
}

func answer(r *http.Request, status int, header http.Header, body string) *http.Response {
	if header == nil {
		header = http.Header{}
	}
	if header.Get("Content-Type") == "" {
		header.Set("Content-Type", "application/json")
	}
	return &http.Response{
		StatusCode: status, Status: fmt.Sprint(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header,
		Request: r,
		Body:    io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}

// list answers a request for a page.
func (s *server) list(r *http.Request, body []byte) *http.Response {
	list := &s.feed.List
	asked, problem := s.parse(list, r, body)
	if problem != "" && s.counter != nil {
		list = s.counter
		asked, problem = s.parse(list, r, body)
	}
	if problem == "" {
		problem = s.tooFar(&asked)
	}
	if problem != "" {
		s.wrong = append(s.wrong, problem)
		return answer(r, http.StatusBadRequest, nil, `{"error":"bad request"}`)
	}
	kind := s.refusal(r.URL.RequestURI() + string(body))
	switch kind {
	case "429":
		return answer(r, http.StatusTooManyRequests, http.Header{"Retry-After": {"0"}}, `{"error":"too many requests"}`)
	case "500":
		return answer(r, http.StatusInternalServerError, nil, `{"error":"internal"}`)
	case "html":
		return answer(r, http.StatusOK, http.Header{"Content-Type": {"text/html"}}, "<html>Sign in</html>")
	case "empty":
		return answer(r, http.StatusOK, nil, "")
	}
	var matching []*row
	distinct := make(map[string]bool)
	for _, row := range s.rows {
		at := row.at
		if s.filteredBy() == "inserted" {
			at = s.appeared[row]
		}
		if asked.has(row, at) {
			matching = append(matching, row)
			distinct[row.key] = true
		}
	}
	all := len(distinct)
	if most := s.feed.MaxRows; most > 0 {
		matching = matching[:min(len(matching), most)]
	}
	size := cmp.Or(s.script.page, len(matching), 1)
	if s.settles && (s.script.fault != nil || s.script.kill != nil) { // what fails is over
		size = max(len(matching), 1)
	}
	// A page of as many rows as the definition asks for would need another one behind it.
	size = min(size, max(cmp.Or(list.PageSize(s.values), web.RoundPage)-1, 1))
	from := min(asked.page*size, len(matching))
	if s.feed.Next.Offset != "" {
		from = min(asked.page, len(matching))
	}
	to := min(from+size, len(matching))
	if !s.pages() {
		from, to = 0, len(matching)
	}
	page, more := matching[from:to], to < len(matching)
	if list == s.counter {
		page, more = nil, false
	}
	if s.script.overlap && from > 0 && len(page) > 0 {
		page = append([]*row{matching[from-1]}, page...)
	}
	// Rows change once the first of them was on a page: a row that no page had isn't missed.
	if between := s.script.between; between != nil && asked.page == 0 && slices.Contains(page, s.rows[0]) {
		s.rows, s.script.between = between(s.rows), nil
	}
	if kind == "total" {
		all++
	}
	header, text := s.render(list, r, page, all, asked.page, more, kind == "host")
	if kind == "cut" {
		text = text[:len(text)*2/3]
	}
	if kind == "cut" && list.Format == "csv" { // nobody sees that the last value of a line is cut
		text = text[:max(0, strings.LastIndexByte(text, ','))]
	}
	return answer(r, http.StatusOK, header, text)
}

// refusal is the kind of fault that a request for a page gets; empty: none.
func (s *server) refusal(page string) string {
	if s.asked == nil {
		s.asked = make(map[string][2]int)
	}
	asked, again := s.asked[page]
	if !again {
		asked[0] = len(s.asked)
	}
	asked[1]++
	s.asked[page] = asked
	if f := s.script.fault; f != nil && asked[0] >= f.from && asked[0] < f.from+f.pages && asked[1] <= f.each {
		return f.kind
	}
	return ""
}

// tooFar says how a request asks for more than the provider answers; empty: it doesn't.
func (s *server) tooFar(q *request) string {
	t := s.tests
	switch {
	case q.from.IsZero() || q.to.IsZero():
	case t.MaxRange > 0 && q.to.Sub(q.from) > t.MaxRange:
		return fmt.Sprintf("it asks for %s at once, and the provider answers %s at most", q.to.Sub(q.from), t.MaxRange)
	case t.Retention > 0 && q.from.Before(s.now().Add(-t.Retention)):
		return fmt.Sprintf("it asks for %s, and the provider keeps rows for %s", q.from.Format(time.RFC3339),
			t.Retention)
	}
	return ""
}

// request is what a request asks for.
type request struct {
	from, to time.Time // both zero: everything
	of       map[string]string
	starts   []part // of from
	stops    []part // of to
	page     int    // from 0; for an offset the rows before it
}

// part is a part of an end of the span, such as its year: what the request has, and in which form.
type part struct{ text, form string }

// has says whether the request wants a row whose time is at.
func (q *request) has(r *row, at time.Time) bool {
	for key, value := range r.of {
		if asked, is := q.of[key]; is && asked != value {
			return false
		}
	}
	return q.from.IsZero() && q.to.IsZero() || !at.Before(q.from) && (q.to.IsZero() || at.Before(q.to))
}

var placeholder = regexp.MustCompile(`\{(from|to)\|([^}]+)\}|\{for\.([a-z0-9_]+)\}`)

// parse reads a request as the definition writes it.
func (b *bench) parse(list *web.List, r *http.Request, body []byte) (q request, problem string) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return q, "the query can't be read: " + r.URL.RawQuery
	}
	var document any
	if len(body) > 0 {
		if err := decode(string(body), &document); err != nil {
			return q, "the body isn't JSON"
		}
	}
	q.of = make(map[string]string)
	for _, t := range list.Request.Templates() {
		template := language.Expand(t.Text, b.values)
		var text string
		switch t.Steps[0] {
		case "path":
			text = r.URL.Path
			template, _ = url.PathUnescape(b.absolute(template))
		case "query":
			text = query.Get(t.Steps[1])
		default:
			value, _ := valueAt(document, t.Steps[1:])
			if _, isList := value.([]any); isList || value == nil && !placeholder.MatchString(template) {
				continue // a parameter that is a list, or a header: the law answers compares it
			}
			text = fmt.Sprint(value)
		}
		if strings.HasPrefix(text, pageToken) {
			continue // the token of a page stands in place of what the definition asks for first
		}
		if problem := q.read(template, text); problem != "" {
			return q, fmt.Sprintf("%s of the request is %q, and the definition says %q", strings.Join(t.Steps, "."),
				text, template)
		}
	}
	if step := list.Filter.Step; step > 0 && q.to.IsZero() { // the last day is the first one
		q.to = q.from.Add(step)
	}
	n := &list.Next
	parameter := map[bool]string{true: "kit_page", false: n.Query + n.Page + n.Offset}[n.URL != nil || n.Link != ""]
	text := query.Get(parameter)
	if n.In == "body" {
		value, _ := valueAt(document, strings.Split(parameter, "."))
		text = map[bool]string{true: "", false: fmt.Sprint(value)}[value == nil]
	}
	number, isToken := strings.CutPrefix(text, pageToken)
	if _, asked := list.Request.Query[parameter]; text == "" || asked && !isToken {
		return q, ""
	}
	text = number
	if q.page, err = strconv.Atoi(text); err != nil {
		return q, fmt.Sprintf("%s of the request is %q, which isn't a page that the provider gave", parameter, text)
	}
	if n.Page != "" {
		q.page -= n.From
	}
	return q, ""
}

// read reads the values that a template names.
func (q *request) read(template, text string) (problem string) {
	pattern, names := "", [][]string{}
	rest := template
	for {
		at := placeholder.FindStringSubmatchIndex(rest)
		if at == nil {
			break
		}
		found := placeholder.FindStringSubmatch(rest)
		pattern += regexp.QuoteMeta(rest[:at[0]]) + "(.+?)"
		names = append(names, found)
		rest = rest[at[1]:]
	}
	groups := regexp.MustCompile("^" + pattern + regexp.QuoteMeta(rest) + "$").FindStringSubmatch(text)
	if groups == nil {
		return "differs"
	}
	for i, name := range names {
		if name[3] != "" {
			q.of[name[3]] = groups[i+1]
			continue
		}
		if _, problem := language.ParseTime(groups[i+1], name[2], time.UTC); problem != "" {
			return "isn't a time"
		}
		if p := (part{groups[i+1], name[2]}); name[1] == "from" {
			q.starts = append(q.starts, p)
		} else {
			q.stops = append(q.stops, p)
		}
	}
	q.from, q.to = joined(q.starts), joined(q.stops)
	return ""
}

// joined is the time of an end that a request has in parts, such as its day and its time of day. If parts have a form
// such as unix, which isn't a layout, the last one is the whole time.
func joined(parts []part) time.Time {
	text, form := "", ""
	for _, p := range parts {
		text, form = text+" "+p.text, form+" "+p.form
	}
	whole, problem := language.ParseTime(text, form, time.UTC)
	if problem != "" {
		last := parts[len(parts)-1]
		whole, _ = language.ParseTime(last.text, last.form, time.UTC)
	}
	return whole
}

const pageToken = "kit"

// render writes a page as the provider's answers are.
func (b *bench) render(
	list *web.List, r *http.Request, page []*row, all, number int, more, elsewhere bool,
) (http.Header, string) {
	header := http.Header{}
	next := ""
	n := &list.Next
	if more {
		switch {
		case n.Token != nil:
			next = pageToken + strconv.Itoa(number+1)
		case n.URL != nil, n.Link != "":
			u := *r.URL
			query := u.Query()
			query.Set("kit_page", strconv.Itoa(number+1))
			u.RawQuery = query.Encode()
			if elsewhere {
				u.Host = "elsewhere.example"
			}
			if next = u.String(); b.relative && !elsewhere {
				next = u.RequestURI()
			}
		}
	}
	if n.Link != "" && next != "" {
		header.Set("Link", "<"+next+`>; rel="`+n.Link+`"`)
	}
	texts := make([]string, len(page))
	for i, row := range page {
		texts[i] = row.text
	}
	if kind := map[string]string{"jsonl": "application/x-ndjson", "csv": "text/csv"}[list.Format]; kind != "" {
		header.Set("Content-Type", kind)
		return header, b.document(texts)
	}
	envelope := b.last
	if more {
		envelope = b.followed
	}
	var body any
	_ = decode(cmp.Or(envelope, b.last, b.followed, "null"), &body) // they were answers' bodies
	rows := make([]json.RawMessage, len(texts))
	for i, text := range texts {
		rows[i] = json.RawMessage(text)
	}
	body = replace(body, list.Rows, rows, false)
	if list.Total != nil {
		body = replace(body, list.Total, all, false)
	}
	at := slices.Concat(n.URL, n.Token) // it has one of them
	switch {
	case at == nil || !more && b.last != "":
	case more:
		body = replace(body, at, next, false)
		if has, _ := valueAt(body, n.Has); n.Has != nil && isEmpty(has) {
			body = replace(body, n.Has, true, false)
		}
	case n.Has != nil:
		body = replace(body, n.Has, nil, true)
	default:
		body = replace(body, at, nil, false)
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(body); err != nil { // a damaged row isn't JSON
		return header, ""
	}
	return header, text.String()
}

func lines(texts []string) string {
	if len(texts) == 0 {
		return ""
	}
	return strings.Join(texts, "\n") + "\n"
}

// totals answers with the provider's own total of a day.
func (s *server) totals(day time.Time) string {
	n := 0
	for _, r := range s.rows {
		if r.counts() && !r.at.Before(day) && r.at.Before(day.Add(24*time.Hour)) {
			n++
		}
	}
	return encode(replace(nil, s.feed.Totals.Calls, n, false))
}

// isTotals says whether an address gives the provider's own total of a day, and of which.
func (b *bench) isTotals(u *url.URL) (day time.Time, is bool) {
	if b.feed.Totals == nil {
		return day, false
	}
	path := b.absolute(language.Expand(b.feed.Totals.Request.Path[0], b.values))
	q := request{of: make(map[string]string)}
	if q.read(path, u.Path) != "" {
		return day, false
	}
	for key, template := range b.feed.Totals.Request.Query {
		if q.read(language.Expand(template, b.values), u.Query().Get(key)) != "" {
			return day, false
		}
	}
	return q.from, true
}
