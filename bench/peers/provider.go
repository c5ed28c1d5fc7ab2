package main

import (
	"bytes"
	"fmt"
	"net/http"
	"regexp"
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

	mu     sync.Mutex
	rows   []row         // by start; guarded by mu
	ahead  time.Duration // of the machine's clock; guarded by mu
	served int           // rows; guarded by mu
}

func startProvider(d *day) (*provider, error) {
	p := &provider{rows: append([]row(nil), d.rows...)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{tenant}/v2.0/.well-known/openid-configuration", p.openID)
	mux.HandleFunc("POST /{tenant}/oauth2/v2.0/token", p.token)
	mux.HandleFunc("GET /v1.0/communications/callRecords/{call}", p.page)
	var err error
	p.Host, err = simulator.NewHost(time.Time{}, nil, mux, "")
	return p, err
}

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
	p.rows = append(p.rows[:at], append([]row{r}, p.rows[at:]...)...)
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

// asked matches the range of starts in the exporter's requests; To is excluded.
var asked = regexp.MustCompile(`^getDirectRoutingCalls\(fromDateTime=([^,]+),toDateTime=([^)]+)\)$`)

// page answers with up to 1000 rows, and a link to the next page.
func (p *provider) page(w http.ResponseWriter, r *http.Request) {
	call := r.PathValue("call")
	match := asked.FindStringSubmatch(call)
	if match == nil {
		http.Error(w, "unknown function", http.StatusBadRequest)
		return
	}
	from, fromErr := time.Parse(time.RFC3339Nano, match[1])
	to, toErr := time.Parse(time.RFC3339Nano, match[2])
	skip, _ := strconv.Atoi(r.URL.Query().Get("$skip"))
	if fromErr != nil || toErr != nil {
		http.Error(w, "unknown time", http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	first := skip + sort.Search(len(p.rows), func(i int) bool { return !p.rows[i].start.Before(from) })
	end := sort.Search(len(p.rows), func(i int) bool { return !p.rows[i].start.Before(to) })
	last := max(first, min(first+pageSize, end))
	next := ""
	if last < end {
		next = fmt.Sprintf(`,"@odata.nextLink":"https://%s/v1.0/communications/callRecords/%s?$skip=%d"`, r.Host, call,
			skip+pageSize)
	}
	p.served += last - first
	p.head(w)
	body := renderPage(p.rows[first:last], next)
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") { // as Graph does
		w.Header().Set("Content-Encoding", "gzip")
		body = simulator.Gzip(body)
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
