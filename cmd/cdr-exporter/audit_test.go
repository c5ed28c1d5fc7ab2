package main_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// auditDay is a day in the JSON of an audit.
type auditDay struct {
	Source, Feed, Day          string
	Listed, Counted            int
	NotFinal                   int `json:"not_final"`
	Ignored, Invalid           int
	BeforeOrigin               int `json:"before_origin"`
	Unknown, Vanished, Missing int
	MissingIDs                 []struct{ ID, UID string } `json:"missing_ids"`
	Charges                    struct{ Listed, Counted map[string]string }

	differences map[string]string // of the charges, by day and currency
}

// audited runs an audit and adds its days up.
func (s *site) audited(code int, args ...string) (sum auditDay, days []auditDay, said string) {
	s.t.Helper()
	x := start(s.t, s.vault, launch{args: append([]string{
		"audit", "--config.file=" + s.path("config.yaml"),
		"--share=1", "--output=json",
	}, args...)})
	x.exited(code)
	if err := json.Unmarshal(x.out.Bytes(), &days); err != nil {
		s.t.Fatalf("no JSON: %v: %s", err, x.out)
	}
	sum.differences = map[string]string{}
	for _, d := range days {
		sum.Listed += d.Listed
		sum.Counted += d.Counted
		sum.NotFinal += d.NotFinal
		sum.Ignored += d.Ignored
		sum.Invalid += d.Invalid
		sum.BeforeOrigin += d.BeforeOrigin
		sum.Unknown += d.Unknown
		sum.Vanished += d.Vanished
		sum.Missing += d.Missing
		sum.MissingIDs = append(sum.MissingIDs, d.MissingIDs...)
		if d.Listed != d.Counted+d.NotFinal+d.BeforeOrigin+d.Unknown+d.Missing {
			s.t.Errorf("the counts of a day don't add up: %+v", d)
		}
		for _, sums := range []map[string]string{d.Charges.Listed, d.Charges.Counted} {
			for currency := range sums {
				listed, counted := cmp.Or(d.Charges.Listed[currency], "0"), cmp.Or(d.Charges.Counted[currency], "0")
				if listed != counted {
					sum.differences[d.Day+" "+currency] = listed + ", not " + counted
				}
			}
		}
	}
	return sum, days, x.log.String()
}

// shopDefinition is a provider whose rows a test changes.
const shopDefinition = `
provider: shop
account: one
currency: EUR
http: {base_url: "https://127.0.0.1:%s"}
feeds:
  calls:
    request: {path: /calls, query: {since: "{from|rfc3339}", until: "{to|rfc3339}"}}
    filter: {by: start}
    rows: calls
    ignore: {kind: fax}
    final: 'state != "running"'
    record:
      id: id
      start: {path: started, time: rfc3339}
      outcome: {path: state, table: {done: answered, busy: busy, running: unknown}}
      charges: [{component: usage, amount: cost}]
`

// billDefinition reads an export. Of its feeds, the one that is called as the audited one reads the file.
const billDefinition = `
provider: bill
files: {read: whole, format: csv}
feeds:
  calls: &feed
    record:
      id: id
      start: {path: start, time: "2006-01-02 15:04:05", zone: UTC}
      outcome: {is: answered}
      charges: [{component: usage, amount: amount, currency: currency}]
  faxes: {<<: *feed, record: {id: state, start: {path: start, time: rfc3339}, outcome: {is: busy}}}
`

// unaskedNumber follows each answer of a shop.
const unaskedNumber = "+491715550123"

// shopRow is a row of a provider that a test changes.
type shopRow struct {
	ID      string    `json:"id"`
	Started time.Time `json:"started"`
	State   string    `json:"state"`
	Kind    string    `json:"kind"`
	Cost    string    `json:"cost"`
}

// shop is that provider.
type shop struct {
	*site

	mu   sync.Mutex
	rows map[string]shopRow
}

func newShop(t *testing.T, feed, more string) *shop {
	s := &shop{site: newSite(t), rows: map[string]shopRow{}}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from, _ := time.Parse(time.RFC3339, r.FormValue("since"))
		to, _ := time.Parse(time.RFC3339, r.FormValue("until"))
		s.mu.Lock()
		defer s.mu.Unlock()
		listed := []shopRow{}
		for _, id := range slices.Sorted(maps.Keys(s.rows)) {
			if row := s.rows[id]; !row.Started.Before(from) && row.Started.Before(to) {
				listed = append(listed, row)
			}
		}
		body, _ := json.Marshal(map[string]any{"calls": listed}) // of texts and times
		// As of a gateway that changes a body and not its length: what follows must be in no log.
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: %s\r\nContent-Length: "+
			"%d\r\n\r\n%s{\"caller\":%q}", time.Now().UTC().Format(http.TimeFormat), len(body), body, unaskedNumber)
		_ = conn.Close()
	}))
	t.Cleanup(server.Close)
	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "https://"), ":")
	s.write("shop.yaml", fmt.Sprintf(shopDefinition, port))
	s.vault.hide("a number behind an answer", unaskedNumber)
	s.trust(server)
	s.configureSources(settings{More: "definitions: [shop.yaml]\n" + more},
		"  - name: shop\n    history: 80h\n    tls_config: {ca_file: ca.pem}\n    shop: {calls: "+feed+"}\n")
	return s
}

// put adds or changes rows, by their ids.
func (s *shop) put(rows ...shopRow) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, row := range rows {
		row.Started = row.Started.UTC().Truncate(time.Second)
		s.rows[row.ID] = row
	}
}

func (s *shop) remove(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.rows, id)
}

// export writes the provider's rows as a portal does.
func (s *shop) export() (file string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var text strings.Builder
	text.WriteString("\ufeffstate,id,start,amount,currency\n")
	for _, id := range slices.Sorted(maps.Keys(s.rows)) {
		if row := s.rows[id]; row.State != "" && row.Kind == "" {
			fmt.Fprintf(&text, "%s,%s,%s,%s,EUR\n", row.State, row.ID, row.Started.Format(time.DateTime), row.Cost)
		}
	}
	return s.write("export.csv", text.String())
}

// TestAuditOfWhatChanged: a provider loses, adds and revises rows after they were counted. The audit finds
// exactly the differences, the exporter shows them, and reads the day again.
func TestAuditOfWhatChanged(t *testing.T) {
	t.Parallel()
	s := newShop(t, "{interval: 1s, lookback: 24h}", "")
	now := time.Now()
	// no read reaches it any more
	old := func(i int) time.Time {
		return now.UTC().Truncate(24 * time.Hour).Add(-36*time.Hour - time.Duration(i)*time.Minute)
	}
	for i := range 100 {
		s.put(shopRow{fmt.Sprint("old-", i), old(i), "done", "", "0.10"},
			shopRow{fmt.Sprint("new-", i), now.Add(-time.Duration(120+i) * time.Minute), "busy", "", ""})
	}
	s.put(shopRow{"fax", old(1), "done", "fax", ""}, shopRow{"invalid", old(1), "", "", ""},
		shopRow{"running", now.Add(-time.Hour), "running", "", ""})
	s.put(shopRow{"before", now.Add(-82 * time.Hour), "done", "", "7"})
	x := start(t, s.vault, launch{config: s.path("config.yaml")}).ready()
	sum, _, said := s.audited(0, "--from=90h", "--to=30m")
	if sum.Listed != 202 || sum.Counted != 200 || sum.NotFinal != 1 || sum.BeforeOrigin != 1 || sum.Ignored != 1 ||
		sum.Invalid != 1 || sum.Vanished != 0 {
		t.Errorf("%+v\n%s", sum, said)
	}
	against := []string{"--from=90h", "--to=30m", "--against=" + s.export()}
	definition := "--definition=" + s.write("bill.yaml", billDefinition)
	for _, args := range [][]string{against, append(against, definition)} {
		if sum, _, said := s.audited(0, args...); sum.Listed != 202 || sum.Missing != 0 || sum.Vanished != 0 {
			t.Errorf("%v: %+v\n%s", args, sum, said)
		}
	}
	s.remove("old-5")
	s.put(shopRow{"old-6", old(6), "done", "", "0.11"}, shopRow{"added", old(7), "done", "", "3.00"})
	sum, _, said = s.audited(1, "--from=90h", "--to=30m")
	if sum.Vanished != 1 || sum.Missing != 1 || sum.MissingIDs[0].ID != "added" || len(sum.differences) == 0 {
		t.Errorf("%+v\n%s", sum, said)
	}
	eventually(t, "show the newest audit", func() error {
		m := x.scrape()
		age := time.Since(time.UnixMilli(int64(1000 * m.sum("cdr_exporter_audit_timestamp_seconds", "source=shop",
			"feed=calls"))))
		for _, what := range []string{"missing", "amount"} {
			n := m.sum("cdr_exporter_audit_difference_records", "source=shop", "feed=calls", "difference="+what)
			if n != 1 || age < 0 || age > 10*time.Minute {
				return fmt.Errorf("%s of %g records, %s ago", what, n, age)
			}
		}
		return nil
	})
	for path, want := range map[string]string{"/": " records are missing</span>", "/api/v1/status": `"missing"`} {
		if body, err := x.client.get(path); err != nil || !strings.Contains(string(body), want) {
			t.Errorf("%s doesn't show the audit: %v", path, err)
		}
	}
	// The exporter reads the day again: what was missing is counted, once, and so is the other amount.
	x.logged("A span of time was read again", "found=1")
	if calls := x.scrape().sum("cdr_calls_total", "source=shop", "outcome=answered"); calls != 101 {
		t.Errorf("%g calls were answered", calls)
	}
	if sum, _, said := s.audited(0, "--from=90h", "--to=30m"); sum.Missing != 0 || len(sum.differences) != 0 ||
		sum.Vanished != 1 {
		t.Errorf("%+v\n%s", sum, said)
	}
	s.put(shopRow{"added later", old(8), "done", "", "4.00"}) // of a day that has been read again
	config, err := os.ReadFile(s.path("config.yaml"))
	require.NoError(t, err)
	text := start(t, s.vault, launch{args: []string{
		"audit", "--config.file=" + s.write("posted.yaml", strings.Replace(string(config), "  - name: shop",
			"  - name: posted\n    freeswitch: {token: hush, cdr: }\n  - name: shop", 1)),
		"--from=90h", "--to=30m", "--share=1",
	}})
	text.exited(1)
	if said := text.log.String(); !strings.Contains(said, "posted/cdr: its records are posted") {
		t.Errorf("it doesn't say what it couldn't audit: %s", said)
	}
	if out := text.out.String(); !strings.Contains(out, "shop/calls") || !strings.Contains(out, "\nadded later ") ||
		!regexp.MustCompile(`\d EUR, counted \d`).MatchString(out) {
		t.Errorf("the text is\n%s", out)
	}
	x.stop()
}

// TestAuditDailyAfterARestart: an exporter that doesn't run at its time of day audits once it runs again. A further
// start knows of that audit, so that none is due.
func TestAuditDailyAfterARestart(t *testing.T) {
	t.Parallel()
	at := time.Now().UTC().Add(-time.Hour)
	s := newShop(t, "{interval: 1s, lookback: 1h}", `audit: {daily: "`+at.Format("15:04")+`"}`)
	day := at.Truncate(24*time.Hour).AddDate(0, 0, -2)
	s.put(shopRow{"a", day.Add(12 * time.Hour), "done", "", "1"})
	x := start(t, s.vault, launch{config: s.path("config.yaml"), raced: true}).ready()
	x.logged("Audited a day", "day="+day.Format(time.DateOnly), "listed=1 counted=1 missing=0")
	x.stop()
	x = start(t, s.vault, launch{config: s.path("config.yaml")}).ready()
	eventually(t, "know of the audit", func() error {
		totals := x.feed("shop", "calls").DailyTotals
		for _, total := range totals {
			if total.Day == day.Format(time.DateOnly) && total.Audit != nil {
				return nil
			}
		}
		return fmt.Errorf("%+v", totals)
	})
	x.stop()
}

// TestAuditsDayByDay: a script audits one day after the other. A day on which something is missing is read again,
// although a later audit of another day found nothing.
func TestAuditsDayByDay(t *testing.T) {
	t.Parallel()
	s := newShop(t, "{interval: 1s, lookback: 24h}", "")
	midnight := time.Now().UTC().Truncate(24 * time.Hour)
	old := midnight.Add(-36 * time.Hour) // no read reaches it any more
	s.put(shopRow{"old", old, "done", "", "0.10"}, shopRow{"new", midnight.Add(-12 * time.Hour), "busy", "", ""})
	x := start(t, s.vault, launch{config: s.path("config.yaml")}).ready()
	x.stop()
	s.put(shopRow{"added", old.Add(time.Minute), "done", "", "3.00"})
	day := func(code, ago int) {
		from := midnight.AddDate(0, 0, -ago)
		s.audited(code, "--from="+from.Format(time.DateOnly), "--to="+from.AddDate(0, 0, 1).Format(time.DateOnly))
	}
	day(1, 2)
	day(0, 1)
	x = start(t, s.vault, launch{config: s.path("config.yaml")}).ready()
	x.logged("A span of time was read again", "found=1")
	if calls := x.scrape().sum("cdr_calls_total", "source=shop", "outcome=answered"); calls != 2 {
		t.Errorf("%g calls were answered", calls)
	}
	x.stop()
}
