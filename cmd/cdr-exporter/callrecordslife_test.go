package main_test

import (
	"errors"
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

// TestSubscriptionLost: a subscription that is gone, of which nobody tells, is noticed and
// made again; one that grows old is renewed, and one that has expired is made again.
func TestSubscriptionLost(t *testing.T) {
	t.Parallel()
	s := evening(122, 100)
	s.settle = time.Hour
	b := newSwitchboard(t, s)
	x := b.launch(b.subscribed(time.Second), settings{}).ready()
	x.countsCalls(b)
	one := x.subscribed(b)
	b.LoseSubscriptions()
	b.pass(2 * time.Hour) // of which nobody is told
	two := x.remade(b, one)
	x.countsCalls(b)
	delivered := b.Notified().Delivered
	b.pass(2 * time.Hour)
	b.delivered()
	x.countsCalls(b)
	if b.Notified().Delivered == delivered {
		t.Error("it is told nothing by the new subscription")
	}
	b.pass(45 * time.Hour) // of 70
	eventually(t, "renew the subscription", func() error {
		x.running()
		if now := b.Subscriptions(); len(now) != 1 || now[0].ID != two.ID || now[0].Renewed == 0 {
			return fmt.Errorf("they are %+v", now)
		}
		return nil
	})
	two = x.subscribed(b)
	b.pass(72 * time.Hour)
	if two.Expires.After(b.Now()) {
		t.Fatal("it hasn't expired")
	}
	x.remade(b, two)
	x.countsCalls(b)
	x.stop()
}

// TestSubscriptionRefused: a tenant that can't reach the listener doesn't stop the list,
// and says why in the status.
func TestSubscriptionRefused(t *testing.T) {
	t.Parallel()
	s := evening(123, 50)
	b := newSwitchboard(t, s)
	b.authority = certificate(t, b.site, "webhook") // which the tenant doesn't trust
	x := b.launch(b.subscribed(time.Second), settings{}).serving()
	x.countsCalls(b)
	b.pass(time.Hour)
	x.countsCalls(b)
	if len(b.Subscriptions()) != 0 {
		t.Error("there is a subscription")
	}
	eventually(t, "show what is wrong", func() error {
		if f := x.feed("contoso", callRecords); f.State != "error" || lineWith(f.LastError, "subscription") == "" {
			return fmt.Errorf("state %q, last error %q", f.State, f.LastError)
		}
		if expiry := x.scrape().sum("cdr_subscription_expiry_timestamp_seconds"); expiry != 0 {
			return errors.New("an expiry is shown")
		}
		return nil
	})
	x.stop()
}
