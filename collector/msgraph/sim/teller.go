package sim

import (
	"bytes"
	"container/heap"
	"context"
	"crypto/tls"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// teller tells subscribers what is published. One goroutine looks what is due, others
// send it.
type teller struct {
	server *Server
	client *http.Client
	room   chan struct{}
	// ctx ends with the server.
	ctx    context.Context
	cancel context.CancelFunc
	begin  sync.Once
	kick   chan struct{}
	done   sync.WaitGroup

	mu       sync.Mutex
	delivery Delivery // guarded by mu
	// schedule is of use while there are subscriptions: telling says so.
	schedule schedule // guarded by mu
	telling  bool     // guarded by mu
	paused   bool     // guarded by mu
	queue    notices  // guarded by mu
	sending  int      // notices that were sent and not answered; guarded by mu
	pushed   int      // guarded by mu
	notified Notified // guarded by mu
	dice     *rand.Rand
	// paces are how fast endpoints answer, by address.
	paces map[string]*pace // guarded by mu
}

func newTeller(s *Server) *teller {
	d := s.settings.Delivery
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: s.settings.Subscriptions.CAs, MinVersion: tls.VersionTLS12},
		// A handshake and notifications are all that goes out.
		MaxConnsPerHost: d.Parallel + 1, MaxIdleConnsPerHost: d.Parallel,
	}
	t := &teller{
		server: s, delivery: d, room: make(chan struct{}, d.Parallel), kick: make(chan struct{}, 1),
		client: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		dice:   rand.New(rand.NewPCG(d.Seed, 0x7e11)), paces: map[string]*pace{},
		schedule: schedule{records: s.settings.CallRecords},
	}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	return t
}

// close ends telling. It may be called twice.
func (t *teller) close() {
	t.begin.Do(func() {}) // nothing begins any more
	t.mu.Lock()
	t.cancel()
	t.mu.Unlock()
	t.done.Wait()
	t.client.CloseIdleConnections()
}

// start begins to look what is due, the first time that somebody has subscribed.
func (t *teller) start() {
	t.begin.Do(func() {
		if every := t.server.settings.Delivery.Every; every > 0 {
			t.done.Go(func() { t.run(every) })
		}
	})
	t.wake()
}

// wake makes the teller look what is due, if it has begun.
func (t *teller) wake() {
	select {
	case t.kick <- struct{}{}:
	default:
	}
}

func (t *teller) run(every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for t.ctx.Err() == nil {
		select {
		case <-t.ctx.Done():
		case <-tick.C:
		case <-t.kick:
		}
		t.round()
	}
}

// count changes what was counted.
func (t *teller) count(change func(*Notified)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change(&t.notified)
}

// round sends what is due, and gives what ends when it has been answered.
func (t *teller) round() *sync.WaitGroup {
	t.mu.Lock()
	defer t.mu.Unlock()
	var sent sync.WaitGroup
	now := t.server.timeline.Now()
	live := t.server.subscribers.live(now)
	t.publish(live)
	if t.paused || t.ctx.Err() != nil {
		return &sent
	}
	for _, batch := range t.batches(t.due(live, now), now) {
		t.notified.Requests++
		t.sending += len(batch)
		sent.Add(1)
		t.done.Go(func() {
			defer sent.Done()
			t.send(batch)
		})
	}
	return &sent
}

// publish queues what has been published. The caller holds the lock.
func (t *teller) publish(live []Subscription) {
	if t.schedule.records == nil {
		return
	}
	if len(live) == 0 {
		t.telling = false
		return
	}
	if !t.telling {
		t.telling = true
		since := live[0].since
		for i := range live {
			since = earliest(since, live[i].since)
		}
		t.schedule.seek(since)
	}
	t.schedule.take(t.server.timeline.Visible(), func(e *event) {
		for i := range live {
			if e.at.After(live[i].since) {
				t.tell(&live[i], e)
			}
		}
	})
}

// due takes what is due off the queue. The caller holds the lock.
func (t *teller) due(live []Subscription, now time.Time) (all []*notice) {
	for len(t.queue) > 0 && !t.queue[0].due.After(now) {
		n := heap.Pop(&t.queue).(*notice)
		if n.kind != lifecycleNotice && !listens(live, n.subscription, now) {
			t.notified.Withdrawn++
			n.storm.ends()
			continue
		}
		all = append(all, n)
	}
	return all
}

// listens says whether a subscription is there and needn't be reauthorised.
func listens(live []Subscription, id string, now time.Time) bool {
	return slices.ContainsFunc(live, func(x Subscription) bool {
		return x.ID == id && (x.Deadline.IsZero() || now.Before(x.Deadline))
	})
}

// batches puts notices to the same address together, as many as chance has it. What
// says something of a subscription itself comes alone. The caller holds the lock.
func (t *teller) batches(all []*notice, now time.Time) (batches [][]*notice) {
	open := map[string]int{}
	room := map[string]int{}
	for _, n := range all {
		if n.kind != lifecycleNotice && t.slowed(n, now) {
			continue
		}
		at, ok := open[n.url]
		if !ok || len(batches[at]) >= room[n.url] || n.kind == lifecycleNotice {
			at = len(batches)
			batches = append(batches, nil)
			room[n.url] = 1 + t.dice.IntN(t.delivery.Batch)
			if n.kind != lifecycleNotice {
				open[n.url] = at
			}
		}
		batches[at] = append(batches[at], n)
	}
	return batches
}

// send sends one request and sees to what it was answered with.
func (t *teller) send(batch []*notice) {
	select {
	case t.room <- struct{}{}:
		defer func() { <-t.room }()
	case <-t.ctx.Done():
		return
	}
	bodies := make([][]byte, len(batch))
	for i, n := range batch {
		bodies[i] = n.body
	}
	body := slices.Concat([]byte(`{"value":[`), bytes.Join(bodies, []byte{','}), []byte(`]}`))
	began := time.Now()
	taken := t.post(batch[0].url, body)
	took := time.Since(began)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ctx.Err() != nil {
		return
	}
	t.sending -= len(batch)
	now := t.server.timeline.Now()
	t.answered(batch[0].url, took, now)
	if !taken {
		t.notified.Refused++
	}
	for _, n := range batch {
		if taken {
			t.delivered(n)
		} else {
			t.again(n, now)
		}
	}
}

// post sends a request, and says whether it was taken.
func (t *teller) post(url string, body []byte) bool {
	t.mu.Lock()
	patience := t.delivery.AnswerWithin
	t.mu.Unlock()
	ctx, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return false
	}
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	response, err := t.client.Do(r)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode/100 == 2
}

// delivered counts what was taken. The caller holds the lock.
func (t *teller) delivered(n *notice) {
	switch n.kind {
	case genuineNotice:
		t.notified.Delivered++
	case forgedNotice:
		t.notified.Forged++
	case malformedNotice:
		t.notified.Malformed++
	case lifecycleNotice:
		t.notified.Lifecycle++
	}
	n.storm.ends()
}

// again puts off what wasn't taken, or gives it up. The caller holds the lock.
func (t *teller) again(n *notice, now time.Time) {
	n.attempts++
	due := now.Add(t.delivery.pause(n.attempts))
	if due.Sub(n.first) > t.delivery.RetryFor {
		t.notified.GivenUp++
		n.storm.ends()
		return
	}
	t.notified.Retried++
	t.push(n, due)
}

// containsWord says whether a list with commas has a word.
func containsWord(list, word string) bool { return slices.Contains(strings.Split(list, ","), word) }
