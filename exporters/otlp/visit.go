package otlp

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// appendVisit appends the attributes that docs/otlp.md lists for a visit of a queue. If the record is only
// for the visit, the record's own fields follow, because no other log record has them.
func appendVisit(b []byte, r *cdr.Record, event *counting.Event) []byte {
	v := event.Visit
	b = appendIdentity(b, r, event, v.ID)
	b = appendPairs(b, "cdr.queue", v.Queue, "cdr.queue_result", v.Result.String())
	b = appendTime(b, common("cdr.start_time"), visitStart(r, v))
	if v.Wait.Known {
		b = appendDouble(b, common("cdr.waiting_time"), v.Wait.Value.Seconds())
	}
	if r.NoCall {
		b = appendExtra(b, event.Provider, r.Extra)
	}
	return b
}

// visitStart is when the caller joined the queue, if the record has it.
func visitStart(r *cdr.Record, v *cdr.Visit) time.Time {
	if v.Start.IsZero() {
		return r.Start
	}
	return v.Start
}

// appendVisitLine appends a line such as `Visit to queue support: abandoned after 42s`. It
// identifies nobody.
func appendVisitLine(b []byte, v *cdr.Visit) []byte {
	b = append(b, "Visit to "...)
	if v.Queue == "" {
		b = append(b, "a queue"...)
	} else {
		b = appendPhrase(b, "queue ", v.Queue, "")
	}
	b = append(append(b, ": "...), visitPhrases[v.Result]...)
	if v.Wait.Known {
		b = append(append(b, " after "...), v.Wait.Value.Round(time.Second).String()...)
	}
	return b
}

var visitPhrases = map[cdr.QueueResult]string{
	cdr.QueueOther: "left", cdr.QueueAnswered: "answered", cdr.QueueAbandoned: "abandoned",
	cdr.QueueTimeout: "timed out", cdr.QueueOverflowed: "overflowed",
}
