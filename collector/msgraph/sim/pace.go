package sim

import (
	"slices"
	"time"
)

// pace is how fast an endpoint answers.
type pace struct {
	answers []answerTime
	// closed is until when notifications are dropped.
	closed time.Time
}

type answerTime struct {
	at   time.Time
	slow bool
}

// The shares of slow answers from which an endpoint is told later, or nothing.
const (
	slowShare    = 0.10
	tooSlowShare = 0.15
)

// answered notes an answer. The caller holds the lock.
func (t *teller) answered(url string, took time.Duration, now time.Time) {
	p := t.paces[url]
	if p == nil {
		p = &pace{}
		t.paces[url] = p
	}
	slow := took >= t.delivery.SlowAfter
	if slow {
		t.notified.Slow++
	}
	p.answers = append(p.answers, answerTime{now, slow})
	if share := p.slow(now, &t.delivery); share > tooSlowShare && !now.Before(p.closed) {
		p.closed = now.Add(t.delivery.SlowWindow)
	}
}

// slow is the share of slow answers within the window.
func (p *pace) slow(now time.Time, d *Delivery) float64 {
	p.answers = slices.DeleteFunc(p.answers, func(a answerTime) bool { return now.Sub(a.at) > d.SlowWindow })
	if len(p.answers) < d.SlowLeast {
		return 0
	}
	n := 0
	for _, a := range p.answers {
		if a.slow {
			n++
		}
	}
	return float64(n) / float64(len(p.answers))
}

// slowed drops a notice or puts it off if its endpoint is slow, and says whether it did.
// The caller holds the lock.
func (t *teller) slowed(n *notice, now time.Time) bool {
	p := t.paces[n.url]
	switch {
	case p == nil:
		return false
	case now.Before(p.closed):
		t.notified.Dropped++
		n.storm.ends()
		return true
	case n.delayed || p.slow(now, &t.delivery) <= slowShare:
		return false
	}
	n.delayed = true
	t.notified.Delayed++
	t.push(n, now.Add(t.delivery.SlowDelay))
	return true
}
