package main_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// webexRow is a row as the simulated Webex keeps it: it is listed by when it was inserted, however old its call is.
type webexRow struct {
	id, call        string
	start, inserted time.Time
	side, answered  string
	reason, office  string
}

// webexRows are the rows of calls of the last hours. Every third row is inserted while the test
// runs; every fifth call has two sides, of which one is answered and the other isn't, inserted in
// either order. It also returns how many calls each outcome has.
func webexRows(n int) (rows []webexRow, outcomes map[string]float64) {
	rng := rand.New(rand.NewPCG(4, 1))
	now := time.Now()
	outcomes = make(map[string]float64)
	inserted := func(i int) time.Time {
		if i%3 == 0 {
			return now.Add(-time.Duration(45_000+rng.IntN(20_000)) * time.Millisecond)
		}
		return now.Add(-time.Duration(120+rng.IntN(9*3600)) * time.Second)
	}
	for i := range n {
		kind := [][3]string{
			{"answered", "true", "Normal"},
			{"busy", "false", "UserBusy"},
			{"no_answer", "false", "NoAnswer"},
		}[rng.IntN(3)]
		r := webexRow{
			id: fmt.Sprintf("row-%d", i), call: fmt.Sprintf("call-%d", i), side: "ORIGINATING", answered: kind[1],
			reason: kind[2],
			office: []string{"Berlin", "Paris", "Berlin", ""}[i%4], inserted: inserted(i),
			start: now.Add(-time.Duration(10*3600+rng.IntN(36_000)) * time.Second),
		}
		if i%5 == 0 {
			other := r
			r.answered, r.reason, kind[0] = "true", "Normal", "answered"
			other.id, other.side, other.inserted, other.answered, other.reason = r.id+"-b", "TERMINATING",
				inserted(rng.IntN(3)), "false", "NoAnswer"
			rows = append(rows, other)
		}
		outcomes[kind[0]]++
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(a, b webexRow) int { return a.inserted.Compare(b.inserted) })
	return rows, outcomes
}

// webex answers as Webex does. Each refresh token is good until the access token that came with its successor is used.
type webex struct {
	*httptest.Server

	rows []webexRow

	mu                sync.Mutex
	asked, grants     int
	refresh, previous string
	access, used      string   // the access token that was given last, and the one that was used last
	wrong             []string // what was asked that may not be
	healthy           bool     // no fault comes any more
	strict            bool     // a refresh token is worthless once it was spent
	spending          func()   // called while a refresh token is being spent
}

func (s *webex) token(w http.ResponseWriter, r *http.Request) {
	given := r.FormValue("refresh_token")
	if r.FormValue("client_secret") != "s3cret-of-the-shop" || r.FormValue("grant_type") != "refresh_token" ||
		given != s.refresh && given != s.previous {
		s.wrong = append(s.wrong, "a refresh token that was spent")
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.grants++
	if s.spending != nil {
		s.spending()
	}
	if s.previous = given; s.strict {
		s.previous = ""
	}
	s.refresh = fmt.Sprintf("r3fresh-token-%d", s.grants)
	s.access = fmt.Sprintf("acc3ss-token-%d", s.grants)
	fmt.Fprintf(w, `{"access_token":%q,"refresh_token":%q,"expires_in":8}`, s.access, s.refresh)
}

func (s *webex) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if r.URL.Path == "/v1/access_token" {
		s.token(w, r)
		return
	}
	query := r.URL.Query()
	from, _ := time.Parse(time.RFC3339, query.Get("startTime"))
	to, _ := time.Parse(time.RFC3339, query.Get("endTime"))
	switch now := time.Now(); {
	case r.Header.Get("Authorization") != "Bearer "+s.access:
		w.WriteHeader(http.StatusUnauthorized)
		return
	case r.URL.Path != "/v1/cdr_stream" || from.Before(now.Add(-12*time.Hour)) || to.After(now.Add(-time.Minute)) ||
		to.Sub(from) > 2*time.Hour || !from.Before(to):
		s.wrong = append(s.wrong, r.URL.String())
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.previous, s.used = "", s.access // the successor is in use
	if !s.healthy {
		s.asked++
	}
	switch s.asked % 11 {
	case 3:
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(http.StatusTooManyRequests)
		return
	case 6:
		w.WriteHeader(http.StatusGatewayTimeout)
		return
	case 9:
		fmt.Fprint(w, `{"items":[{"Report ID":`) // cut
		return
	}
	s.list(w, r, from, to)
}

func (s *webex) list(w http.ResponseWriter, r *http.Request, from, to time.Time) {
	const size = 20
	query := r.URL.Query()
	at, _ := strconv.Atoi(query.Get("startTimeForNextFetch"))
	items, matching := []map[string]any{}, 0
	for _, one := range s.rows {
		if one.inserted.Before(from) || !one.inserted.Before(to) {
			continue
		}
		if matching++; matching <= at || len(items) == size {
			continue
		}
		items = append(items, map[string]any{
			"Report ID": one.id, "Correlation ID": one.call,
			"Start time": one.start.UTC().Format("2006-01-02T15:04:05.000Z"), "Direction": one.side,
			"Call type": "SIP_ENTERPRISE", "Call outcome": "Success", "Call outcome reason": one.reason,
			"Answered": one.answered, "Duration": 54,
			"Calling number": "2001", "Called number": "2002", "Outbound trunk": "fra-lgw", "Location": one.office,
			"Department ID": "dep-" + one.office,
		})
	}
	if matching > at+size {
		query.Set("startTimeForNextFetch", strconv.Itoa(at+size))
		w.Header().Set("Link", "<"+s.URL+r.URL.Path+"?"+query.Encode()+`>; rel="next"`)
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"items": items})
}

// TestWebex (definitions.md 5): the stream is read by insertion, in spans of two hours with pages
// by Link, between faults, kills and refresh tokens that rotate; both sides of a call are one call
// with the best outcome.
func TestWebex(t *testing.T) {
	t.Parallel()
	rows, outcomes := webexRows(300)
	s := &webex{rows: rows, refresh: "r3fresh-token-0"}
	s.Server = httptest.NewTLSServer(s)
	t.Cleanup(s.Close)
	file := (&listServer{Server: s.Server}).
		write(t, fmt.Sprintf("    webex: {client_id: app, client_secret_file: secret.txt, refresh_token: "+
			"r3fresh-token-0, base_url: %q, token_url: %q,"+
			" cdr: {interval: 1s, settle: 1s}}\nlabels: [{name: location}, {name: department}]\n", s.URL,
			s.URL+"/v1/access_token"))
	v := newVault(t)
	v.hide("the client secret", "s3cret-of-the-shop")
	v.hide("the access token", "acc3ss-token")
	for i := 1; i < 10; i++ { // the first one stands in the configuration
		v.hide("a refresh token", fmt.Sprintf("r3fresh-token-%d", i))
	}
	for i := range 3 {
		x := start(t, v, launch{config: file}).serving()
		eventually(t, "count something", func() error {
			if got := x.scrape().sum("cdr_calls_total"); got < float64(1+50*i) {
				return fmt.Errorf("%g calls are counted", got)
			}
			return nil
		})
		x.kill()
	}
	x := start(t, v, launch{config: file}).ready()
	eventually(t, "count every call once", func() error {
		m := x.scrape()
		var errs []error
		for outcome, want := range outcomes {
			got := m.sum("cdr_calls_total", "outcome="+outcome) +
				m.sum("cdr_call_outcome_changes_total", "to="+outcome) - m.sum("cdr_call_outcome_changes_total",
				"from="+outcome)
			if got != want {
				errs = append(errs, fmt.Errorf("%g calls are %s, want %g", got, outcome, want))
			}
		}
		if got := m.sum("cdr_calls_total"); got != 300 {
			errs = append(errs, fmt.Errorf("%g calls are counted, want 300", got))
		}
		return errors.Join(errs...)
	})
	for office, want := range map[string]float64{
		"location=Berlin|department=dep-Berlin": 150,
		"location=Paris|department=dep-Paris":   75,
	} {
		if n := x.scrape().sum("cdr_calls_total", strings.Split(office, "|")...); n != want {
			t.Errorf("%g calls have %s, want %g", n, office, want)
		}
	}
	if n := x.scrape().sum("cdr_exporter_unmapped_values_total"); n != 0 {
		t.Errorf("%g values are unknown", n)
	}
	s.mu.Lock()
	s.healthy, s.asked = true, 0 // a check asks once
	s.mu.Unlock()
	//nolint:gosec // the program under test
	out, err := exec.CommandContext(t.Context(), shipped, "check", "sources", "--config.file="+file).CombinedOutput()
	if err != nil {
		t.Errorf("with the access token and the refresh token, check sources says %v: %s", err, out)
	}
	x.stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.wrong) > 0 {
		t.Errorf("wrong requests: %q", s.wrong)
	}
	if s.grants < 2 {
		t.Errorf("%d tokens were given, none was rotated", s.grants)
	}
}
