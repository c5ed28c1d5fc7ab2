package main_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
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
	records := sim.CallRecordSettings{Calls: world(t, set), Versions: s.versions}
	if s.routed > 0 {
		routing := simulator.Historical(s.seed+1, sim.DirectRoutingMix(), now.Add(-s.from), now.Add(-s.to), s.routed)
		routing.Delays, routing.MaxLate, routing.Revised = []simulator.Delay{{Weight: 1, Max: time.Minute}}, 0, 0
		s.graph.DirectRouting = world(t, routing)
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
	key, err := x509.MarshalPKCS8PrivateKey(authority.Certificate.PrivateKey)
	require.NoError(t, err)
	at.write(name+".pem",
		string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.Certificate.Certificate[0]})))
	at.write(name+".key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
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
		return asError(diff(x.scrape().tables("contoso", callRecords), want))
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
