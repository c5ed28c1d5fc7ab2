package callrecords

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/subscriptions"
	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
	"github.com/cdr-exporter/cdr-exporter/internal/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// shelf is a ledger made of maps, with the rules of its work: enough to see that the feed
// tells it the right things. It is a collector.Ledger and a collector.TaskQueue.
type shelf struct {
	mu    sync.Mutex
	now   func() time.Time
	state counting.State
	work  map[[2]string]counting.Task
	tally *tally
}

func (s *shelf) Now() time.Time { return s.now().UTC() }

func (s *shelf) State() counting.State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

func (s *shelf) Commit(_ context.Context, page *counting.Page) (r counting.Result, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tally.take(&collector.Page{Records: page.Records, Invalid: page.Invalid})
	for _, w := range page.Done {
		if was := s.work[[2]string{w.Kind, w.Key}]; was.Version <= w.Version {
			delete(s.work, [2]string{w.Kind, w.Key})
		}
	}
	for _, w := range page.Enqueue {
		id := [2]string{w.Kind, w.Key}
		was, waits := s.work[id]
		if w.Kind == counting.TaskRecord && w.Version > 0 && s.tally.versions[w.Key] >= w.Version ||
			waits && (w.Version < was.Version || w.Version == was.Version && w.Attempts < was.Attempts) {
			continue
		}
		if s.work[id] = w; !waits {
			r.Queued++
		}
	}
	if p := page.Position; p != nil {
		s.state.HistoryDone = s.state.HistoryDone || p.HistoryDone
		if p.Watermark.After(s.state.Watermark) {
			s.state.Watermark = p.Watermark
		}
		if p.Plan != nil {
			s.state.Plan = slices.Clone(p.Plan)
		}
	}
	return r, nil
}

// SetAside implements collector.TaskQueue: nothing of these tests is.
func (s *shelf) SetAside(context.Context, time.Time, int) ([]counting.Task, error) { return nil, nil }

func (s *shelf) Waiting(context.Context) (waiting, setAside int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.work), 0, nil
}

func (s *shelf) Due(_ context.Context, now time.Time, limit int) ([]counting.Task, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	due := slices.DeleteFunc(slices.Collect(maps.Values(s.work)), func(w counting.Task) bool { return w.SetAside || w.Due.After(now) })
	slices.SortFunc(due, func(a, b counting.Task) int { return a.Due.Compare(b.Due) })
	return due[:min(limit, len(due))], nil
}

// tenant is a simulated tenant with a feed of its call records, told of by notifications.
type tenant struct {
	t       *testing.T
	server  *sim.Server
	records *sim.CallRecords
	feed    *collector.TaskFeed
	shelf   *shelf
	seen    *observer
	looks   []time.Time
}

const testSettle = 90 * time.Minute

func newTenant(t *testing.T, delivery sim.Delivery) *tenant {
	t.Helper()
	begin := time.Date(2026, 11, 1, 6, 0, 0, 0, time.UTC)
	records := sim.HistoricalCallRecords(5, begin, begin.Add(12*time.Hour), 60)
	delivery.Every = -1
	server, err := sim.Start(sim.Settings{
		CallRecords: records, Delivery: delivery, At: begin, FirstPages: 1_000_000, NextPages: 1_000_000,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	x := &tenant{t: t, server: server, records: records, seen: &observer{counts: map[string]int{}}}
	x.shelf = &shelf{now: server.Now, work: map[[2]string]counting.Task{}, tally: newTally()}
	x.shelf.state = counting.State{Origin: begin, Floor: begin, Watermark: begin}

	var handler http.Handler
	listening := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(listening.Close)
	info := openRecords(t, server, testSettle, func(c *Config, s *collector.SourceSettings) {
		c.Webhook = &subscriptions.Webhook{PublicURL: listening.URL + "/webhooks/contoso"}
		s.Notified = x.seen
		s.Derive = func(purpose string) []byte { return []byte("0123456789abcdef" + purpose[:8]) }
	}).Info
	x.feed = collector.NewTaskFeed(collector.FeedSettings{Info: &info, Ledger: x.shelf, Queue: x.shelf, Clock: collector.NewClock(server.Now, nil)})
	handler = info.Webhook.Handler(collector.Inbox{Enqueue: func(ctx context.Context, work []collector.Task) (int, error) {
		r, err := x.shelf.Commit(ctx, &counting.Page{Enqueue: work, ObservedAt: x.shelf.Now()})
		return r.Queued, err
	}})
	return x
}

// poll does all that is due.
func (x *tenant) poll() {
	x.t.Helper()
	for x.feed.Wait(x.t.Context()) == 0 {
		// An error is shown, and tried again.
		if err := x.feed.Poll(x.t.Context()); err != nil && strings.Contains(err.Error(), "list") {
			x.t.Error(err)
		}
	}
	x.looks = append(x.looks, x.server.Now())
}

// pass lets time pass, in steps after which all is told and fetched.
func (x *tenant) pass(d time.Duration) {
	x.t.Helper()
	for range d / (10 * time.Minute) {
		x.server.Advance(10 * time.Minute)
		x.server.Deliver()
		x.poll()
	}
}

// A tenant that tells of its call records, twice, out of order, and with forgeries among
// them: what is counted equals its totals.
func TestNotifiedCallRecords(t *testing.T) {
	x := newTenant(t, sim.Delivery{Seed: 1, Duplicated: 0.5, Forged: 0.5, Malformed: 0.1, DelayMax: time.Second})
	x.poll()
	if all := x.server.Subscriptions(); len(all) != 1 || all[0].ChangeType != "updated" || len(all[0].ClientState) > 128 || !x.seen.expiries[0].Equal(all[0].Expires) {
		t.Fatalf("subscriptions %+v, the gauge shows %s", all, x.seen.expiries)
	}
	x.pass(16 * time.Hour)
	x.shelf.tally.want(t, x.records.Totals(simulator.View{At: x.looks, Settle: testSettle}))

	notified := x.server.Notified()
	if got := x.seen.counts["accepted"] + x.seen.counts["duplicate"]; got != notified.Delivered || notified.Copies == 0 {
		t.Errorf("%d were taken, %d delivered, %d of them copies", got, notified.Delivered, notified.Copies)
	}
	if x.seen.counts["forged"] != notified.Forged || x.seen.counts["invalid"] != notified.Malformed || notified.Forged == 0 || notified.Malformed == 0 {
		t.Errorf("%v, want %d forged, %d malformed", x.seen.counts, notified.Forged, notified.Malformed)
	}
	if notified.Refused > 0 {
		t.Errorf("%d requests had another answer, or none in time", notified.Refused)
	}
}

// Notifications are a hint (counting.md 12): of those that are lost, and after a
// subscription is, the list makes up, and each call's media are those of when it settled.
func TestRule12_LostNotifications(t *testing.T) {
	x := newTenant(t, sim.Delivery{Seed: 2, Lost: 0.5})
	x.poll()
	x.pass(6 * time.Hour)
	x.server.RemoveSubscriptions() // and tells of it
	x.pass(time.Hour)
	if all := x.server.Subscriptions(); len(all) != 1 || !slices.ContainsFunc(x.seen.expiries, time.Time.IsZero) {
		t.Errorf("after it was removed there are %d subscriptions; the gauge was %v", len(all), x.seen.expiries)
	}
	x.pass(12 * time.Hour)
	want := x.records.Totals(simulator.View{At: x.looks, Settle: testSettle})
	got := x.shelf.tally
	if got.Records != want.Records || got.Settled != want.Settled || x.server.Notified().Lost == 0 {
		t.Errorf("%d records, %d settled, want %d and %d; %d notifications were lost", got.Records, got.Settled, want.Records, want.Settled, x.server.Notified().Lost)
	}
	for metric := range want.Metrics {
		if strings.HasPrefix(metric, "cdr_media_") || metric == "cdr_ratings_total" {
			providertest.WantSame(t, metric, got.Metrics[metric], want.Metrics[metric])
		}
	}
}
