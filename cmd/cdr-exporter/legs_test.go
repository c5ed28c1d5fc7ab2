package main_test

import (
	"database/sql"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"gopkg.in/yaml.v3"
)

// legsCase are rows of a provider, and what must be counted of them: each of `want` once for each copy.
type legsCase struct {
	Name, Way, Source, Header, Rows string
	Want                            []string
}

const (
	copies = 4
	// legsSettle is longer than it takes to kill an exporter that has read something.
	legsSettle = 6 * time.Second
)

// TestLegs (counting.md 36): the rows of calls come shuffled, over pages, with a downtime longer
// than `settle`, an outage of the provider and kill -9 between them. They count as if all had come
// at once. Legs, money and attempts on trunks are counted immediately.
func TestLegs(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/legs.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var cases []legsCase
	if err := yaml.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		name, _, _ := strings.Cut(c.Name, ",")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.run(t)
		})
	}
}

func (c *legsCase) run(t *testing.T) {
	s := newSite(t)
	p := newRowProvider(t, s, c)
	config := p.configure(c)
	launched := launch{config: config}
	rows := p.rows(c)
	rng := rand.New(rand.NewPCG(uint64(len(c.Rows)), 1))
	rng.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	x := start(t, s.vault, launched).ready()
	p.publish(rows[:len(rows)/3])
	eventually(t, "read something", func() error {
		if x.scrape().sum("cdr_exporter_rows_total", "result=new") == 0 {
			return errors.New("nothing was read")
		}
		return nil
	})
	x.kill()
	<-time.After(legsSettle + time.Second)
	p.publish(rows[len(rows)/3 : len(rows)/2])
	if p.server == nil { // a file can't fail
		p.publish(rows[len(rows)/2:])
		x = start(t, s.vault, launched).serving()
	} else {
		p.fail(true)
		x = start(t, s.vault, launched).serving()
		<-time.After(legsSettle + time.Second)
		p.publish(rows[len(rows)/2:])
		p.fail(false)
	}
	want := c.want()
	legs := float64(0)
	for _, w := range want {
		_, _ = fmt.Sscanf(w, "legs %g", &legs)
	}
	// These don't wait for their call.
	var early []string
	for _, w := range want {
		if strings.HasPrefix(w, "legs ") || strings.HasPrefix(w, "paid ") || strings.HasPrefix(w, "failed attempts ") {
			early = append(early, w)
		}
	}
	for range 2 {
		eventually(t, "read every leg", func() error {
			if got := x.scrape().sum("cdr_call_legs_total"); got != legs {
				return fmt.Errorf("%g legs were read, want %g", got, legs)
			}
			return nil
		})
		shown := summarize(x.scrape())
		for _, w := range early {
			if !slices.Contains(shown, w) {
				t.Errorf("%s isn't shown with its leg: %q", w, shown)
			}
		}
		x.kill()
		x = start(t, s.vault, launched).serving()
	}
	eventually(t, "count every call", func() error {
		if got := summarize(x.scrape()); !slices.Equal(got, want) {
			return fmt.Errorf("counted\n\t%q, want\n\t%q", got, want)
		}
		return nil
	})
	x.stop()
	verified := start(t, s.vault, launch{args: []string{"ledger", "verify", "--config.file=" + config}})
	verified.exited(0)
}

// want is what is counted of all copies, as summarize says it.
func (c *legsCase) want() (all []string) {
	number := regexp.MustCompile(`[0-9.]+`)
	for _, w := range c.Want {
		kind, rest, _ := strings.Cut(w, " ")
		switch kind {
		case "talk", "connected", "legs", "paid":
			w = kind + " " + number.ReplaceAllStringFunc(rest, func(n string) string {
				v, _ := strconv.ParseFloat(n, 64)
				return strconv.FormatFloat(v*copies, 'g', 6, 64)
			})
		case "failed":
			at := strings.LastIndex(w, " ")
			v, _ := strconv.Atoi(w[at+1:])
			w = w[:at+1] + strconv.Itoa(v*copies)
		default:
			w = fmt.Sprint(w, " ", copies)
		}
		all = append(all, w)
	}
	slices.Sort(all)
	return all
}

// summarize says what was counted.
func summarize(m families) (all []string) {
	calls := map[string]float64{}
	for _, s := range m.series("cdr_calls_total") {
		l := labelsOf(s)
		calls[strings.TrimSpace(l["direction"]+" "+l["outcome"]+" "+l["trunk"])] += value(s)
	}
	for call, n := range calls {
		if n > 0 {
			all = append(all, fmt.Sprint(call, " ", n))
		}
	}
	var talked uint64
	var talk float64
	for _, s := range m.series("cdr_call_duration_seconds") {
		talked, talk = talked+s.GetHistogram().GetSampleCount(), talk+s.GetHistogram().GetSampleSum()
	}
	all = append(all, fmt.Sprintf("talk %.6g in %d", talk, talked),
		fmt.Sprintf("connected %.6g", m.sum("cdr_call_connected_seconds_total")),
		fmt.Sprintf("legs %g", m.sum("cdr_call_legs_total")))
	if paid := m.sum("cdr_call_charges_total"); paid > 0 {
		all = append(all, fmt.Sprintf("paid %.6g", paid))
	}
	for _, s := range m.series("cdr_recent_faults") {
		if n := value(s); n > 0 {
			all = append(all, fmt.Sprintf("failed attempts %s %g", labelsOf(s)["trunk"], n))
		}
	}
	for _, metric := range []string{
		"cdr_call_outcome_changes_total", "cdr_call_failures_total",
		"cdr_exporter_calls_incomplete_total",
	} {
		if n := m.sum(metric); n > 0 {
			all = append(all, fmt.Sprint(metric, " ", n))
		}
	}
	slices.Sort(all)
	return all
}

// rowProvider is a provider whose rows a test publishes: over HTTPS, in files or in a database.
type rowProvider struct {
	t      *testing.T
	site   *site
	way    string
	header string
	began  time.Time
	server *httptest.Server
	files  int

	mu      sync.Mutex
	listed  []listedRow // of HTTPS
	failing bool
}

// listedRow is a row and when it was published.
type listedRow struct {
	fields map[string]any
	at     time.Time
}

func newRowProvider(t *testing.T, s *site, c *legsCase) *rowProvider {
	p := &rowProvider{t: t, site: s, way: c.Way, header: c.Header, began: time.Now()}
	s.write("secret", "s3cret-of-the-shop")
	s.write("refresh", "refresh-token")
	switch c.Way {
	case "lines":
		s.write("rows", "")
	case "files":
		if err := os.Mkdir(s.path("in"), 0o700); err != nil {
			t.Fatal(err)
		}
	case "sqlite":
		p.execute(c.Header)
	default:
		p.server = httptest.NewTLSServer(p)
		t.Cleanup(p.server.Close)
		s.write("ca.pem",
			string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.server.Certificate().Raw})))
	}
	return p
}

// configure writes the configuration and returns its file.
func (p *rowProvider) configure(c *legsCase) string {
	text := "storage: {path: ledger}\nmetrics: {zero_for: 0s}\nsources:\n  - name: src\n    history: 3h\n"
	address := ""
	if p.server != nil {
		address = p.server.URL
		text += "    requests_per_minute: 60000\n    tls_config: {ca_file: ca.pem}\n"
	}
	settle := fmt.Sprintf("settle: %s", legsSettle)
	return p.site.write("config.yaml", text+"    "+strings.NewReplacer("{dir}", p.site.folder, "{url}", address,
		"SETTLE", settle).Replace(c.Source))
}

var relative = regexp.MustCompile(`\{\{(-\d+):(\w+)\}\}`)

// rows are the rows of all copies.
func (p *rowProvider) rows(c *legsCase) (all []string) {
	for n := range copies {
		for line := range strings.Lines(c.Rows) {
			line = strings.ReplaceAll(strings.TrimSpace(line), "{n}", strconv.Itoa(n))
			all = append(all, relative.ReplaceAllStringFunc(line, func(text string) string {
				m := relative.FindStringSubmatch(text)
				seconds, _ := strconv.Atoi(m[1])
				at := p.began.Add(time.Duration(seconds) * time.Second).UTC().Truncate(time.Second)
				switch m[2] {
				case "s":
					return strconv.FormatInt(at.Unix(), 10)
				case "us":
					return strconv.FormatInt(at.UnixMicro(), 10)
				case "sql":
					return at.Format(time.DateTime)
				case "rfc2822":
					return at.Format(time.RFC1123Z)
				}
				return at.Format("2006-01-02T15:04:05.000Z")
			}))
		}
	}
	return all
}

// publish lets the provider have these rows from now on.
func (p *rowProvider) publish(rows []string) {
	p.t.Helper()
	for _, row := range rows {
		switch p.way {
		case "lines":
			f, err := os.OpenFile(p.site.path("rows"), os.O_APPEND|os.O_WRONLY, 0o600)
			if err != nil {
				p.t.Fatal(err)
			}
			if _, err := f.WriteString(row + "\n"); err != nil {
				p.t.Fatal(err)
			}
			f.Close() //nolint:errcheck // it was written
		case "files":
			p.files++
			file := p.site.path(filepath.Join("in", fmt.Sprintf("cdr_%d", p.files)))
			p.site.write("row", p.header+row+"\n")
			old := time.Now().Add(-time.Minute)
			if err := errors.Join(os.Chtimes(p.site.path("row"), old, old),
				os.Rename(p.site.path("row"), file)); err != nil {
				p.t.Fatal(err)
			}
		case "sqlite":
			p.execute(row)
		default:
			l := listedRow{at: time.Now()}
			if err := json.Unmarshal([]byte(row), &l.fields); err != nil {
				p.t.Fatal(err)
			}
			p.mu.Lock()
			p.listed = append(p.listed, l)
			p.mu.Unlock()
		}
	}
}

// fail lets the provider fail, or recover.
func (p *rowProvider) fail(failing bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failing = failing
}

func (p *rowProvider) execute(statements string) {
	p.t.Helper()
	db, err := sql.Open("sqlite", p.site.path("rows.db"))
	if err != nil {
		p.t.Fatal(err)
	}
	_, err = db.ExecContext(p.t.Context(), "PRAGMA busy_timeout = 10000; "+statements)
	if err := errors.Join(err, db.Close()); err != nil {
		p.t.Fatal(err)
	}
}

// ServeHTTP answers as the providers do, two rows a page.
func (p *rowProvider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	for name, value := range map[string]string{"Group": "heavy", "Limit": "6000", "Remaining": "5999", "Window": "60"} {
		w.Header().Set("X-Rate-Limit-"+name, value)
	}
	q, last := r.URL.Query(), path.Base(r.URL.Path)
	answer := func(v any) { _ = json.NewEncoder(w).Encode(v) }
	switch {
	case p.failing:
		w.WriteHeader(http.StatusServiceUnavailable)
	case last == "access_token" || last == "token":
		answer(map[string]any{
			"token_type": "Bearer", "expires_in": 3599, "access_token": "a", "refresh_token": "refresh-token",
			"scope": "ReadCallLog ReadAccounts", "owner_id": "1",
		})
	case last == "revoke":
		answer(map[string]any{})
	case last == "cdr_stream":
		const lag = 59 * time.Second // what is younger isn't asked for
		page, next := p.page(q, "at", 0,
			func(l *listedRow) bool { return between(l.at.Add(-lag), q.Get("startTime"), q.Get("endTime")) })
		if next != nil {
			w.Header().Set("Link", "<"+p.server.URL+r.URL.Path+"?"+next.Encode()+`>; rel="next"`)
		}
		answer(map[string]any{"items": page})
	case last == "Calls.json":
		page, next := p.page(q, "Page", 0, func(*listedRow) bool { return true })
		list := map[string]any{"calls": page, "next_page_uri": nil}
		if next != nil {
			list["next_page_uri"] = r.URL.Path + "?" + next.Encode()
		}
		answer(list)
	case last == "call-log":
		page, next := p.page(q, "page", 1,
			func(l *listedRow) bool { return between(stamp(l, "startTime"), q.Get("dateFrom"), q.Get("dateTo")) })
		list := map[string]any{
			"records": page, "navigation": map[string]any{},
			"paging": map[string]any{"page": 1, "perPage": 2},
		}
		if next != nil {
			list["navigation"] = map[string]any{"nextPage": map[string]any{"uri": p.server.URL + r.URL.Path + "?" +
				next.Encode()}}
		}
		answer(list)
	case last == "cdrs":
		n, of := 0, func(l *listedRow) bool {
			day := stamp(l, "date").Format(time.DateOnly)
			return l.fields["type"] == q.Get("type") && day >= q.Get("from") && day <= q.Get("to")
		}
		for i := range p.listed {
			if of(&p.listed[i]) {
				n++
			}
		}
		page, _ := p.page(q, "page", 1, of)
		at, _ := strconv.Atoi(q.Get("page"))
		answer(map[string]any{"items": page, "pagination": map[string]any{
			"total": n, "total_pages": (n + 1) / 2,
			"current_page": max(at, 1), "per_page": 2,
		}})
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// page is a page of the rows that fit, and the query of the next one, nil if it is the last. The
// pages are numbered from first.
func (p *rowProvider) page(
	q url.Values, name string, first int, fits func(*listedRow) bool,
) (page []map[string]any, next url.Values) {
	const size = 2
	n, err := strconv.Atoi(q.Get(name))
	if err != nil {
		n = first
	}
	at := 0
	page = []map[string]any{}
	for i := range p.listed {
		if !fits(&p.listed[i]) {
			continue
		}
		switch at++; {
		case at > (n-first+1)*size:
			next = maps.Clone(q)
			next.Set(name, strconv.Itoa(n+1))
			return page, next
		case at > (n-first)*size:
			page = append(page, p.listed[i].fields)
		}
	}
	return page, nil
}

func stamp(l *listedRow, name string) time.Time {
	text, _ := l.fields[name].(string)
	at, _ := time.Parse(time.RFC3339, text)
	return at.UTC()
}

// between says whether a time is in [from, to).
func between(at time.Time, from, to string) bool {
	first, _ := time.Parse(time.RFC3339, from)
	end, _ := time.Parse(time.RFC3339, to)
	return !at.Before(first) && at.Before(end)
}
