package main_test

import (
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// listedCall is a call as a simulated provider keeps it: it appears some time after its start, ends
// later, and has its price later still.
type listedCall struct {
	id                   string
	start, appears, ends time.Time
	priced               time.Time
	outcome, status      string // ours, Twilio's
	cents                int
}

// listedCalls are calls of the last day, and some of these seconds, which appear, end and are
// priced while the test runs.
func listedCalls(n int) (all []listedCall) {
	rng := rand.New(rand.NewPCG(3, 1))
	kinds := [][2]string{
		{"answered", "completed"},
		{"busy", "busy"},
		{"no_answer", "no-answer"},
		{"failed", "failed"},
		{"cancelled", "canceled"},
	}
	now := time.Now()
	later := func(at time.Time) time.Time { return at.Add(time.Duration(rng.IntN(5000)) * time.Millisecond) }
	for i := range n {
		kind := kinds[rng.IntN(len(kinds))]
		c := listedCall{
			id: fmt.Sprintf("CA%032d", i), start: now.Add(-time.Duration(rng.IntN(20*3600)+60) * time.Second).
				Truncate(time.Second),
			outcome: kind[0], status: kind[1],
		}
		if c.outcome == "answered" {
			c.cents = 1 + rng.IntN(50)
		}
		if i%3 == 0 {
			c.start = now.Add(time.Duration(rng.IntN(20)-15) * time.Second).Truncate(time.Second)
			c.appears = later(c.start)
			c.ends = later(c.appears)
			c.priced = later(c.ends)
		}
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b listedCall) int { return b.start.Compare(a.start) }) // the newest first
	return all
}

// listServer answers as a provider does, over HTTPS, with faults.
type listServer struct {
	*httptest.Server

	mu        sync.Mutex
	asked     int
	faultless bool
}

// newListServer serves calls by a handler of the provider's, which gets those that have appeared.
func newListServer(
	t *testing.T, calls []listedCall, handle func(w http.ResponseWriter, r *http.Request, calls []listedCall),
) *listServer {
	t.Helper()
	s := new(listServer)
	s.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked++
		n := s.asked
		if s.faultless {
			n = 0
		}
		s.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		switch n % 17 {
		case 5:
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusTooManyRequests)
		case 9:
			w.WriteHeader(http.StatusBadGateway)
		case 13:
			fmt.Fprint(w, `{"calls":[{"sid":`) // cut
		default:
			handle(w, r, slices.DeleteFunc(slices.Clone(calls),
				func(c listedCall) bool { return c.appears.After(time.Now()) }))
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// write writes a configuration of one source, with the server's certificate.
func (s *listServer) write(t *testing.T, block string) (file string) {
	t.Helper()
	folder := t.TempDir()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	file = filepath.Join(folder, "config.yaml")
	text := fmt.Sprintf("storage: {path: ledger}\nmetrics: {zero_for: 0s}\nsources:\n  - name: shop\n    "+
		"history: 30h\n    requests_per_minute: 60000\n"+
		"    tls_config: {ca_file: ca.pem}\n%s", block)
	for name, content := range map[string]string{
		"ca.pem": string(ca), "config.yaml": text,
		"secret.txt": "s3cret-of-the-shop\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return file
}

// countsList waits until every call is counted once, with its outcome and its price.
func (x *exporter) countsList(calls []listedCall, feed string, priced bool) {
	x.t.Helper()
	outcomes, cents := map[string]float64{}, 0
	for _, c := range calls {
		outcomes[c.outcome]++
		cents += c.cents
	}
	eventually(x.t, "count every call once", func() error {
		m := x.scrape()
		var errs []error
		for outcome, want := range outcomes {
			if got := m.sum("cdr_calls_total", "feed="+feed, "outcome="+outcome); got != want {
				errs = append(errs, fmt.Errorf("%g calls are %s, want %g", got, outcome, want))
			}
		}
		got := m.sum("cdr_call_charges_total", "feed="+feed) + m.sum("cdr_call_charge_corrections_total",
			"sign=debit") - m.sum("cdr_call_charge_corrections_total", "sign=credit")
		if want := strconv.FormatFloat(float64(cents)/100, 'f', 2, 64); priced &&
			strconv.FormatFloat(got, 'f', 2, 64) != want {
			errs = append(errs, fmt.Errorf("they cost %.2f, want %s", got, want))
		}
		return errors.Join(errs...)
	})
}

// TestTwilio (definitions.md 5): calls are read by days, appear late, end and are priced later,
// between faults and kills.
func TestTwilio(t *testing.T) {
	t.Parallel()
	calls := listedCalls(400)
	s := newListServer(t, calls, serveTwilio)
	file := s.write(t, twilioBlock(s.URL))
	v := newVault(t)
	v.hide("the auth token", "s3cret-of-the-shop")
	for range 3 {
		x := start(t, v, launch{config: file}).serving()
		eventually(t, "count something", func() error {
			if x.scrape().sum("cdr_exporter_rows_total", "result=new") == 0 {
				return errors.New("nothing was read")
			}
			return nil
		})
		x.kill()
	}
	x := start(t, v, launch{config: file}).ready()
	x.countsList(calls, "calls", true)
	if n := x.scrape().sum("cdr_exporter_unmapped_values_total"); n != 0 {
		t.Errorf("%g values are unknown", n)
	}
	x.stop()
}

const twilioAccount = "AC00000000000000000000000000000001"

func twilioBlock(url string) string {
	return fmt.Sprintf("    twilio: {account_sid: %s, auth_token_file: secret.txt, base_url: %q, calls: "+
		"{interval: 1s, lookback: 24h}}\n", twilioAccount, url)
}

// serveTwilio answers as Twilio's list of calls does.
func serveTwilio(w http.ResponseWriter, r *http.Request, calls []listedCall) {
	user, password, _ := r.BasicAuth()
	if user != twilioAccount || password != "s3cret-of-the-shop" || r.URL.Path != "/2010-04-01/Accounts/"+twilioAccount+
		"/Calls.json" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	query := r.URL.Query()
	from, to, at := query.Get("StartTime>"), query.Get("StartTime<"), 0
	rows, now := []map[string]any{}, time.Now()
	for _, c := range calls {
		day := c.start.UTC().Format(time.DateOnly)
		if day < from || day > to {
			continue
		}
		if at++; at <= 100*len(query.Get("PageToken")) || len(rows) == 100 {
			continue
		}
		row := map[string]any{
			"sid": c.id, "start_time": c.start.UTC().Format(time.RFC1123Z),
			"date_created": c.start.UTC().Format(time.RFC1123Z), "status": "in-progress",
			"direction": "outbound-api", "to": "+493012345678", "from": "+14155550100", "price": nil,
			"price_unit": "USD", "duration": nil,
		}
		if !c.ends.After(now) {
			row["status"], row["duration"] = c.status, "61"
		}
		if c.cents > 0 && !c.priced.After(now) {
			row["price"] = fmt.Sprintf("-%d.%02d", c.cents/100, c.cents%100)
		}
		rows = append(rows, row)
	}
	page := map[string]any{"calls": rows, "next_page_uri": nil}
	if len(rows) == 100 {
		query.Set("PageToken", query.Get("PageToken")+"x")
		page["next_page_uri"] = r.URL.Path + "?" + query.Encode()
	}
	_ = json.NewEncoder(w).Encode(page)
}
