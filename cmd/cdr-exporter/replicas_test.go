package main_test

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/pgtest"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator/otlpsink"
)

// accounts are what a fleet reads: estates, and a tenant with call records of which notifications tell.
type accounts struct {
	*site
	estates []*estate
	board   *switchboard
	// hook is where the tenant sends notifications: to any replica.
	hook *pgtest.Proxy
	sink *receiver
}

// newAccounts makes 16 feeds. Each world of the environments publishes a number of calls, most of
// them within d.
func newAccounts(t *testing.T, d time.Duration, calls int) *accounts {
	a := &accounts{site: newSite(t), hook: pgtest.NewProxy(t, "127.0.0.1:1")}
	for i := range 2 {
		name := fmt.Sprintf("n%d", i)
		e := newEstate(t, estateSettings{
			site: a.part(name), name: name, seed: uint64(200 + i), calls: calls,
			era: bustlingEra(d),
		})
		if i > 0 {
			e.desk.ActiveCalls = "" // 7 feeds
		}
		a.estates = append(a.estates, e)
	}
	board := evening(210, 150)
	board.site = a.part("board")
	a.board = newSwitchboard(t, board)
	a.board.hook = a.hook.Addr
	a.sink = newReceiver(t, a.vault, otlpsink.Settings{})
	return a
}

// configure writes the configuration of every replica.
func (a *accounts) configure() {
	a.t.Helper()
	var items []string
	for _, e := range a.estates {
		for _, p := range e.places() {
			items = append(items, p.item())
		}
	}
	records := a.board.itemOf(source{PSTN: "-", DirectRouting: "-", CallRecords: a.board.subscribed(6 * time.Hour)})
	items = append(items, strings.ReplaceAll(records, "_file: ", "_file: board/"))
	a.configureSources(settings{Storage: fleetStorage, OTLP: a.sink.overHTTP("")}, items...)
}

// goesOn waits until every feed was read again, and the call records were counted.
func (a *accounts) goesOn(f *fleet) {
	a.t.Helper()
	for _, e := range a.estates {
		e.read(f.running, f.scrape)
	}
}

// notifies publishes more call records and notifies a replica of them.
func (a *accounts) notifies(r *replica) {
	a.t.Helper()
	a.hook.Cut() // what is open too
	a.hook.SetTarget(r.hook)
	a.hook.Resume()
	taken := a.board.Notified().Delivered
	a.board.pass(time.Hour)
	a.board.delivered()
	if a.board.Notified().Delivered == taken {
		a.t.Error("there was nothing to notify of")
	}
}

// countsRecords waits until the call records are counted.
func (a *accounts) countsRecords(f *fleet) {
	a.t.Helper()
	want := a.board.totals().Metrics
	eventually(a.t, "count the call records exactly", func() error {
		f.running()
		return diff(f.scrape().tables("contoso", callRecords), want)
	})
}

// countsAll publishes the rest, and waits until everything is counted and delivered.
func (a *accounts) countsAll(f *fleet) {
	a.t.Helper()
	for _, e := range a.estates {
		e.skip(10 * time.Hour)
		e.hold()
		e.counted(f.running, f.scrape)
		a.sink.completeAll(e)
	}
	a.countsRecords(f)
	if down := a.sink.Decreased(); len(down) > 0 {
		a.t.Errorf("OTLP metrics went down: %q", down)
	}
}

// TestReplicas (guarantees 1, 2, 5; counting.md 1): three replicas over a PostgreSQL with a
// synchronous standby read 16 feeds. They are killed, paused and cut off, and the database is
// restarted during a commit and fails over. No series is shown twice, a replaced replica writes
// nothing, and every call is counted and delivered. TestOwnership of internal/app has how soon feeds
// move, and how often.
func TestReplicas(t *testing.T) {
	t.Parallel()
	a := newAccounts(t, 2*time.Minute, 300)
	primary := pgtest.Start(t)
	f := newFleet(a.site, primary, primary.Standby(t))
	f.feeds, f.webhook = 16, a.path("board/webhook.yaml")
	a.configure()

	// All at once, on an empty database.
	first := f.start(3)
	a.hook.SetTarget(first[0].hook)
	f.read(first...)
	f.audit()
	a.goesOn(f)

	// Killed: the others take over.
	most := slices.MaxFunc(first, func(x, y *replica) int {
		return cmp.Compare(len(x.scrape().owned()), len(y.scrape().owned()))
	})
	left := slices.DeleteFunc(first, func(r *replica) bool { return r == most })
	b, c := left[0], left[1]
	f.kill(most)
	f.read(b, c)

	// Notified of calls: a replica that doesn't read the feed.
	d := f.start(1)[0]
	a.notifies(d)
	a.countsRecords(f)

	// Paused within a transaction, and cut off from the database within others: who is left takes all over.
	f.pauseInCommit(b)
	c.wire.Stall()
	woken := b.scrapeWhilePaused()
	f.read(d)
	b.signal(syscall.SIGCONT)
	// Every series of a feed that it shows would be shown by two.
	if shown := woken(); len(shown.owned()) > 0 || len(shown.series("cdr_calls_total")) > 0 {
		t.Errorf("woken, it shows %v", slices.Sorted(maps.Keys(shown.owned())))
	}
	f.live = append(f.live, b)
	f.watch.add(b)
	c.wire.Resume() // what was held back arrives now
	a.goesOn(f)

	// A clean stop hands over, though the OTLP endpoint is down.
	a.sink.Fail(otlpsink.Reply{OnlyLogs: true, Status: http.StatusServiceUnavailable})
	e := f.start(1)[0]
	f.stop(d)
	f.read(b, c, e)
	a.sink.ClearFailures()

	// The database is restarted while commits wait for the standby: they are durable, and nobody was told.
	for range 2 {
		f.inCommit(func() { f.primary.Restart(t, "immediate") })
		f.commits(f.live...)
	}
	a.goesOn(f)

	// The primary's machine dies while commits wait for the standby, which takes its place without
	// some of them: connections to it, old and new, get no answer.
	f.inCommit(func() {
		for _, r := range f.live {
			r.wire.Stall()
		}
		f.primary.Kill(t)
	})
	f.standby.Promote(t)
	f.writing = f.standby
	a.goesOn(f)

	a.notifies(f.live[0])
	a.countsAll(f)
	f.watch.stop()
	f.unfenced()
	for _, r := range slices.Clone(f.live) {
		f.stop(r)
	}
	f.verify()
}

// scrapeWhilePaused asks a process that stands still for its metrics; what is returned waits for the answer.
func (r *replica) scrapeWhilePaused() func() families {
	r.t.Helper()
	conn, err := new(net.Dialer).DialContext(r.t.Context(), "tcp", r.addresses()[0])
	if err == nil {
		_, err = io.WriteString(conn, "GET /metrics HTTP/1.0\r\n\r\n")
	}
	require.NoError(r.t, err)
	return func() families {
		r.t.Helper()
		defer func() { _ = conn.Close() }() // all was read
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(r.t, err)
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK {
			r.t.Fatalf("woken, it answers %s, %v", response.Status, err)
		}
		return r.parse(body)
	}
}
