// Package witness decides who is at fault when something is refused: the thing itself, or whoever refuses
// (counting.md 30).
//
// An endpoint that refuses one log record, task or span of time may refuse all of them, because it is broken itself.
// So a refusal counts against a thing only if the same endpoint has served another of its kind in the meantime: that
// other one is the witness. Without a witness it is an outage, whatever the status code says: hold, back off, show it,
// and move no position past it.
//
// What is learned here is kept in memory only. After a restart a thing has a clean record, which costs some more
// tries and loses nothing.
package witness

import "sync/atomic"

// Endpoint counts what an endpoint has served: accepted log records, answers to fetches, spans that were read. Things
// that can be witnesses for each other share one. Its zero value has served nothing. It is safe for concurrent use.
type Endpoint struct{ served atomic.Uint64 }

// Served notes that the endpoint has served something.
func (e *Endpoint) Served() { e.served.Add(1) }

// Case is what speaks against one thing that an endpoint refuses. Its zero value is a thing that was never refused.
// The same goroutine uses it at all times.
type Case struct {
	refusals, witnessed int
	served              uint64 // by the endpoint, at the latest refusal
}

// Refuse notes that the endpoint refused the thing.
func (c *Case) Refuse(by *Endpoint) {
	served := by.served.Load()
	if c.refusals > 0 && served > c.served {
		c.witnessed++
	}
	c.refusals++
	c.served = served
}

// Refusals is how often the thing was refused.
func (c Case) Refusals() int { return c.refusals }

// Witnessed is how many of the refusals came after the endpoint had served another thing since the refusal before.
func (c Case) Witnessed() int { return c.witnessed }
