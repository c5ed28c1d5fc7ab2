package main_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// callRecords is the feed's name.
const callRecords = "call_records"

// switchboard is a simulated tenant with call records, and the site of an exporter that reads them
// and gets notifications over TLS.
type switchboard struct {
	*tenant
	records *sim.CallRecords
	faults  *simulator.Faults
	settle  time.Duration
	// hook is where the exporter listens for notifications.
	hook string
	// authority is whom the tenant trusts when it notifies.
	authority *simulator.Authority
	// seen are the instants in which the exporter looked.
	seen []time.Time
	// raced takes the binary that finds races, where the tests have one.
	raced bool
}

// switchboardSettings say what a switchboard is.
type switchboardSettings struct {
	site *site // empty: one is made
	seed uint64
	// calls start in a range of time before now; routed are additional Direct Routing calls.
	calls, routed int
	from, to      time.Duration
	settle        time.Duration
	versions      sim.Versions // those that are usual, and read at once, if zero
	graph         sim.Settings
}

// newSwitchboard starts a tenant whose publication is held.
func newSwitchboard(t testing.TB, s switchboardSettings) *switchboard {
	t.Helper()
	now := time.Now()
	b := &switchboard{
		settle: s.settle, hook: free(t),
		faults: simulator.NewFaults(s.seed),
	}
	if s.versions.Final == 0 {
		s.versions = sim.UsualVersions()
		s.versions.Young = 0
	}
	set := sim.HistoricalCalls(s.seed, now.Add(-s.from), now.Add(-s.to), s.calls)
	records := sim.CallRecordSettings{Calls: simulator.NewWorld(set), Versions: s.versions}
	if s.routed > 0 {
		routing := simulator.Historical(s.seed+1, sim.DirectRoutingMix(), now.Add(-s.from), now.Add(-s.to), s.routed)
		routing.Delays, routing.MaxLate, routing.Revised = []simulator.Delay{{Weight: 1, Max: time.Minute}}, 0, 0
		s.graph.DirectRouting = simulator.NewWorld(routing)
		records.Routed = s.graph.DirectRouting
	}
	b.records = sim.NewCallRecords(records)
	at := s.site
	if at == nil {
		at = newSite(t)
	}
	b.authority = certificate(t, at, "webhook")
	at.write("webhook.yaml", "tls_server_config: {cert_file: webhook.pem, key_file: webhook.key}\n")
	s.graph.CallRecords, s.graph.Faults = b.records, b.faults
	s.graph.Webhooks = &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: b.authority.Pool(), MinVersion: tls.VersionTLS12},
	}
	b.tenant = tenantAt(t, at, s.graph)
	at.vault.hidePeople(set.Mix)
	b.Advance(b.still(0))
	b.Pause()
	b.look()
	return b
}

// certificate makes a certificate for this machine and the file of its key.
func certificate(t testing.TB, at *site, name string) *simulator.Authority {
	t.Helper()
	authority, err := simulator.NewAuthority()
	require.NoError(t, err)
	at.write(name+".pem", string(authority.CA()))
	at.write(name+".key", string(authority.Key()))
	return authority
}

// still is how long it is, from d on, until nothing settles for as long as a test may look:
// what is published can be held, time can't, which is ahead of what is published.
func (b *switchboard) still(d time.Duration) time.Duration {
	if b.settle == 0 {
		return d
	}
	settled := func(at time.Time) int {
		return b.records.Totals(simulator.View{At: []time.Time{at.Add(d)}, Settle: b.settle}).Settled
	}
	from, to := b.Visible(), b.Now().Add(waitTimeout+time.Minute)
	for settled(from) != settled(to) {
		d += time.Minute
	}
	return d
}

// look takes note of the instant at which all is looked at.
func (b *switchboard) look() { b.seen = append(b.seen, b.Visible()) }

// pass moves the clock by about d at once.
func (b *switchboard) pass(d time.Duration) {
	b.Advance(b.still(d))
	b.look()
}

// totals are what must be counted.
func (b *switchboard) totals() *sim.CallTotals {
	totals := b.records.Totals(simulator.View{At: b.seen, Settle: b.settle})
	return &totals
}

// hookPath is the webhook's path, url its address.
const hookPath = "/webhooks/contoso"

func (b *switchboard) url() string { return "https://" + b.hook + hookPath }

// subscribed are the settings of the feed with a webhook, polled those without; the list is read
// with this interval.
func (b *switchboard) subscribed(interval time.Duration) string {
	return fmt.Sprintf("{interval: %s, lookback: 48h, settle: %s, webhook: {public_url: %q}}", interval, b.settle,
		b.url())
}

func (b *switchboard) polled(interval time.Duration) string {
	return fmt.Sprintf("{interval: %s, lookback: 48h, settle: %s}", interval, b.settle)
}

// launch starts an exporter that reads the call records, and listens for notifications if the feed
// has a webhook.
func (b *switchboard) launch(feed string, set settings) *exporter {
	b.t.Helper()
	one := source{PSTN: "-", DirectRouting: "-", CallRecords: feed}
	if b.worlds[directRouting] != nil {
		one.DirectRouting = ""
	}
	config := b.configureSources(set, b.itemOf(one))
	return start(b.t, b.vault, launch{config: config, raced: b.raced, args: []string{
		"--webhook.listen-address=" + b.hook, "--webhook.config.file=" + b.path("webhook.yaml"),
	}})
}

// subscribed waits until the tenant has exactly one subscription for this exporter, and returns it.
func (x *exporter) subscribed(b *switchboard) sim.Subscription {
	x.t.Helper()
	var last sim.Subscription
	eventually(x.t, "subscribe", func() error {
		x.running()
		all := b.Subscriptions()
		if len(all) != 1 {
			return fmt.Errorf("there are %d subscriptions", len(all))
		}
		last = all[0]
		at := float64(last.Expires.UnixMilli()) / 1000
		return x.scrape().is(at, "cdr_subscription_expiry_timestamp_seconds", "source=contoso")
	})
	return last
}

// countsCalls waits until the metrics of the call records are what there was.
func (x *exporter) countsCalls(b *switchboard) {
	x.t.Helper()
	want := b.totals().Metrics
	eventually(x.t, "count the call records exactly", func() error {
		x.running()
		return diff(x.scrape().tables("contoso", callRecords), want)
	})
}

// delivered waits until all that the tenant had to tell was taken.
func (b *switchboard) delivered() {
	b.t.Helper()
	eventually(b.t, "take every notification", func() error {
		b.Deliver()
		if n := b.NotificationsWaiting(); n > 0 {
			return fmt.Errorf("%d wait", n)
		}
		return nil
	})
}

// fails lets all requests to one endpoint meet a fault, and no others.
func (b *switchboard) fails(endpoint string, fault simulator.Fault) {
	b.faults.Hook(func(asked string) simulator.Fault {
		if asked == endpoint {
			return fault
		}
		return simulator.NoFault
	})
}

// asked is how many requests an endpoint has answered with a status; 0: all of them.
func (b *switchboard) asked(endpoint string, status int) int {
	return b.Requests().Count(endpoint)[status]
}

// morning is a tenant whose calls are in every state at first: its records grow for hours,
// and some of them once more later.
func morning(seed uint64, settle time.Duration) switchboardSettings {
	versions := sim.UsualVersions()
	versions.Later, versions.LaterMin, versions.LaterMax = 0.2, 4*time.Hour, 16*time.Hour
	return switchboardSettings{
		seed: seed, calls: 125, from: 20 * time.Hour, to: -4 * time.Hour, settle: settle, versions: versions,
		graph: sim.Settings{RecordPage: 40, SessionPage: 20, SegmentPage: 3, ParticipantPage: 40},
	}
}

// afterwards are the steps in which a morning goes on until nothing changes any more.
var afterwards = []time.Duration{time.Hour, 2 * time.Hour, 25 * time.Hour}

// TestCallRecordsNotified (counting.md 1, 12, 14, 16, 17): what is counted of calls, sessions and quality is what there
// was, at every instant and after a restart, while the tenant tells of records over TLS, and loses, doubles and mixes
// notifications up; the list has what was lost. Media streams have the building of their sender's subnet, by
// Microsoft's building file: wired ends of the simulator are in one subnet, those by Wi-Fi in another one, and calls
// have no building. TestCommandsOfCallRecords reads the list alone.
func TestCallRecordsNotified(t *testing.T) {
	t.Parallel()
	s := morning(81, 90*time.Minute)
	s.graph.Delivery = sim.Delivery{Seed: 3, Lost: 0.2, Duplicated: 0.5, DelayMax: time.Second}
	b := newSwitchboard(t, s)
	b.raced = true
	b.write("buildings.csv",
		"192.0.2.0,Lab,26,Headquarters,Contoso,Office,IT,Berlin,10115,DE,,EMEA,1,0,0\n192.0.2.64,Lab "+
			"Wi-Fi,26,Annex,Contoso,Office,IT,Berlin,10115,DE,,EMEA,1,0,0\n")
	set := settings{More: "labels: [{name: building, file: buildings.csv, key: subnet, value: BuildingName}]"}
	x := b.launch(b.subscribed(time.Second), set).ready()
	x.countsCalls(b)
	if one := x.subscribed(b); one.ChangeType != "updated" || one.MinTLS != "v1_2" || one.LifecycleURL != b.url() {
		t.Errorf("subscribed as %+v", one)
	}
	for _, d := range afterwards {
		b.pass(d)
		b.delivered()
		x.countsCalls(b)
	}
	if sent := b.Notified(); sent.Lost == 0 || sent.Copies == 0 {
		t.Errorf("sent were %+v", sent)
	}
	x.heard(b)
	m := x.scrape()
	for network, building := range map[string]string{"wired": "Headquarters", "wifi": "Annex"} {
		all, there := m.sum("cdr_media_streams_total", "network="+network),
			m.sum("cdr_media_streams_total", "network="+network, "building="+building)
		if all == 0 || there != all {
			t.Errorf("%g of %g streams by %s are in %q", there, all, network, building)
		}
		if n := m.sum("cdr_calls_total", "building="+building); n != 0 {
			t.Errorf("%g calls have the building %s", n, building)
		}
	}
	x.stop()
	x = b.launch(b.subscribed(time.Second), set).ready()
	x.countsCalls(b)
	x.stop()
}

// heard waits until what came as notifications is counted as what it is.
func (x *exporter) heard(b *switchboard) {
	x.t.Helper()
	var sent sim.Notified
	eventually(x.t, "count the notifications", func() error {
		m := x.scrape()
		sent = b.Notified() // here: the tenant counts one only after it was taken
		genuine := m.sum("cdr_notifications_total", "result=accepted") +
			m.sum("cdr_notifications_total", "result=duplicate")
		if want := float64(sent.Delivered); genuine != want {
			return fmt.Errorf("%g were genuine, want %g", genuine, want)
		}
		return nil
	})
	if sent.Delivered == 0 {
		return
	}
	last, err := x.scrape().one("cdr_subscription_last_notification_timestamp_seconds", "source=contoso")
	if age := float64(time.Now().Unix()) - last; err != nil || age < -1 || age > waitTimeout.Seconds() {
		x.t.Errorf("the last notification came %g s ago, %v", age, err)
	}
}

// evening is a tenant that notifies an exporter, which doesn't read the list for hours.
func evening(seed uint64, calls int) switchboardSettings {
	return switchboardSettings{seed: seed, calls: calls, from: 8 * time.Hour, to: -8 * time.Hour, graph: sim.Settings{
		Delivery: sim.Delivery{Seed: seed, Duplicated: 0.3, Retry: 200 * time.Millisecond},
	}}
}

// TestKillBetweenNotifiedAndFetched (counting.md 4): a record whose notification got a 202 is
// counted, even if the process is killed before it fetches the record, and although the list, which
// would also find it, can't be read.
func TestKillBetweenNotifiedAndFetched(t *testing.T) {
	t.Parallel()
	b := newSwitchboard(t, evening(101, 100))
	feed := b.subscribed(6 * time.Hour)
	x := b.launch(feed, settings{}).ready()
	x.countsCalls(b)
	one := x.subscribed(b)
	before := x.scrape()
	b.fails(sim.EndpointCallRecord, simulator.Unavailable)
	b.pass(4 * time.Hour)
	b.delivered()
	taken := b.Notified().Delivered
	eventually(t, "try to fetch the notified records", func() error {
		if b.asked(sim.EndpointCallRecord, 503) == 0 {
			return errors.New("no record was requested")
		}
		return nil
	})
	if after := x.scrape(); taken < 10 || after.sum("cdr_calls_total") != before.sum("cdr_calls_total") {
		t.Fatalf("%d notifications were taken, %g calls counted of them", taken,
			after.sum("cdr_calls_total")-before.sum("cdr_calls_total"))
	}
	x.kill()
	b.fails(sim.EndpointCallRecords, sim.Forbidden)
	lists := b.asked(sim.EndpointCallRecords, 200)
	x = b.launch(feed, settings{}).serving()
	x.countsCalls(b)
	if again := x.subscribed(b); again.ID != one.ID || b.Notified().Delivered != taken {
		t.Errorf("subscribed as %s and then as %s; %d more notifications came", one.ID, again.ID,
			b.Notified().Delivered-taken)
	}
	// At any instant: what wasn't answered comes again, what was is kept.
	random := rand.New(rand.NewPCG(101, 101))
	for range 6 {
		b.pass(time.Hour)
		select {
		case <-time.After(time.Duration(random.IntN(300)) * time.Millisecond):
		case <-x.done:
		}
		x.kill()
		x = b.launch(feed, settings{}).serving()
		b.delivered()
		x.countsCalls(b)
	}
	if n := b.asked(sim.EndpointCallRecords, 200); n != lists {
		t.Errorf("the list was read %d times meanwhile", n-lists)
	}
	x.stop()
}
