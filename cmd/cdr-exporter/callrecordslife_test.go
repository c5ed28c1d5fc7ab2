package main_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
)

// noon is a tenant whose calls have begun, and of which a part is published later: so
// they are within what a gap in notifications makes one list again. There are as many in
// the short run, or some spans would have nothing to notify of.
func noon(seed uint64) switchboardSettings {
	s := evening(seed, 150)
	s.from, s.to = 150*time.Minute, 0
	s.versions = sim.UsualVersions()
	s.versions.Young, s.versions.Final = 0, 4*time.Hour
	return s
}

// remade waits until there is another subscription than one.
func (x *exporter) remade(b *switchboard, was sim.Subscription) sim.Subscription {
	x.t.Helper()
	eventually(x.t, "subscribe again", func() error {
		x.running()
		if all := b.Subscriptions(); len(all) != 1 || all[0].ID == was.ID {
			return fmt.Errorf("there are %d subscriptions", len(all))
		}
		return nil
	})
	return x.subscribed(b)
}

// TestSubscriptionLife (counting.md 12): what Graph says of the subscription is done: it is
// renewed, or made again, and what was missed meanwhile is listed, though the list isn't
// due for hours. After a restart it is found again.
func TestSubscriptionLife(t *testing.T) {
	t.Parallel()
	b := newSwitchboard(t, noon(121))
	b.raced = true
	feed := b.subscribed(6 * time.Hour)
	x := b.launch(feed, settings{}).ready()
	x.countsCalls(b)
	one := x.subscribed(b)
	lists := b.asked(sim.EndpointCallRecords, 200)

	b.NotificationsPaused.Store(true)
	b.pass(20 * time.Minute)
	if n := len(b.Subscriptions()); n != 1 {
		t.Fatalf("there are %d subscriptions", n)
	}
	b.RemoveSubscriptions()
	b.NotificationsPaused.Store(false)
	two := x.remade(b, one)
	x.countsCalls(b)

	b.NotificationsPaused.Store(true)
	b.pass(20 * time.Minute)
	b.MissNotifications()
	b.NotificationsPaused.Store(false)
	x.countsCalls(b)
	if n := b.asked(sim.EndpointCallRecords, 200); n < lists+2 {
		t.Errorf("the list was read %d times after two gaps", n-lists)
	}

	b.RequireReauthorization()
	eventually(t, "renew the subscription", func() error {
		x.running()
		if now := b.Subscriptions()[0]; now.ID != two.ID || now.Renewed == 0 {
			return fmt.Errorf("it is %+v", now)
		}
		return nil
	})
	two = x.subscribed(b)
	handshakes := b.Notified().Handshakes
	x.heard(b)
	x.stop()
	x = b.launch(feed, settings{}).ready()
	if again := x.subscribed(b); again.ID != two.ID || b.Notified().Handshakes != handshakes {
		t.Errorf("subscribed as %s, and after a restart as %s", two.ID, again.ID)
	}
	delivered := b.Notified().Delivered
	b.pass(30 * time.Minute)
	b.delivered()
	x.countsCalls(b)
	if b.Notified().Delivered == delivered {
		t.Error("it is told nothing after a restart")
	}
	x.stop()
}
