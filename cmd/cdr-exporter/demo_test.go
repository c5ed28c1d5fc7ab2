package main_test

import (
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
)

// demoWithin is how soon everything is to see (contract 1).
const demoWithin = 10 * time.Second

// startDemo starts the demo and waits until everything is to see.
func startDemo(t *testing.T, v *vault, args ...string) *exporter {
	t.Helper()
	begin := time.Now()
	x := start(t, v, launch{shipped: true, args: append([]string{"demo", "--web.listen-address=127.0.0.1:0"}, args...)}).serving()
	within(t, demoWithin-time.Since(begin), "show everything", func() error {
		x.running()
		if _, err := x.client.get("/-/ready"); err != nil {
			return err
		}
		m := x.scrape()
		for _, feed := range []string{pstn, directRouting} {
			if s := x.feed("contoso", feed); s.State != "ok" || s.Records == 0 || s.LastError != "" {
				return fmt.Errorf("%s: %+v", feed, s)
			}
			if m.sum("cdr_calls_total", "feed="+feed) == 0 {
				return errors.New("no calls of " + feed)
			}
		}
		return nil
	})
	return x
}

// TestDemo (contract 1): everything is to see soon, calls arrive while one watches, and
// Ctrl-C ends it. It runs alone, since it is about time.
func TestDemo(t *testing.T) {
	v := newVault(t)
	v.hidePeople(sim.PSTNMix())
	v.hide("the demo's secret", "simulated-client-secret")
	x := startDemo(t, v)
	page, err := x.client.do(http.MethodGet, "/", nil)
	if err != nil || page.status != http.StatusOK || !strings.HasPrefix(page.header.Get("Content-Type"), "text/html") {
		t.Errorf("the status page: status %d, %v", page.status, err)
	}
	for _, text := range []string{"contoso", pstn, directRouting} {
		if !strings.Contains(string(page.body), text) {
			t.Errorf("the status page lacks %s", text)
		}
	}
	if !strings.Contains(x.out.String(), "http://"+x.addresses()[0]+"/") {
		t.Errorf("the demo doesn't say where to look:\n%s", x.out)
	}
	before := x.scrape().sum("cdr_calls_total")
	eventually(t, "see calls arrive", func() error {
		if now := x.scrape().sum("cdr_calls_total"); now <= before {
			return fmt.Errorf("%g calls, as before", now)
		}
		return nil
	})
	x.signal(syscall.SIGINT)
	x.exited(0)
}

// TestDemoKeepsItsLedger (contract 1): with --storage.path a second run goes on where the
// first one ended.
func TestDemoKeepsItsLedger(t *testing.T) {
	v := newVault(t)
	v.hidePeople(sim.PSTNMix())
	folder := filepath.Join(t.TempDir(), "demo")
	x := startDemo(t, v, "--storage.path="+folder)
	before := x.scrape()
	x.stop()
	x = start(t, v, launch{args: []string{"demo", "--web.listen-address=127.0.0.1:0", "--storage.path=" + folder}}).ready()
	after := x.scrape()
	for _, feed := range []string{pstn, directRouting} {
		was, is := before.sum("cdr_calls_total", "feed="+feed), after.sum("cdr_calls_total", "feed="+feed)
		if is < was {
			t.Errorf("%s: %g calls after a restart, %g before", feed, is, was)
		}
		was, is = before.sum("cdr_exporter_watermark_timestamp_seconds", "feed="+feed), after.sum("cdr_exporter_watermark_timestamp_seconds", "feed="+feed)
		if is < was {
			t.Errorf("%s: the watermark went back by %g s", feed, was-is)
		}
	}
	x.stop()
	v.searchFolder(folder)
	v.searchOutbox(folder)
}
