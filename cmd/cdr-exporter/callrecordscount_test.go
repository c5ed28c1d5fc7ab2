package main_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
)

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

// TestCallRecordsPolled (counting.md 1, 14, 16, 17): what is counted of calls,
// sessions and quality is what there was, at every instant, by the list alone. Media streams carry the
// building of their sender's subnet, by Microsoft's building file: wired ends of the simulator are in
// one subnet, those by Wi-Fi in another one, and calls have no building.
func TestCallRecordsPolled(t *testing.T) {
	t.Parallel()
	b := newSwitchboard(t, morning(81, 90*time.Minute))
	b.write("buildings.csv",
		"192.0.2.0,Lab,26,Headquarters,Contoso,Office,IT,Berlin,10115,DE,,EMEA,1,0,0\n192.0.2.64,Lab "+
			"Wi-Fi,26,Annex,Contoso,Office,IT,Berlin,10115,DE,,EMEA,1,0,0\n")
	set := settings{More: "labels: [{name: building, file: buildings.csv, key: subnet, value: BuildingName}]"}
	x := b.launch(b.polled(time.Second), set).ready()
	x.countsCalls(b)
	for _, d := range afterwards {
		b.pass(d)
		x.countsCalls(b)
	}
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
	x = b.launch(b.polled(time.Second), set).ready()
	x.countsCalls(b) // and again after a restart
	x.stop()
}

// TestCallRecordsNotified (counting.md 12): the same while the tenant tells of records over
// TLS, and loses, doubles and mixes up notifications.
func TestCallRecordsNotified(t *testing.T) {
	t.Parallel()
	s := morning(82, 90*time.Minute)
	s.graph.Delivery = sim.Delivery{
		Seed: 3, Lost: 0.2, Duplicated: 0.5, DelayMax: time.Second,
	}
	b := newSwitchboard(t, s)
	b.raced = true
	x := b.launch(b.subscribed(time.Second), settings{}).ready()
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
