package counting_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// counting.md 14, 36: a call, a recording and a parent are found from bucketReach away at least, wherever that lies.
func TestFactsAcrossSpans(t *testing.T) {
	recorded := func(c *cdr.Record) { c.Recordings = []cdr.Recording{{ID: "R1", Type: "automatic"}} }
	for offset := range 9 {
		for _, apart := range []time.Duration{bucketReach, -bucketReach} {
			from := bucketEdge.Add(bucketReach * time.Duration(offset) / 4)
			t.Run(fmt.Sprintf("%s after an edge, then %s", from.Sub(bucketEdge), apart), func(t *testing.T) {
				r := newRig(t, counting.Rules{Legs: true, Parents: true})
				r.settings.WholeAfter = 1000 * time.Hour
				r.records(
					call("a", inGroup("s-1"), recorded, start(from)),
					call("c", childOf("p"), outcome(cdr.Failed), start(from)))
				r.records(call("b", inGroup("s-1"), recorded, start(from.Add(apart))))
				r.records(call("p", outcome(cdr.Failed), start(from.Add(apart))))
				for name, want := range map[string]int{
					"cdr_calls_total": 2, "cdr_call_failures_total": 1, "cdr_recordings_total": 1,
				} {
					if got := r.total(name); got != want {
						t.Errorf("%s is %d, want %d", name, got, want)
					}
				}
			})
		}
	}
}
