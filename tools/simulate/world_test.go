package simulate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/exporters/otlp"
	"github.com/cdr-exporter/cdr-exporter/internal/app"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator/otlpsink"
	"github.com/cdr-exporter/cdr-exporter/tools/harness"
)

// epoch is the time at which every bubble of testing/synctest begins.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

const (
	// rest is how long nothing happens if no step waits. It isn't a whole second, so that timers
	// rarely fire at its end.
	rest = 4997 * time.Millisecond
	// stepTime is the shortest time that a step takes.
	stepTime = time.Millisecond
)

// logRecords is the step that delivers log records.
const logRecords = "log records"

var pace = harness.Pace{Interval: "53s", Lookback: "1h", Settle: "5m", WholeAfter: "20m"}

// world is one run of a script.
type world struct {
	script   *script
	folder   string
	accounts *harness.Accounts
	sink     *otlpsink.Sink
	faults   *simulator.Faults
	down     time.Time // providers refuse everything until then

	processes int
	app       *app.App
	turns     *turns
	ledger    string // folder
	trace     strings.Builder
	shown     string
	problems  []string
	output    strings.Builder
}

// newWorld makes the parts that don't belong to a bubble: they listen.
func newWorld(s *script, folder string) (w *world, err error) {
	w = &world{script: s, folder: folder, faults: simulator.NewFaults(s.seed)}
	w.faults.Hook(func(string) simulator.Fault {
		if time.Now().Before(w.down) {
			return simulator.Unavailable
		}
		return simulator.NoFault
	})
	if w.accounts, err = harness.Start(harness.Settings{
		Seed: s.seed, From: epoch.Add(-10 * time.Minute), PerSecond: 0.004, Late: 4 * time.Minute, Faults: w.faults,
	}); err != nil {
		return nil, err
	}
	if w.sink, err = otlpsink.Start(otlpsink.Settings{}); err != nil {
		w.accounts.Close()
	}
	return w, err
}

func (w *world) close() {
	w.accounts.Close()
	w.sink.Close()
}

// start starts a process on a ledger.
func (w *world) start(ledgerFolder string) error {
	w.processes++
	w.turns, w.ledger = new(turns), ledgerFolder
	folder := filepath.Join(w.folder, fmt.Sprint("process-", w.processes))
	if err := os.Mkdir(folder, 0o700); err != nil {
		return err
	}
	file, err := w.accounts.Configure(folder, "path: "+ledgerFolder, "{}", pace)
	if err != nil {
		return err
	}
	w.app, err = app.New(context.Background(), app.Settings{
		ConfigFile: file, Providers: w.providers(w.turns), Random: w.jitter,
		Pipelines: map[string]otlp.Deliver{"logs": w.deliver(w.turns)},
		Logger:    slog.New(slog.NewTextHandler(&w.output, nil)),
	})
	if err != nil {
		return err
	}
	return w.app.Start()
}

// jitter gives each feed other waits, so that two hardly ever wake at the same instant.
func (w *world) jitter(source, feed string) float64 {
	sum := fnv.New64a()
	fmt.Fprint(sum, w.script.seed, source, feed)
	return rand.New(rand.NewPCG(sum.Sum64(), 0)).Float64()
}

// providers are the built-in providers, whose requests wait for their turn and don't need a network.
func (w *world) providers(t *turns) []collector.Provider {
	all := app.Providers()
	for i := range all {
		open := all[i].Open
		all[i].Open = func(config any, settings collector.SourceSettings) (*collector.Source, error) {
			settings.Waits = waits
			settings.Transport = transport{w, t, settings.Name}
			return open(config, settings)
		}
	}
	return all
}

// waits are those between retries without their random part, so that a simulation can be repeated exactly.
var waits = work.Backoff{First: work.Poll.First, Last: work.Poll.Last}

// transport answers the requests of a source.
type transport struct {
	world  *world
	turns  *turns
	source string
}

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := t.turns.wait(r.Context(), t.source+" "+r.Method+" "+r.URL.Path+"?"+query(r.URL)); err != nil {
		return nil, err
	}
	a := t.world.accounts
	for _, host := range []*simulator.Host{a.Tenant.Host, a.Office.Host, a.Carrier.Host} {
		if strings.TrimPrefix(host.BaseURL(), "https://") == r.URL.Host {
			return host.Transport().RoundTrip(r)
		}
	}
	return nil, errors.New("no account has the host " + r.URL.Host)
}

// query is a request's query without the key that each run makes, and without links' opaque marks.
func query(u *url.URL) string {
	values := u.Query()
	for _, name := range []string{"appid", "$skiptoken", "$skip"} {
		values.Del(name)
	}
	return values.Encode()
}

// deliver takes log records.
func (w *world) deliver(t *turns) otlp.Deliver {
	return func(ctx context.Context, request []byte) error {
		if err := t.wait(ctx, logRecords); err != nil {
			return err
		}
		return w.sink.DeliverLogs(request)
	}
}

// run runs the script within a bubble.
func (w *world) run() error {
	if err := w.start(filepath.Join(w.folder, "ledger")); err != nil {
		return err
	}
	step := 0
	for ; time.Since(epoch) < w.script.length || w.accounts.Unfinished(); step++ {
		if err := w.step(step, w.script.at(step)); err != nil {
			return err
		}
	}
	calls, want := w.accounts.Pause()
	w.down = time.Time{}
	w.sink.ClearFailures()
	for until := time.Now().Add(w.script.calm); time.Now().Before(until); step++ {
		if err := w.step(step, nil); err != nil {
			return err
		}
	}
	if calls < 100 {
		w.problem("only %d calls were published: this shows nothing", calls)
	}
	got, err := w.figures()
	if err != nil {
		return err
	}
	w.problems = append(w.problems, harness.Differences(got, want)...)
	if err := w.stop(); err != nil {
		return err
	}
	return w.verify()
}

// step lets incidents happen and then one step, or time pass if none waits.
func (w *world) step(number int, all []incident) error {
	random := w.script.random(number)
	torn := false
	for _, what := range all {
		w.note("%s", what)
		var err error
		switch what {
		case crash:
			torn = true
		case restart:
			if err = w.stop(); err == nil {
				err = w.start(w.ledger)
			}
		case reload:
			err = w.app.Reload()
		case fault:
			kinds := simulator.Transient()
			w.faults.Once("", kinds[random.IntN(len(kinds))])
		case outage:
			w.down = time.Now().Add(time.Duration(1+random.IntN(20)) * time.Minute)
		case pause:
			pass(time.Duration(1+random.IntN(10)) * time.Minute)
		case lost:
			w.sink.Fail(otlpsink.Reply{OnlyLogs: true, Status: http.StatusServiceUnavailable, Accept: true, Times: 1})
		}
		if err != nil {
			return err
		}
	}
	w.sendLogs()
	var before image
	if torn {
		var err error
		if before, err = readImage(w.ledger); err != nil {
			return err
		}
	}
	if steps := w.turns.steps(); len(steps) == 0 {
		pass(rest)
	} else {
		index := random.IntN(len(steps))
		w.note("%s", steps[index])
		w.turns.give(index)
		pass(stepTime + time.Duration(random.IntN(int(stepTime)))) // the next timers start at another instant
	}
	synctest.Wait()
	if number%100 == 0 || torn {
		w.observe()
	}
	if torn {
		return w.crash(before, random.Uint64())
	}
	return nil
}

// sendLogs gives their turn to deliveries of log records, which are left out of the trace: the sender
// looks at its queue while feeds commit, and the database decides which of them is first.
func (w *world) sendLogs() {
	for synctest.Wait(); w.turns.giveNamed(logRecords); {
		synctest.Wait()
	}
}

// crash leaves the process behind and starts another on what the disk had.
func (w *world) crash(before image, seed uint64) error {
	after, err := readImage(w.ledger)
	if err != nil {
		return err
	}
	w.turns.crash()
	_ = w.app.Stop() // nothing that it does now matters
	folder := filepath.Join(w.folder, fmt.Sprint("ledger-", w.processes))
	if err := torn(before, after, w.script.random(int(seed>>1))).write(folder); err != nil {
		return err
	}
	return w.start(folder)
}

// stop ends the process as a service manager does, and lets it send what waits.
func (w *world) stop() error {
	done := make(chan error, 1)
	go func() { done <- w.app.Stop() }()
	for {
		synctest.Wait()
		select {
		case err := <-done:
			return err
		default:
		}
		if steps := w.turns.steps(); len(steps) > 0 {
			w.turns.give(0)
		} else {
			pass(rest)
		}
	}
}

// observe notes the sums of all counters, if they have changed.
func (w *world) observe() {
	got, err := w.figures()
	if err != nil {
		w.problem("%v", err)
		return
	}
	var calls, seconds int64
	for metric := range got {
		switch _, name, _ := strings.Cut(metric, " "); name {
		case "cdr_calls_total":
			calls += got.Sum(metric) / 1e6
		case "cdr_call_connected_seconds_total":
			seconds += got.Sum(metric) / 1e6
		}
	}
	if shown := fmt.Sprintf("%d calls, %d s connected", calls, seconds); shown != w.shown {
		w.shown = shown
		w.note("%s", shown)
	}
}

// figures are the process's metrics and the delivered log records.
func (w *world) figures() (simulator.Tables, error) {
	recorder := httptest.NewRecorder()
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "/metrics", http.NoBody)
	if err != nil {
		return nil, err
	}
	w.app.Handler().ServeHTTP(recorder, request)
	if recorder.Code != http.StatusOK {
		return nil, fmt.Errorf("/metrics answers %d", recorder.Code)
	}
	got := make(simulator.Tables)
	err = w.accounts.AddMetrics(got, bytes.NewReader(recorder.Body.Bytes()))
	harness.AddLogs(got, w.sink.Logs())
	return got, err
}

// verify checks the ledger's own rules.
func (w *world) verify() error {
	inspector, err := ledger.Storage{Folder: w.ledger}.Inspect(context.Background())
	if err != nil {
		return err
	}
	for _, err := range inspector.Verify(func(string, int) {}) {
		w.problem("ledger verify: %v", err)
	}
	return inspector.Close()
}

// pass lets simulated time pass.
func pass(d time.Duration) { <-time.After(d) }

func (w *world) note(format string, args ...any) {
	fmt.Fprintf(&w.trace, "%s "+format+"\n", append([]any{time.Since(epoch)}, args...)...)
}

func (w *world) problem(format string, args ...any) {
	w.problems = append(w.problems, fmt.Sprintf(format, args...))
}
