package push_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// posting is a definition whose records are posted.
const posting = `provider: acmetel
push: {field: cdr}
feeds:
  calls:
    ignore: {kind: fax}
    record:
      id: id
      start: {path: start, time: rfc3339}
      outcome: {path: state, table: {done: answered, busy: busy}}
      caller: from
`

const token = "t0ken-of-the-pbx"

// listener is the webhook of a source, and what it stored.
type listener struct {
	collector.NotificationObserver

	info     collector.FeedInfo
	handler  http.Handler
	pages    []*collector.Page
	tasks    []work.Item
	commit   error // of Commit
	enqueue  error // of Enqueue
	observed map[string]int
}

// Notifications implements collector.NotificationObserver.
func (l *listener) Notifications(result string, n int) { l.observed[result] += n }

// listen opens a source of posting.
func listen(t testing.TB, secret config.Secret) *listener {
	t.Helper()
	return listenTo(t, posting, secret)
}

// listenTo opens a source of a definition.
func listenTo(t testing.TB, definition string, secret config.Secret) *listener {
	t.Helper()
	d, err := declared.Load("acmetel.yaml", []byte(definition))
	require.NoError(t, err)
	p := declared.NewProvider(d)
	block := p.NewConfig().(*declared.Block)
	block.Secrets["token"], block.Feeds["calls"] = secret, declared.FeedBlock{}
	l := &listener{observed: make(map[string]int)}
	settings := collector.SourceSettings{Name: "pbx", Notified: l, Derive: func(purpose string) []byte {
		return append([]byte(purpose), make([]byte, 32)...)[:32]
	}}
	source, err := p.Open(block, settings)
	require.NoError(t, err)
	l.info = source.Feeds[0]
	l.handler = l.info.Webhook.Handler(collector.Inbox{
		Commit: func(_ context.Context, page *collector.Page) error {
			if l.commit == nil {
				l.pages = append(l.pages, page)
			}
			return l.commit
		},
		Enqueue: func(_ context.Context, tasks []work.Item) (int, error) {
			if l.enqueue == nil {
				l.tasks = append(l.tasks, tasks...)
			}
			return len(tasks), l.enqueue
		},
	})
	return l
}

// request is one that is taken; tests change it.
func request(body string, change func(*http.Request)) *http.Request {
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/push/pbx?uuid=1",
		strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	if change != nil {
		change(r)
	}
	return r
}

func (l *listener) answer(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	l.handler.ServeHTTP(w, r)
	return w
}

func zipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(text))
	if err = errors.Join(err, w.Close()); err != nil {
		panic(err)
	}
	return b.String()
}

const call = `{"id":"a","start":"2026-11-23T10:00:01Z","state":"done","from":"+4930901820"}`

func TestPush(t *testing.T) {
	form := func(kind string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Content-Type", kind) }
	}
	encoded := func(coding string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Content-Encoding", coding) }
	}
	authorized := func(value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", value) }
	}
	const urlencoded, coded, plain = "application/x-www-form-urlencoded; charset=utf-8",
		"application/x-www-form-base64-encoded", "application/x-www-form-plaintext"
	// A fault in a line, or in a list, doesn't refuse the others.
	const nan, quote = `{"id":"b","mos":NaN}`, `{"id":"c","from":"Eva 5" X"}`
	const cut = `{"id":"d","legs":[{"n":`
	refused := [3]int{0, 0, 1} // one row that can't be read
	// PostgreSQL's json_agg begins a line with each element.
	const listed = `{"id":"a","start":"2026-11-23T10:00:01Z","state":"done","legs":[{"n":1}, ` + "\n" + ` {"n":2}]}`
	for _, c := range []struct {
		name, body string
		change     func(*http.Request)
		status     int
		result     string
		// became is what the page has: records, ignored and invalid.
		became [3]int
	}{
		{"a record", call, nil, 204, "accepted", [3]int{1, 0, 0}},
		{"a record without a type", call, form(""), 204, "accepted", [3]int{1, 0, 0}},
		{"a form", "cdr=" + url.QueryEscape(call) + "&x=1", form(urlencoded), 204, "accepted", [3]int{1, 0, 0}},
		{
			"a form in Base64", "cdr=" + base64.StdEncoding.EncodeToString([]byte(call)) + "\n", form(coded), 204,
			"accepted",
			[3]int{1, 0, 0},
		},
		{
			"basic authentication", call, func(r *http.Request) { r.SetBasicAuth("any", token) }, 204, "accepted",
			[3]int{1, 0, 0},
		},
		{"ignored", `{"kind":"fax"}`, nil, 204, "accepted", [3]int{0, 1, 0}},
		{"invalid", `{"id":"a","start":"yesterday"}`, nil, 204, "accepted", [3]int{0, 0, 1}},
		{"another method", call, func(r *http.Request) { r.Method = http.MethodPut }, 405, "invalid", [3]int{}},
		{"no token", call, func(r *http.Request) { r.Header.Del("Authorization") }, 401, "forged", [3]int{}},
		{"a wrong token", call, authorized("Bearer " + token + "x"), 401, "forged", [3]int{}},
		{"another scheme", call, authorized("Digest " + token), 401, "forged", [3]int{}},
		{"a wrong password", call, func(r *http.Request) { r.SetBasicAuth(token, "x") }, 401, "forged", [3]int{}},
		{"a mebibyte", call + strings.Repeat(" ", 1<<20-len(call)), nil, 204, "accepted", [3]int{1, 0, 0}},
		{"more", call + strings.Repeat(" ", 1<<20), nil, 413, "invalid", refused},
		{"20,000 records", strings.Repeat("{}", 20_000), nil, 204, "accepted", [3]int{0, 0, 20_000}},
		{"a record more", strings.Repeat("{}", 20_001), nil, 413, "invalid", refused},
		{"a list of far more", "[" + strings.Repeat("{},", 300_000) + "{}]", nil, 413, "invalid", refused},
		{"a list with a record more", "[" + strings.Repeat("{},", 20_000) + "{}]", nil, 413, "invalid", refused},
		{"gzip", zipped(call), encoded("gzip"), 204, "accepted", [3]int{1, 0, 0}},
		{
			"gzip of a mebibyte", zipped(call + strings.Repeat(" ", 1<<20-len(call))), encoded("x-gzip"), 204,
			"accepted",
			[3]int{1, 0, 0},
		},
		{"gzip of more", zipped(call + strings.Repeat(" ", 1<<20)), encoded("GZIP"), 413, "invalid", refused},
		{"cut gzip", zipped(call)[:40], encoded("gzip"), 400, "invalid", refused},
		{"no gzip", call, encoded("gzip"), 400, "invalid", refused},
		{"another compression", call, encoded("zstd"), 415, "invalid", refused},
		{"no compression", call, encoded("identity"), 204, "accepted", [3]int{1, 0, 0}},
		{
			"a body that doesn't arrive", "",
			func(r *http.Request) { r.Body = io.NopCloser(iotest.ErrReader(os.ErrDeadlineExceeded)) }, 503, "refused",
			[3]int{},
		},
		{"nothing", "", nil, 400, "invalid", refused},
		{"a cut record", call[:20], nil, 400, "invalid", refused},
		{"a list", "[" + call + `, {"kind":"fax"}, 1]`, nil, 204, "accepted", [3]int{1, 1, 1}},
		{"records one after the other", call + "\n" + call, nil, 204, "accepted", [3]int{2, 0, 0}},
		{"form of a list", "cdr=" + url.QueryEscape("["+call+"]"), form(urlencoded), 204, "accepted", [3]int{1, 0, 0}},
		{"a bad line", call + "\n" + nan + "\r\n" + quote + "\n" + call + "\n", nil, 204, "accepted", [3]int{2, 0, 2}},
		{
			"records of two lines, from json_agg", strings.Repeat(listed+"\n", 2), nil, 204, "accepted",
			[3]int{2, 0, 0},
		},
		{"a bad line first", "\x1e{\"a\":{}\n\n" + call + "\n" + nan, nil, 204, "accepted", [3]int{1, 0, 2}},
		{"a line that was cut", call + "\n" + cut + "\n" + call, nil, 204, "accepted", [3]int{2, 0, 1}},
		{"cut lines", cut + "\n" + cut + "\n" + call + "\n" + call[:20] + "\n", nil, 204, "accepted", [3]int{1, 0, 3}},
		{"the end of a line", call[20:] + "\n" + call + "\n" + call[20:], nil, 204, "accepted", [3]int{1, 0, 2}},
		{
			"a line that was cut, and its end", cut + "\n" + call + "\n" + call[20:] + "\n" + call, nil, 204,
			"accepted",
			[3]int{2, 0, 2},
		},
		{"lines of which the last one is cut", call + "\n" + call + "\n" + cut, nil, 400, "invalid", refused},
		{"a bad record of a list", "[" + nan + ",\n" + call + "]", nil, 204, "accepted", [3]int{1, 0, 1}},
		{"nothing but bad lines", nan + "\n" + quote + "\n", nil, 400, "invalid", refused},
		{"nothing but a bad record in a list", "[" + nan + "]", nil, 400, "invalid", refused},
		{"a list with a quote too many", "[" + call + "," + quote + "," + call + "]", nil, 400, "invalid", refused},
		{"a cut list", "[" + call + "," + call, nil, 400, "invalid", refused},
		{"a bad record and words", call + "\nnot found", nil, 400, "invalid", refused},
		{"a plain form", "cdr=" + call, form(plain), 204, "accepted", [3]int{1, 0, 0}},
		{"a plain form without the field", call, form(plain), 204, "accepted", [3]int{1, 0, 0}},
		{
			"a form in capitals whose charset has no name", "cdr=" + url.QueryEscape(call),
			form("APPLICATION/X-WWW-FORM-URLENCODED ; charset"), 204,
			"accepted",
			[3]int{1, 0, 0},
		},
		{"an empty list", "[]", nil, 400, "invalid", refused},
		{"a record and a cut one", call + call[:20], nil, 400, "invalid", refused},
		{"a record and the first lines of a cut one", call + "{\n \"id\":\n", nil, 400, "invalid", refused},
		{"a record and the first blanks of a cut one", call + "{\n  ", nil, 400, "invalid", refused},
		{"a list and no record", "[" + call + "]1", nil, 400, "invalid", refused},
		{"a number", "1", nil, 400, "invalid", refused},
		{"a form as JSON", "cdr=" + url.QueryEscape(call), nil, 400, "invalid", refused},
		{
			"a form with two records", "cdr=" + url.QueryEscape(call) + "&cdr=" + url.QueryEscape(call),
			form(urlencoded), 400, "invalid",
			refused,
		},
		{"no form", "cdr=%zz", form(urlencoded), 400, "invalid", refused},
		{"another field", "xml=1", form(urlencoded), 400, "invalid", refused},
		{"another field in Base64", "xml=1", form(coded), 400, "invalid", refused},
		{"no Base64", "cdr=%%%", form(coded), 400, "invalid", refused},
		{
			"Base64 and more", "cdr=" + base64.StdEncoding.EncodeToString([]byte(call)) + "%", form(coded), 400,
			"invalid",
			refused,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := listen(t, config.NewSecret(token))
			w := l.answer(request(c.body, c.change))
			if w.Code != c.status || l.observed[c.result] != 1 || len(l.observed) != 1 {
				t.Errorf("got %d %s, counted %v", w.Code, w.Body, l.observed)
			}
			var became [3]int
			for _, p := range l.pages {
				became = [3]int{len(p.Records), len(p.Ignored), len(p.Invalid)}
			}
			if became != c.became || len(l.tasks) > 0 {
				t.Errorf("committed %v, %d tasks", became, len(l.tasks))
			}
			if says := w.Body.String(); (says == "") != (c.status == http.StatusNoContent) ||
				strings.Contains(says, "+4930") || strings.Contains(says, "no list") ||
				w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("it says %q, %v", says, w.Header())
			}
		})
	}
}

// TestPushStores: nothing is acknowledged before it is durable, here or for the replica that reads
// the feed, which finds no number in the ledger.
func TestPushStores(t *testing.T) {
	broken := errors.New("the disk is full")
	for _, c := range []struct {
		name            string
		commit, enqueue error
		status, tasks   int
	}{
		{"here", nil, broken, 204, 0},
		{"not at all", broken, nil, 503, 0},
		{"elsewhere", collector.ErrReadElsewhere, nil, 204, 1},
		{"nowhere", collector.ErrReadElsewhere, broken, 503, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := listen(t, config.NewSecret(token))
			l.commit, l.enqueue = c.commit, c.enqueue
			if w := l.answer(request(call, nil)); w.Code != c.status ||
				(w.Header().Get("Retry-After") != "") != (c.status == 503) || len(l.tasks) != c.tasks {
				t.Errorf("got %d, %d tasks", w.Code, len(l.tasks))
			}
			refused := 400
			if c.status == 503 {
				refused = 503
			}
			l.tasks = nil
			if w := l.answer(request(call[:20], nil)); w.Code != refused || len(l.tasks) != c.tasks {
				t.Errorf("a body without a record got %d, %d tasks", w.Code, len(l.tasks))
			}
			if p := l.info.Posted(l.tasks); len(p.Records) > 0 || len(p.Invalid) != c.tasks {
				t.Errorf("a body without a record became %+v", p)
			}
		})
	}
	l := listen(t, config.NewSecret(token))
	l.commit = collector.ErrReadElsewhere
	for _, body := range []string{call, call, strings.Replace(call, `"a"`, `"b"`, 1)} {
		l.answer(request(body, nil))
	}
	a, again, b := l.tasks[0], l.tasks[1], l.tasks[2]
	if a.Key != again.Key || a.Key == b.Key || a.Kind != again.Kind {
		t.Errorf("the same record has the names %q and %q, another one %q", a.Key, again.Key, b.Key)
	}
	for _, text := range []string{a.Data, a.Key} {
		decoded, _ := base64.StdEncoding.DecodeString(text)
		if strings.Contains(text, "+4930901820") || bytes.Contains(decoded, []byte("4930901820")) {
			t.Errorf("a task holds a number: %q", text)
		}
	}
	both := listen(t, config.NewSecret(token))
	both.commit = collector.ErrReadElsewhere
	both.answer(request(call+"\n{\"id\":\"\x1e\"}\n{\"id\":NaN}\n"+strings.Replace(call, `"a"`, `"b"`, 1), nil))
	both.answer(request("["+call+`, "text", [], `+strings.Replace(call, `"a"`, `"b"`, 1)+"]", nil))
	if len(both.tasks) != 2 {
		t.Fatalf("two bodies became %d tasks", len(both.tasks))
	}
	if p := l.info.Posted(both.tasks); len(p.Records) != 4 || p.Records[1].ID != "b" || len(p.Invalid) != 4 {
		t.Errorf("a text of lines and a list became %+v", p)
	}
	damaged := b
	damaged.Data = a.Data[:20] + b.Data[20:] // another nonce
	page := l.info.Posted([]work.Item{a, damaged, {Key: "c", Data: "?"}})
	if len(page.Records) != 1 || page.Records[0].CallerNumber != "+4930901820" || len(page.Invalid) != 2 {
		t.Errorf("the tasks became %d records, and %d rows that can't be read", len(page.Records), len(page.Invalid))
	}
}

// TestPushToken: the file is read for each request; without a token nobody is let in.
func TestPushToken(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	l := listen(t, config.NewSecretFile(file))
	if w := l.answer(request(call, nil)); w.Code != http.StatusServiceUnavailable {
		t.Errorf("without a file: got %d", w.Code)
	}
	require.NoError(t, os.WriteFile(file, []byte(token+"\n"), 0o600))
	if w := l.answer(request(call, nil)); w.Code != http.StatusNoContent {
		t.Errorf("with the file: got %d", w.Code)
	}
	empty := listen(t, config.NewSecret(""))
	if w := empty.answer(request(call, func(r *http.Request) {
		r.SetBasicAuth("",
			"")
	})); w.Code != http.StatusUnauthorized {
		t.Errorf("an empty token: got %d", w.Code)
	}
}

func TestPushFeed(t *testing.T) {
	l := listen(t, config.NewSecret(token))
	i := l.info
	if !i.Rules.ByArrival || !i.IsPostedOnly() || i.Webhook.Path != "/push/pbx" || !i.Webhook.NeedsTLS ||
		i.Fingerprint != "acmetel calls" {
		t.Errorf("the feed is %+v", i)
	}
}

// FuzzPush: whatever is posted, it becomes rows and is answered with 204, or one invalid row and is refused.
func FuzzPush(f *testing.F) {
	f.Add("application/json", []byte(call))
	f.Add("application/x-www-form-urlencoded", []byte("cdr="+url.QueryEscape(call)))
	f.Add("application/x-www-form-base64-encoded", []byte("cdr="+base64.StdEncoding.EncodeToString([]byte(call))))
	f.Add("application/x-www-form-urlencoded", []byte("cdr=%7B%22id%22"))
	f.Add("x;=", []byte(`{"id":{"a":[]},"kind":null}`))
	l := listen(f, config.NewSecret(token))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		l.pages = nil
		w := l.answer(request(string(body), func(r *http.Request) { r.Header.Set("Content-Type", kind) }))
		page := l.pages[0]
		valid := len(page.Records) + len(page.Ignored)
		switch w.Code {
		case http.StatusNoContent:
			if valid+len(page.Invalid) == 0 {
				t.Error("no row of an accepted body")
			}
		case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
			if valid > 0 || len(page.Invalid) != 1 {
				t.Errorf("a refused body became %+v", page)
			}
		default:
			t.Errorf("got %d", w.Code)
		}
	})
}

// TestFormWithoutAField: the answer to a form says what the definition lacks, if it lacks that.
func TestFormWithoutAField(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	for _, c := range []struct {
		push, kind, body string
		lacks            bool
	}{
		{"{}", form, "id=1&state=done", true},
		{"{}", "text/plain", "id=1&state=done", false},
		{"{field: cdr}", form, "cdr=1", false},
	} {
		l := listenTo(t, strings.Replace(posting, "{field: cdr}", c.push, 1), config.NewSecret(token))
		w := l.answer(request(c.body, func(r *http.Request) { r.Header.Set("Content-Type", c.kind) }))
		if w.Code != http.StatusBadRequest || strings.Contains(w.Body.String(), "push.field") != c.lacks {
			t.Errorf("%s of %s with push %s: %d %s", c.body, c.kind, c.push, w.Code, w.Body)
		}
	}
}

// TestPostedRows: with rows in the definition, records are there.
func TestPostedRows(t *testing.T) {
	other := strings.Replace(call, `"a"`, `"b"`, 1)
	for _, c := range []struct {
		name, body, says string
		records          int
	}{
		{"a list of two", `{"event":"ended","calls":[` + call + `,` + other + `]}`, "", 2},
		{"two documents", `{"calls":[` + call + `]}{"calls":[` + other + `]}`, "", 2},
		{
			"damaged lines", `{"calls":[` + call + `]}` + "\n" + `{"at":NaN,"calls":[]}` + "\n" + `{"calls":[` + "\n" +
				`{"calls":[{"id":NaN},` + other + `]}`, "", 2,
		},
		{"no list", call, "the body has no list at calls", 0},
		{"two lists", `{"calls":[],"calls":[]}`, "the body has no list at calls, the feed's rows, or two", 0},
		{"an empty list", `{"calls":[]}`, "the body must be a record", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := listenTo(t, strings.Replace(posting, "    ignore:", "    rows: calls\n    ignore:", 1),
				config.NewSecret(token))
			w, records := l.answer(request(c.body, nil)), 0
			for _, p := range l.pages {
				records += len(p.Records)
			}
			if !strings.Contains(w.Body.String(), c.says) || records != c.records || (w.Code == 204) != (c.says == "") {
				t.Errorf("%d %s, %d records", w.Code, w.Body, records)
			}
		})
	}
}

// TestPostedTwins: records without an id that say the same are as many calls as a body has of them, here and elsewhere.
func TestPostedTwins(t *testing.T) {
	l := listenTo(t, strings.Replace(posting, "      id: id\n", "", 1), config.NewSecret(token))
	other := strings.Replace(call, "+4930901820", "+4930901821", 1)
	for _, l.commit = range []error{nil, collector.ErrReadElsewhere} {
		for _, body := range []string{call + other + call, call} {
			if w := l.answer(request(body, nil)); w.Code != http.StatusNoContent {
				t.Fatalf("got %d %s", w.Code, w.Body)
			}
		}
	}
	var twins []int
	for _, page := range append(l.pages, l.info.Posted(l.tasks)) {
		for _, r := range page.Records {
			twins = append(twins, r.Twin)
		}
	}
	if !slices.Equal(twins, []int{0, 0, 1, 0, 0, 0, 1, 0}) {
		t.Errorf("the records are the twins %v", twins)
	}
}

// TestPostedXML: a body has rows of XML.
func TestPostedXML(t *testing.T) {
	const call = `<?xml version="1.0"?><cdr><id>1</id><start>2026-11-23T12:00:00Z</start><state>done</state></cdr>`
	for _, c := range []struct {
		name, kind, body string
		status           int
		says             string
	}{
		{"a document", "text/xml", call, http.StatusNoContent, ""},
		{"a form", "application/x-www-form-urlencoded", "cdr=" + url.QueryEscape(call), http.StatusNoContent, ""},
		{"within another element", "text/xml", "<l>" + call[21:] + "</l>", http.StatusNoContent, ""},
		{"two rows", "text/xml", "<l>" + call[21:] + call[21:] + "</l>", http.StatusNoContent, ""},
		{
			"20,001 rows", "text/xml", "<l>" + strings.Repeat("<cdr/>", 20_001) + "</l>",
			http.StatusRequestEntityTooLarge,
			"more than 20,000 records",
		},
		{"no row", "text/xml", "<l/>", http.StatusBadRequest, "the body must have a record: an XML element"},
		{"JSON", "application/json", `{"id":"1"}`, http.StatusBadRequest, "it isn't XML"},
		{"cut", "text/xml", call[:40], http.StatusBadRequest, "it isn't valid XML"},
		{
			"a long value", "text/xml",
			`<?xml version="1.0" encoding="ISO-8859-1"?><cdr><x>` + strings.Repeat("\xe4", 1<<19+9) + "</x></cdr>",
			http.StatusBadRequest, "the record can't be read: ",
		},
		{"a DTD", "text/xml", "<!DOCTYPE x>" + call[21:], http.StatusBadRequest, "it has a DTD"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := listenTo(t, strings.NewReplacer("{field: cdr}", "{field: cdr, format: xml}", "    ignore:",
				"    rows: cdr\n    ignore:").Replace(posting), config.NewSecret(token))
			w := l.answer(request(c.body, func(r *http.Request) { r.Header.Set("Content-Type", c.kind) }))
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) {
				t.Errorf("%d %s, want %d %s", w.Code, w.Body, c.status, c.says)
			}
			page := l.pages[0]
			want := [2]int{0, 1} // valid and invalid records
			if c.says == "" {
				want = [2]int{strings.Count(c.body, "%3Cid%3E") + strings.Count(c.body, "<id>"), 0}
			}
			got := [2]int{len(page.Records), len(page.Invalid)}
			if got != want || got[0] > 0 && page.Records[0].ID != "1" {
				t.Errorf("the page %+v", page)
			}
		})
	}
}
