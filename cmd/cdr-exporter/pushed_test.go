package main_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/pgtest"
)

// pbx posts the records of calls to exporters, each until one takes it.
type pbx struct {
	*site
	config string
	mu     sync.Mutex
	hooks  []string // guarded by mu; whose exporters listen
	taken  atomic.Int64
	began  int64 // when all calls began
}

const pbxToken = "t0ken-of-the-pbx"

// newPBX writes a definition and a configuration, whose ledger is in PostgreSQL.
func newPBX(t *testing.T) *pbx {
	t.Helper()
	s := newSite(t)
	s.keep("token", pbxToken)
	s.write("pbx.yaml", `provider: ourpbx
push: {field: cdr}
feeds:
  calls:
    record:
      id: id
      start: {path: start, time: unix}
      duration: talk
      outcome: {path: state, table: {done: answered, busy: busy}}
      caller: from
      charges: [{component: usage, amount: price, currency: {is: EUR}}]
`)
	s.write("dsn", pgtest.Database(t))
	set := settings{Storage: "postgres: {dsn_file: dsn}", More: "definitions: [pbx.yaml]"}
	return &pbx{site: s, began: time.Now().Unix(), config: s.configureSources(set,
		"  - {name: pbx, ourpbx: {token_file: token, calls: {interval: 1s}}}\n")}
}

// run starts an exporter that listens for records.
func (p *pbx) run() (x *exporter, hook string) {
	p.t.Helper()
	hook = free(p.t)
	x = start(p.t, p.vault, launch{
		config: p.config, raced: true, args: []string{"--webhook.listen-address=" + hook},
	}).serving()
	return x, hook
}

func (p *pbx) listens(hooks ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hooks = hooks
}

// record is the record of a call.
func (p *pbx) record(number int) string {
	return fmt.Sprintf(`{"id":"call-%d","start":%d,"talk":"61","state":"done","from":"+4930901%d"}`, number,
		p.began, 100000+number)
}

// post posts a record until an exporter takes it, first to the one whose turn it is. Every third one is posted again,
// and every fifth one is posted in a list with a call from before.
func (p *pbx) post(number int) {
	body := p.record(number)
	if number%5 == 4 {
		body = "[" + p.record(number-4) + "," + body + "]"
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	for attempt, left := 0, 1+(number%3+2)/4; left > 0 && p.t.Context().Err() == nil; attempt++ {
		p.mu.Lock()
		hook := p.hooks[(number+attempt)%len(p.hooks)]
		p.mu.Unlock()
		request, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, "http://"+hook+"/push/pbx",
			strings.NewReader(body))
		if err != nil {
			p.t.Error(err)
			return
		}
		request.SetBasicAuth("pbx", pbxToken)
		answer, err := client.Do(request)
		if err != nil {
			continue // it was killed
		}
		_ = answer.Body.Close()
		switch {
		case answer.StatusCode == http.StatusNoContent:
			left--
		case answer.StatusCode != http.StatusServiceUnavailable:
			p.t.Errorf("a record is answered with %d", answer.StatusCode)
			return
		}
	}
	p.taken.Add(1)
}

// posts posts calls from several lines at once.
func (p *pbx) posts(from, to int) (done func()) {
	var lines sync.WaitGroup
	for line := range 4 {
		lines.Go(func() {
			for n := from + line; n < to; n += 4 {
				p.post(n)
			}
		})
	}
	return lines.Wait
}

// takes waits until n records were accepted.
func (p *pbx) takes(n int64) {
	p.t.Helper()
	eventually(p.t, "take records", func() error {
		if got := p.taken.Load(); got < n {
			return fmt.Errorf("%d of %d were", got, n)
		}
		return nil
	})
}

// counts waits until each of n calls is counted, and none twice.
func (p *pbx) counts(n int, exporters ...*exporter) {
	p.t.Helper()
	eventually(p.t, "count every record once", func() error {
		calls, seconds := 0.0, 0.0
		for _, x := range exporters {
			m := x.scrape()
			calls += m.sum("cdr_calls_total", "outcome=answered")
			seconds += m.sum("cdr_call_connected_seconds_total")
		}
		if calls != float64(n) || seconds != float64(61*n) {
			return fmt.Errorf("%g calls of %g s are counted, want %d", calls, seconds, n)
		}
		return nil
	})
}

// TestPushedToReplicas (counting.md 4): a replica that doesn't read the feed accepts its records
// too. The owner of the feed counts them, or the replica that takes the feed over after a kill: every
// record that was answered with 2xx counts once.
func TestPushedToReplicas(t *testing.T) {
	t.Parallel()
	p := newPBX(t)
	owner, at := p.run()
	owner.shows(1, "cdr_exporter_feed_owned", "source=pbx")
	other, elsewhere := p.run()
	p.listens(elsewhere)
	p.posts(0, 40)()
	p.counts(40, owner, other)
	if n := other.scrape().sum("cdr_exporter_feed_owned", "source=pbx"); n != 0 {
		t.Fatal("the other replica reads the feed")
	}
	if n := other.scrape().sum("cdr_notifications_total", "result=accepted"); n == 0 {
		t.Error("no accepted record shows")
	}
	p.listens(at, elsewhere)
	p.posts(40, 120)()
	p.listens(elsewhere)
	done := p.posts(120, 200)
	p.takes(140)
	owner.kill()
	done()
	p.counts(200, other)
	other.stop()
}
