package cdr

import "time"

// QueueResult is how a caller's visit to a queue ended.
type QueueResult uint8

// The results of visits.
const (
	QueueOther      QueueResult = iota // by a key, a manager's hand, or a value of the provider's that is new
	QueueAnswered                      // an agent was connected with the caller
	QueueAbandoned                     // the caller left before an agent and before the queue gave him up
	QueueTimeout                       // the queue gave him up because he had waited as long as it allows
	QueueOverflowed                    // the queue refused him or gave him up for its own state: full, nobody logged in, sent on elsewhere
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

// Visit is one visit of a caller to a queue, from joining it to an agent's answer or to leaving. It is no call, and is never counted as one.
type Visit struct {
	// ID distinguishes the visits of one record; empty where a record has at most one.
	ID string
	// Queue is the queue's own name or, where the provider has no name, its own number; never a caller's or an agent's. No redaction applies.
	Queue  string
	Result QueueResult
	// Start is when the caller joined; zero: when the record's call started.
	Start time.Time
	// Wait is how long he waited. A visit whose wait isn't known counts, and isn't observed.
	Wait Span
}
