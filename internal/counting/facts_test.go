package counting_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/counting"
)

// counting.md 14: a group, a recording and what a child has told are found from
// bucketReach away at least, wherever that lies.
func TestFactsAcrossSpans(t *testing.T) {
	recorded := func(c *cdr.Record) { c.Recordings = []cdr.Recording{{ID: "R1", Type: "automatic"}} }
	for offset := range 9 {
		for _, apart := range []time.Duration{bucketReach, -bucketReach} {
			from := bucketEdge.Add(bucketReach * time.Duration(offset) / 4)
			t.Run(fmt.Sprintf("%s after an edge, then %s", from.Sub(bucketEdge), apart), func(t *testing.T) {
				r := newRig(t, counting.Rules{Parents: true})

				r.records(
					call("a", inGroup("s-1"), recorded, start(from)),
					call("c", childOf("p"), outcome(cdr.Failed), start(from)))
				if got := r.records(call("b", inGroup("s-1"), recorded, start(from.Add(apart)))); got.New != 0 || got.Duplicate != 1 {
					t.Errorf("group: %+v", got)
				}
				r.records(call("p", outcome(cdr.Failed), start(from.Add(apart))))
				if got := r.total("cdr_call_failures_total"); got != 1 {
					t.Errorf("%d failures", got)
				}
				if got := r.total("cdr_recordings_total"); got != 1 {
					t.Errorf("%d recordings", got)
				}
			})
		}
	}
}
