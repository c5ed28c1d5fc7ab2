package simulator

import (
	"fmt"
	"strings"
	"time"
)

// Totals are the expected counts.
type Totals struct {
	// Rows is the number of rows listed at the last instant, copies included.
	Rows int
	// Records is the number of distinct valid records. Sessions are their calls.
	Records, Sessions int
	// Ignored is the number of distinct rows that aren't calls, by call type.
	Ignored map[string]int
	// Invalid is the number of distinct malformed rows.
	Invalid int
	// Unfinished is the number of distinct rows that don't count yet, since their calls continue.
	Unfinished int
	// Revisions are the versions that changed a value of money or outcome, or added an unknown
	// amount.
	Revisions int

	// Metrics are the metrics by their label sets, without the base labels, `late` and
	// `reason`.
	Metrics Tables
}

// Tables are metrics by name: their values in millionths, by label values joined with a bar. A
// histogram has NAME_count and NAME_sum.
type Tables map[string]map[string]int64

// Add adds to the value of a label set.
func (t Tables) Add(metric string, millionths int64, labels ...any) {
	if t[metric] == nil {
		t[metric] = map[string]int64{}
	}
	var key strings.Builder
	for i, label := range labels {
		if i > 0 {
			key.WriteByte('|')
		}
		switch l := label.(type) { // most are one of these, and fmt is slow
		case string:
			key.WriteString(l)
		case fmt.Stringer:
			key.WriteString(l.String())
		default:
			fmt.Fprint(&key, l)
		}
	}
	t[metric][key.String()] += millionths
}

// Count adds one to a label set.
func (t Tables) Count(metric string, labels ...any) { t.Add(metric, 1_000_000, labels...) }

// Observe adds a value to a histogram.
func (t Tables) Observe(metric string, millionths int64, labels ...any) {
	t.Count(metric+"_count", labels...)
	t.Add(metric+"_sum", millionths, labels...)
}

// Sum is the sum over all label sets.
func (t Tables) Sum(metric string) (sum int64) {
	for _, value := range t[metric] {
		sum += value
	}
	return sum
}

// View describes when and how a reader reads.
type View struct {
	// From is the first start that counts; zero means no bound.
	From time.Time
	// At are the instants at which the reader read the whole range, ascending.
	At []time.Time
	// Queues says that the reader knows which legs are of queues.
	Queues bool
	// Settle is how long after a call's end its media are counted. Zero means as soon as it has
	// any.
	Settle time.Duration
}

// Once is the view of a reader that reads everything once, at an instant.
func Once(at time.Time) View { return View{At: []time.Time{at}} }
