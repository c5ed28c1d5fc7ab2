package sim

import "time"

// Delivery says how subscribers are told. Times are the provider's, but for those that
// say otherwise.
type Delivery struct {
	Seed uint64
	// Every is how often it is looked for something to tell, in the machine's time: 100 ms
	// if zero, and only when Deliver is called if negative.
	Every time.Duration
	// DelayMin and DelayMax are between a publication and its notification.
	DelayMin, DelayMax time.Duration
	// Lost is the share of notifications that are never sent, Duplicated of those that are
	// sent twice, Reordered of those that are up to ReorderedBy later than they were to be: 2 s
	// if zero.
	Lost, Duplicated, Reordered float64
	ReorderedBy                 time.Duration
	// Forged is how many notifications of somebody else's come for each real one: with a wrong
	// client state, with none, or of another tenant. Malformed is how many come whose id is no
	// GUID.
	Forged, Malformed float64
	// Batch is how many items one request has at most, 10 if zero, and Parallel how many
	// requests are in hand at once: 4 if zero.
	Batch, Parallel int
	// AnswerWithin is how long an answer is waited for, in the machine's time: 10 s if zero.
	AnswerWithin time.Duration
	// RetryFirst is the pause after the first attempt, which doubles up to RetryMost: 10 s and
	// 10 min if zero. RetryFor is after how long nothing is tried any more: 4 h if zero.
	RetryFirst, RetryMost, RetryFor time.Duration
	// SlowAfter is from when an answer is slow, in the machine's time: 10 s if zero. Over a
	// tenth of slow answers within SlowWindow, 10 min if zero, puts notifications off by
	// SlowDelay, 10 s if zero; over 15 % drops them for as long as the window. Fewer than
	// SlowLeast answers, 10 if zero, mean nothing.
	SlowAfter, SlowWindow, SlowDelay time.Duration
	SlowLeast                        int
}

func (d *Delivery) defaults() {
	set(&d.Every, 100*time.Millisecond)
	set(&d.ReorderedBy, 2*time.Second)
	set(&d.Batch, 10)
	set(&d.Parallel, 4)
	set(&d.AnswerWithin, 10*time.Second)
	set(&d.RetryFirst, 10*time.Second)
	set(&d.RetryMost, 10*time.Minute)
	set(&d.RetryFor, 4*time.Hour)
	set(&d.SlowAfter, 10*time.Second)
	set(&d.SlowWindow, 10*time.Minute)
	set(&d.SlowDelay, 10*time.Second)
	set(&d.SlowLeast, 10)
}

// pause is how long to wait after so many attempts.
func (d *Delivery) pause(attempts int) time.Duration {
	pause := d.RetryFirst
	for n := 1; n < attempts && pause < d.RetryMost; n++ {
		pause *= 2
	}
	return min(pause, d.RetryMost)
}

// Notified counts notifications: items, not requests, unless it says otherwise.
type Notified struct {
	// Published is how many there were to send: a version for a subscription each.
	Published int
	// Lost were never sent, Copies were sent beside the first; both by Delivery.
	Lost, Copies int
	// Delivered were taken with a 2xx, copies included.
	Delivered int
	// Forged and Malformed were taken too, though they aren't real; Lifecycle are those of a
	// subscription's life.
	Forged, Malformed, Lifecycle int
	// Retried were put off after another answer, or none; GivenUp aren't tried any more.
	Retried, GivenUp int
	// Delayed were put off and Dropped thrown away because the endpoint is slow.
	Delayed, Dropped int
	// Withdrawn were on their way to a subscription that ended, must be reauthorised or has
	// missed them.
	Withdrawn int
	// Requests is how many there were, Refused how many had no 2xx, Slow how many were slow.
	Requests, Refused, Slow int
	// Handshakes is how many addresses were validated, or weren't.
	Handshakes int
}
