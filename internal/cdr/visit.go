package cdr

import "time"

// QueueResult is how a caller's visit to a queue ended.
type QueueResult uint8

// The results of visits.
const (
	QueueOther      QueueResult = iota // by a key, by a manager, or an unknown value from the provider
	QueueAnswered                      // an agent was connected with the caller
	QueueAbandoned                     // the caller left before an agent answered or the queue gave up
	QueueTimeout                       // the caller reached the queue's longest wait
	QueueOverflowed                    // the queue was full, had no agents logged in, or forwarded the caller
)

var queueResults = [...]string{"other", "answered", "abandoned", "timeout", "overflowed"}

// String is the label value.
func (r QueueResult) String() string { return queueResults[r] }

// QueueResults are all results, in the order of their numbers.
func QueueResults() []QueueResult {
	all := make([]QueueResult, len(queueResults))
	for i := range all {
		all[i] = QueueResult(i)
	}
	return all
}

// Visit is one visit of a caller to a queue, from joining it to an agent's answer or to leaving. It
// isn't a call and never counts as one.
type Visit struct {
	// ID distinguishes the visits of one record; empty if a record has at most one.
	ID string
	// Queue is the queue's name or, if the provider has no name, its number; never a caller's or an
	// agent's number. No redaction applies.
	Queue  string
	Result QueueResult
	// Start is when the caller joined; zero means the start of the record's call.
	Start time.Time
	// Wait is how long the caller waited. A visit with an unknown wait counts, but adds nothing to
	// the histogram.
	Wait Length
}
