package app

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
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

const branch = "  - name: branch\n    acme: {tenant: branch, active_calls: }\n"

// What a source that a reload removes asks of its provider in the end, such as RingCentral to end
// its session, isn't shown for ever.
func TestReloadForgetsTheLastRequest(t *testing.T) {
	t.Parallel()
	provider := &acme{t: t}
	provider.calls(map[cdr.Direction]int{cdr.Inbound: 1})
	folder := t.TempDir()
	a := start(t, provider.write(folder, "active_calls: ", branch), provider.provider())
	until(t, a, `cdr_exporter_feed_owned{feed="active_calls",source="branch"} 1`)
	provider.write(folder, "active_calls: ", "")
	reload(t, a)
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
		a.selfMetrics.Snapshot()
		close(scraped)
	}()
	<-asked // office's, before it comes to branch
	provider.write(folder, "active_calls: ", "")
	go func() { reloaded <- a.Reload() }()
	require.Eventually(t, "the reload has replaced the sources", func() bool {
		return len(a.running.Load().sources) == 1
	})
	<-time.After(100 * time.Millisecond) // it would forget branch now if it didn't wait for the scrape
	close(answer)
	<-scraped
	require.NoError(t, <-reloaded)
	wantForgotten(t, a)
}

// A reload that turns native histograms off turns them off in the exporter's own metrics too.
func TestReloadNativeHistograms(t *testing.T) {
	t.Parallel()
	p, folder := &acme{t: t}, t.TempDir()
	file := p.write(folder, "call_log: ", "")
	a := start(t, file, p.provider())
	native := func() (found bool) {
		for _, f := range a.selfMetrics.Snapshot().Families {
			for _, point := range f.Points {
				found = found || f.Def == metrics.CommitDuration && point.Native
			}
		}
		return found
	}
	if !native() {
		t.Fatal("the default has none")
	}
	edit(t, file, "metrics: {", "metrics: {native_histograms: false, ")
	reload(t, a)
	if native() {
		t.Error("own metrics still have native histograms")
	}
}

// startLabelled starts a daemon whose calls have the department of a table of users. It says where the files are.
func startLabelled(t *testing.T, table string) (a *App, file, people string) {
	t.Helper()
	p, folder := &acme{t: t}, t.TempDir()
	people = filepath.Join(folder, "people.csv")
	writeFile(t, people, table)
	file = p.write(folder, "call_log: ", "labels: [{name: department, file: people.csv, key: user}]\n")
	return start(t, file, p.provider()), file, people
}

// A reload that was refused for something else is neither done nor forgotten because a file of labels turns bad, or
// good again.
func TestLabelsAfterARefusedReload(t *testing.T) {
	t.Parallel()
	const good, bad = "user,department\nann,Sales\n", "user,department\nann,Sales\nann,Support\n"
	a, file, people := startLabelled(t, good)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	writeFile(t, file, string(text)+"surprise: 1\n")
	if err := a.Reload(); err == nil {
		t.Fatal("an unknown key is accepted")
	}
	writeFile(t, file, string(text)+"privacy: {numbers: keep}\n")
	was := a.running.Load()
	writeFile(t, people, bad)
	look(a)
	if problem := a.configProblem(); !strings.Contains(problem, "people.csv:3") ||
		!strings.Contains(problem, "surprise") {
		t.Errorf("with bad labels the problem is %q", problem)
	}
	writeFile(t, people, good)
	look(a)
	if a.configProblem() == "" {
		t.Error("good labels have hidden it")
	}
	until(t, a, "cdr_exporter_config_last_reload_successful 0")
	if a.running.Load() != was {
		t.Error("a configuration that nobody reloaded is in effect")
	}
	reload(t, a)
	writeFile(t, people, bad)
	look(a)
	writeFile(t, people, good)
	look(a)
	if problem := a.configProblem(); problem != "" {
		t.Errorf("after a good reload and with good labels the problem is %q", problem)
	}
}

// look reads files again as often as it takes to take over one that has changed and stays as it is.
func look(a *App) {
	for range 2 {
		a.rereadFiles(context.Background())
	}
}

// TestHalfATableOfLabels: a table that is being written isn't taken, though half of it is a table
// too; what it said before stays in effect.
func TestHalfATableOfLabels(t *testing.T) {
	t.Parallel()
	const half, whole = "user,department\nann,Support\n", "user,department\nann,Support\nbob,Sales\n"
	a, _, people := startLabelled(t, "user,department\nann,Sales\nbob,Sales\n")
	before := a.labels.Load()
	for _, text := range []string{half, whole} {
		writeFile(t, people, text)
		a.rereadFiles(t.Context())
		if a.labels.Load() != before {
			t.Errorf("while the table is written it is taken: %q", text)
		}
	}
	a.rereadFiles(t.Context())
	if a.labels.Load() == before {
		t.Error("when it is whole it isn't taken")
	}
}

// A reload that was refused because of a file of labels is done when the file can be used again.
func TestReloadThatLabelsRefused(t *testing.T) {
	t.Parallel()
	a, _, people := startLabelled(t, "user,department\nann,Sales\n")
	writeFile(t, people, "user,team\nann,Sales\n")
	if err := a.Reload(); err == nil || a.configProblem() == "" {
		t.Errorf("a file of labels without its column is accepted: %v", err)
	}
	writeFile(t, people, "user,department\nann,Support\nbob,Sales\n")
	look(a)
	if problem := a.configProblem(); problem != "" {
		t.Errorf("after it was mended: %s", problem)
	}
}

// slowClose is a provider whose sources call a function when they are closed.
func slowClose(p collector.Provider, closing func()) collector.Provider {
	open := p.Open
	p.Open = func(c any, settings collector.SourceSettings) (*collector.Source, error) {
		s, err := open(c, settings)
		if err == nil {
			s.Close = closing
		}
		return s, err
	}
	return p
}

// Sources end their sessions at the same time: a provider that doesn't answer may take seconds for each.
func TestStopClosesSourcesTogether(t *testing.T) {
	t.Parallel()
	provider := &acme{t: t}
	provider.calls(map[cdr.Direction]int{cdr.Inbound: 1})
	var both sync.WaitGroup
	both.Add(2)
	a := start(t, provider.write(t.TempDir(), "active_calls: ", branch), slowClose(provider.provider(), func() {
		both.Done()
		both.Wait()
	}))
	require.NoError(t, a.Stop())
}

// A reload request during shutdown is refused at once: shutdown neither waits for its answer nor
// cuts it off.
func TestReloadWhileStopping(t *testing.T) {
	t.Parallel()
	provider := &acme{t: t}
	provider.calls(map[cdr.Direction]int{cdr.Inbound: 1})
	closing, answered := make(chan struct{}), make(chan struct{})
	a := start(t, provider.write(t.TempDir(), "active_calls: ", ""), slowClose(provider.provider(), func() {
		close(closing)
		<-answered
	}))
	go func() {
		defer close(answered)
		<-closing
		if err := a.Reload(); !errors.Is(err, errNotRunning) {
			t.Errorf("the reload: %v", err)
		}
	}()
	require.NoError(t, a.Stop())
}
