package sim

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// Subscriptions are those that haven't expired, the oldest first.
func (s *Server) Subscriptions() []Subscription { return s.subscribers.live(s.timeline.Now()) }

// Notified is what was told so far.
func (s *Server) Notified() Notified {
	s.teller.mu.Lock()
	defer s.teller.mu.Unlock()
	return s.teller.notified
}

// NotificationsWaiting is how many notifications are yet to be sent, to be sent again, or
// to be answered.
func (s *Server) NotificationsWaiting() int {
	s.teller.mu.Lock()
	defer s.teller.mu.Unlock()
	return len(s.teller.queue) + s.teller.sending
}

// Deliver tells what is due, and returns when it has been answered.
func (s *Server) Deliver() { s.teller.round().Wait() }

// SetDelivery changes how subscribers are told, for what isn't on its way yet. Every and
// Parallel stay as they were.
func (s *Server) SetDelivery(change func(*Delivery)) {
	s.teller.mu.Lock()
	defer s.teller.mu.Unlock()
	change(&s.teller.delivery)
	s.teller.delivery.defaults()
}

// PauseNotifications holds notifications back until ResumeNotifications. Publication and
// lists go on.
func (s *Server) PauseNotifications() {
	s.teller.mu.Lock()
	defer s.teller.mu.Unlock()
	s.teller.paused = true
}

// ResumeNotifications sends what was held back.
func (s *Server) ResumeNotifications() {
	s.teller.mu.Lock()
	s.teller.paused = false
	s.teller.mu.Unlock()
	s.teller.wake()
}

// LoseSubscription makes all subscriptions vanish, of which nobody is told. It says how
// many there were.
func (s *Server) LoseSubscription() int { return len(s.subscribers.remove("", s.timeline.Now())) }

// RemoveSubscription removes all subscriptions, and sends subscriptionRemoved to those
// that have an address for it. It says how many there were.
func (s *Server) RemoveSubscription() int {
	return s.announce(s.subscribers.remove("", s.timeline.Now()), "subscriptionRemoved")
}

// RequireReauthorization sends reauthorizationRequired to all subscriptions that have an
// address for it. With ReauthorizeWithin they are told nothing more after that time until
// they do.
func (s *Server) RequireReauthorization() int {
	now := s.timeline.Now()
	live := s.subscribers.live(now)
	if within := s.settings.Subscriptions.ReauthorizeWithin; within > 0 {
		for i := range live {
			s.subscribers.change(live[i].ID, now, func(x *Subscription) { x.Deadline = now.Add(within) })
		}
	}
	return s.announce(live, "reauthorizationRequired")
}

// MissNotifications throws away the notifications that wait, and sends missed to all
// subscriptions that have an address for it.
func (s *Server) MissNotifications() int {
	s.teller.mu.Lock()
	live := s.subscribers.live(s.timeline.Now())
	s.teller.publish(live)
	for _, n := range s.teller.queue {
		n.storm.ends()
	}
	s.teller.notified.Withdrawn += len(s.teller.queue)
	s.teller.queue = nil
	s.teller.mu.Unlock()
	return s.announce(live, "missed")
}

// announce tells subscriptions something of themselves.
func (s *Server) announce(all []Subscription, event string) int {
	s.teller.mu.Lock()
	for i := range all {
		if all[i].LifecycleURL != "" {
			s.teller.push(s.lifecycle(&all[i], event), s.timeline.Now())
		}
	}
	s.teller.mu.Unlock()
	s.teller.wake()
	return len(all)
}

// storm is a flood of notices.
type storm struct{ left atomic.Int64 }

// ends says that one of the notices is done with. A notice of no storm's has none.
func (s *storm) ends() {
	if s != nil {
		s.left.Add(-1)
	}
}

// StormSent is what a storm consisted of.
type StormSent struct {
	// Records is the number of distinct records that were told, Duplicates of further
	// notifications of them, Forged of those of somebody else's.
	Records, Duplicates, Forged int
}

// Storm sends n notifications to the oldest subscription as fast as they are taken: a share of
// duplicates of others, a share of forged ones, and the rest of the tenant's newest records,
// in no particular order. It returns when each was taken, or given up, or the context
// ends.
func (s *Server) Storm(ctx context.Context, n int, duplicates, forged float64) (StormSent, error) {
	live := s.Subscriptions()
	if len(live) == 0 || s.settings.CallRecords == nil {
		return StormSent{}, errors.New("send a storm of notifications: there is no subscription, or there are no records")
	}
	sent := StormSent{Forged: int(float64(n) * forged), Duplicates: int(float64(n) * duplicates)}
	ids := s.settings.CallRecords.newestRecords(s.timeline.Visible(), n-sent.Forged-sent.Duplicates)
	if len(ids) == 0 {
		return StormSent{}, errors.New("send a storm of notifications: there are no records")
	}
	sent.Records = len(ids)
	sent.Duplicates = n - sent.Forged - sent.Records
	all := make([]*notice, 0, n)
	for i := range sent.Records + sent.Duplicates {
		all = append(all, s.change(&live[0], ids[i%len(ids)].String(), "updated", i))
	}
	for i := range sent.Forged {
		all = append(all, s.forgery(&live[0], i))
	}
	return sent, s.teller.flood(ctx, all)
}

// flood sends notices and waits until all are done with.
func (t *teller) flood(ctx context.Context, all []*notice) error {
	flood := &storm{}
	flood.left.Store(int64(len(all)))
	t.mu.Lock()
	t.dice.Shuffle(len(all), func(i, k int) { all[i], all[k] = all[k], all[i] })
	now := t.server.timeline.Now()
	for _, n := range all {
		n.storm = flood
		t.push(n, now)
	}
	t.mu.Unlock()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		t.round().Wait()
		if flood.left.Load() <= 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.ctx.Done():
			return t.ctx.Err()
		case <-tick.C:
		}
	}
}
