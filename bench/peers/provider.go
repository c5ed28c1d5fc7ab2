package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// provider is a Microsoft Graph with one day of rows. It costs little CPU time, because it only
// copies rows. Its clock can be moved ahead, which makes the exporter read the day again. It is
// safe for concurrent use.
type provider struct {
	*simulator.Host

	ca string // file of its certificate

	mu     sync.Mutex
	rows   []row         // by start; guarded by mu
	ahead  time.Duration // of the machine's clock; guarded by mu
	served int           // rows; guarded by mu
	later  []row         // of the next answer to Telegraf; guarded by mu

	asked    []request           // all requests for rows, in their order; guarded by mu
	distinct map[string]struct{} // ids of the rows served; guarded by mu
	// What Replay gives again; before is called with each. Both are set before the first.
	replay []request
	before func(request)
}

// request is a request for rows, and the provider's time.
type request struct {
	at   time.Time
	call string
	skip int
}

// startProvider starts a provider of rows for a peer in a folder, which it makes.
func startProvider(folder string, rows []row) (*provider, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	p := &provider{ca: filepath.Join(folder, "ca.pem"), rows: slices.Clone(rows), distinct: map[string]struct{}{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{tenant}/v2.0/.well-known/openid-configuration", p.openID)
	mux.HandleFunc("POST /{tenant}/oauth2/v2.0/token", p.token)
	mux.HandleFunc("GET /v1.0/communications/callRecords/{call}", p.page)
	mux.HandleFunc("GET /later", p.newRows)
	mux.HandleFunc("GET /next", p.next)
	var err error
	if p.Host, err = simulator.NewHost(time.Time{}, nil, mux); err != nil {
		return nil, err
	}
	if err = p.WriteCA(p.ca); err != nil {
		p.Close()
	}
	return p, err
}

// env says to a peer where the provider is.
func (p *provider) env() []string { return []string{"PEER_CA=" + p.ca, "PEER_GRAPH=" + p.BaseURL()} }

// advance moves the provider's clock ahead.
func (p *provider) advance(by time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ahead += by
}

// publish adds a row.
func (p *provider) publish(r row) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := sort.Search(len(p.rows), func(i int) bool { return p.rows[i].start.After(r.start) })
	p.rows = slices.Insert(p.rows, at, r)
}

// given is the number of rows served.
func (p *provider) given() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.served
}

// head sets the header of an answer. Its Date is the provider's time. The caller holds mu.
func (p *provider) head(w http.ResponseWriter) {
	w.Header().Set("Date", time.Now().Add(p.ahead).UTC().Format(http.TimeFormat))
	w.Header().Set("Content-Type", "application/json")
}

func (p *provider) openID(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.head(w)
	base := "https://" + r.Host + "/" + r.PathValue("tenant")
	fmt.Fprintf(w,
		`{"issuer":"%[1]s/v2.0","token_endpoint":"%[1]s/oauth2/v2.0/token",`+
			`"authorization_endpoint":"%[1]s/oauth2/v2.0/authorize"}`, base)
}

func (p *provider) token(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.head(w)
	fmt.Fprint(w,
		`{"token_type":"Bearer","expires_in":86399,"ext_expires_in":86399,"access_token":"peers.access.token"}`)
}

// span matches the range of starts in the exporter's requests; To is excluded.
var span = regexp.MustCompile(`^getDirectRoutingCalls\(fromDateTime=([^,]+),toDateTime=([^)]+)\)$`)

func (p *provider) page(w http.ResponseWriter, r *http.Request) {
	skip, _ := strconv.Atoi(r.URL.Query().Get("$skip"))
	p.mu.Lock()
	defer p.mu.Unlock()
	q := request{at: time.Now().Add(p.ahead), call: r.PathValue("call"), skip: skip}
	p.asked = append(p.asked, q)
	p.send(w, r, q)
}

// next answers the next request of a replay with what the provider showed at its time.
func (p *provider) next(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	replay, before := p.replay, p.before
	p.replay = replay[min(1, len(replay)):]
	p.mu.Unlock()
	if len(replay) == 0 {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	q := replay[0]
	before(q)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.send(w, r, q)
}

// send answers with up to 1000 rows, and a link to the next page. The caller holds mu.
func (p *provider) send(w http.ResponseWriter, r *http.Request, q request) {
	match := span.FindStringSubmatch(q.call)
	if match == nil {
		http.Error(w, "unknown function", http.StatusBadRequest)
		return
	}
	from, fromErr := time.Parse(time.RFC3339Nano, match[1])
	to, toErr := time.Parse(time.RFC3339Nano, match[2])
	if fromErr != nil || toErr != nil {
		http.Error(w, "unknown time", http.StatusBadRequest)
		return
	}
	first := sort.Search(len(p.rows), func(i int) bool { return !p.rows[i].start.Before(from) })
	rows, link, skip := make([]row, 0, pageSize), "", q.skip
	for i := first; i < len(p.rows) && p.rows[i].start.Before(to); i++ {
		switch {
		case !p.rows[i].shown(q.at):
		case skip > 0:
			skip--
		case len(rows) < pageSize:
			rows = append(rows, p.rows[i])
			p.distinct[p.rows[i].id] = struct{}{}
		default:
			link = fmt.Sprintf(`,"@odata.nextLink":"https://%s/v1.0/communications/callRecords/%s?$skip=%d"`, r.Host,
				q.call, q.skip+pageSize)
		}
		if link != "" {
			break
		}
	}
	p.served += len(rows)
	p.answer(w, r, rows, link)
}

// seen is the number of rows served, and of distinct ones.
func (p *provider) seen() (served, distinct int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.served, len(p.distinct)
}

// newRows answers with the rows that Telegraf gets after the day, once.
func (p *provider) newRows(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer(w, r, p.later, "")
	p.later = nil
}

// answer sends rows. The caller holds mu.
func (p *provider) answer(w http.ResponseWriter, r *http.Request, rows []row, next string) {
	p.head(w)
	body := renderPage(rows, next)
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") { // as Graph does
		w.Header().Set("Content-Encoding", "gzip")
		body = compressed(body)
	}
	_, _ = w.Write(body) // a client that disconnects sends the request again
}

// renderPage makes a page in Graph's form.
func renderPage(rows []row, next string) []byte {
	b := bytes.NewBuffer(make([]byte, 0, 800*len(rows)+200))
	fmt.Fprintf(b,
		`{"@odata.context":"https://graph.microsoft.com/v1.0/`+
			`$metadata#Collection(microsoft.graph.callRecords.directRoutingLogRow)",`+
			`"@odata.count":%d,"value":[`, len(rows))
	for i := range rows {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(rows[i].json)
	}
	b.WriteString("]" + next + "}")
	return b.Bytes()
}

// compressed is a body in gzip.
func compressed(body []byte) []byte {
	var b bytes.Buffer
	// A buffer never fails, and the level is valid.
	z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	_, _ = z.Write(body)
	_ = z.Close()
	return b.Bytes()
}
