// Package witness detects poison items: log records, tasks or spans of time that an endpoint always refuses, while it
// accepts others (counting.md 30).
//
// An endpoint that refuses one item may refuse all of them, because it is broken itself. So a refusal counts against an
// item only if the same endpoint has accepted another one since the item's previous refusal: that other one is the
// witness. Refusals without a witness are an outage, with any status code: hold, back off, show it, and move no
// position past it.
//
// Refusals are kept in memory only. After a restart every item starts at zero, which costs some more tries and loses
// nothing.
package witness

import "sync/atomic"

// Endpoint counts an endpoint's successes: accepted log records, answers to fetches, spans that were read. Items that
// can be witnesses for each other share one. It is safe for concurrent use.
type Endpoint struct{ successes atomic.Uint64 }

// Succeeded counts a success.
func (e *Endpoint) Succeeded() { e.successes.Add(1) }

// Refusals counts the refusals of one item. It isn't safe for concurrent use.
type Refusals struct {
	count, witnessed int
	successesBefore  uint64 // of the endpoint, at the latest refusal
}

// Add counts a refusal by the endpoint.
func (r *Refusals) Add(endpoint *Endpoint) {
	successes := endpoint.successes.Load()
	if r.count > 0 && successes > r.successesBefore {
		r.witnessed++
	}
	r.count++
	r.successesBefore = successes
}

// Count is how often the item was refused.
func (r Refusals) Count() int { return r.count }

// Witnessed is how many of the refusals have a witness.
func (r Refusals) Witnessed() int { return r.witnessed }
