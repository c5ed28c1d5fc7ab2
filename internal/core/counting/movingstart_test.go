package counting_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// counting.md 15: a record of a feed without hours is found whatever its start is now,
// and keeps being found by the start that it had first.
func TestRule15MovingStart(t *testing.T) {
	for offset := range 9 {
		from := bucketEdge.Add(-2*counting.BucketSeconds*time.Second + bucketReach*time.Duration(offset)/4)
		for _, by := range []time.Duration{
			time.Second, -time.Second, 5 * time.Hour, -5 * time.Hour, bucketReach,
			-bucketReach,
		} {
			t.Run(fmt.Sprintf("%s before an edge, by %s", bucketEdge.Sub(from), by), func(t *testing.T) {
				r := newMovingRig(t)
				r.records(call("a", start(from), alts("a2"), version(1)))
				r.restart()
				for _, at := range []time.Time{from.Add(by), from, from.Add(by)} {
					for _, id := range []string{"a", "a2"} {
						if got := r.records(call(id, start(at), version(1))); got.New != 0 || got.Duplicate != 1 {
							t.Fatalf("%s at %s: %+v", id, at, got)
						}
					}
				}
				if got := r.total("cdr_calls_total"); got != 1 || r.entries(byHour) != 0 {
					t.Errorf("%d calls, %d rows by hour", got, r.entries(byHour))
				}
			})
		}
	}
}

// counting.md 15: a record that gets another id in a later version is found by that id too. The id lies
// next to the record, not at the start of the version that brought it.
func TestRule15MovingStartLaterID(t *testing.T) {
	r := newMovingRig(t)
	from := epoch.Add(-200 * time.Hour)
	r.records(call("a", start(from)))
	r.records(call("b", alts("a"), start(from.Add(190*time.Hour))))
	r.restart()
	if got := r.records(call("b", start(from.Add(100*time.Hour)))); got.New != 0 {
		t.Errorf("%+v", got)
	}
	if got, want := r.entries(func(b int64) bool { return b == -(from.Unix() / counting.BucketSeconds) }),
		r.entries(byFact); got != want {
		t.Errorf("%d of %d rows where the record is", got, want)
	}
}
