package app

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// wantForgotten checks that the metrics have nothing of the source branch.
func wantForgotten(t *testing.T, a *App) {
	t.Helper()
	_, body := ask(t, a, http.MethodGet, "/metrics")
	for line := range strings.Lines(body) {
		if strings.Contains(line, `source="branch"`) {
			t.Errorf("a source that was removed is shown: %s", line)
		}
	}
}

const branch = "  - name: branch\n    acme: {active_calls: }\n"

// What a source that a reload removes asks of its provider in the end, such as RingCentral to end its session, isn't shown for ever.
func TestReloadForgetsTheLastRequest(t *testing.T) {
	t.Parallel()
	provider := &acme{t: t}
	provider.calls(map[cdr.Direction]int{cdr.Inbound: 1})
	folder := t.TempDir()
	a := start(t, provider.write(folder, "active_calls: ", branch), provider.provider())
	until(t, a, `cdr_exporter_feed_owned{feed="active_calls",source="branch"} 1`)
	provider.write(folder, "active_calls: ", "")
	if err := a.Reload(); err != nil {
		t.Fatal(err)
	}
	wantForgotten(t, a)
}

// A scrape that began before a reload brings no source back that the reload removes.
func TestReloadDuringAScrape(t *testing.T) {
	t.Parallel()
	provider, asked, answer := &acme{t: t}, make(chan struct{}), make(chan struct{})
	var once sync.Once
	provider.expiry = func() time.Time {
		once.Do(func() {
			close(asked)
			<-answer
		})
		return time.Time{}
	}
	provider.calls(map[cdr.Direction]int{cdr.Inbound: 1})
	folder := t.TempDir()
	a := start(t, provider.write(folder, "active_calls: ", branch), provider.provider())
	scraped, reloaded := make(chan struct{}), make(chan error, 1)
	go func() {
		a.own.Snapshot()
		close(scraped)
	}()
	<-asked // office's, before it comes to branch
	provider.write(folder, "active_calls: ", "")
	go func() { reloaded <- a.Reload() }()
	await(t, "the reload has replaced the sources", func() bool { return len(a.running.Load().sources) == 1 })
	<-time.After(100 * time.Millisecond) // it would forget branch now if it didn't wait for the scrape
	close(answer)
	<-scraped
	if err := <-reloaded; err != nil {
		t.Fatal(err)
	}
	wantForgotten(t, a)
}
