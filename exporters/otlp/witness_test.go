package otlp

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/outbox"
)

// refuseBad answers with the code if a request holds the record `bad`.
func refuseBad(code int) judge {
	return func(_ int, ids []string) int {
		if slices.Contains(ids, "bad") {
			return code
		}
		return 200
	}
}

// TestOutage: an endpoint that refuses whatever it is sent, but for empty requests, is broken
// itself: everything is held, with few requests, and delivered when it works again (counting.md
// 30).
func TestOutage(t *testing.T) {
	for _, code := range []int{400, 413, 422, 500} {
		inBubble(t, fmt.Sprintf("HTTP %d", code), func(t *testing.T) {
			const batches, each = 20, 30
			outbox := newOutbox()
			for id := range int64(batches) {
				var ids []string
				for n := range each {
					ids = append(ids, fmt.Sprintf("r%d-%d", id, n))
				}
				outbox.add(batch(id+1, ids...))
			}
			var works atomic.Bool
			r := newJudged(t, Settings{}, outbox, func(_ int, ids []string) int {
				if works.Load() || len(ids) == 0 {
					return 200
				}
				return code
			})
			stop := started(t, r.Exporter)
			elapse(90 * time.Minute)
			r.want(t, "after 90 minutes", 0, 0, batches)
			if status := r.Status(); !status.Retrying || !strings.Contains(status.LastError, fmt.Sprint(code)) {
				t.Errorf("status %+v", status)
			}
			if n, most := r.requests.Load(), int64(90*3+2*maxRefusals); n > most {
				t.Errorf("%d requests in 90 minutes, want at most %d", n, most)
			}
			works.Store(true)
			elapse(5 * time.Minute)
			stop()
			r.want(t, "in the end", batches*each, 0, 0)
			for id, times := range r.times() {
				if times != 1 {
					t.Errorf("%s came %d times", id, times)
				}
			}
		})
	}
}

// TestOutageAfterAWitness: an endpoint that has accepted a part of a batch, and then refuses
// everything, convicts nothing of the rest (counting.md 30).
func TestOutageAfterAWitness(t *testing.T) {
	for _, behind := range []int{0, 3} {
		inBubble(t, fmt.Sprint(behind, " batches behind"), func(t *testing.T) {
			outbox := newOutbox(batch(1, "a", "b", "c", "d"))
			for id := range int64(behind) {
				outbox.add(batch(id+2, fmt.Sprint("later", id)))
			}
			var works atomic.Bool
			r := newJudged(t, Settings{}, outbox, func(n int, _ []string) int {
				if n == 2 || works.Load() {
					return 200
				}
				return 500
			})
			stop := started(t, r.Exporter)
			elapse(time.Hour)
			r.want(t, "in the outage", 2, 0, behind+1)
			if n := r.requests.Load(); !r.Status().Retrying || n > 250 {
				t.Errorf("%d requests in an hour, status %+v", n, r.Status())
			}
			works.Store(true)
			elapse(5 * time.Minute)
			stop()
			r.want(t, "in the end", 4+behind, 0, 0)
		})
	}
}

// TestWitness: a refused record waits for another record, the witness. When the endpoint accepts the
// witness, the refused record is set aside.
func TestWitness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newJudged(t, Settings{}, newOutbox(batch(1, "bad")), refuseBad(400))
		stop := started(t, r.Exporter)
		elapse(time.Hour)
		r.want(t, "without a witness", 0, 0, 1)
		if status := r.Status(); !status.Retrying || !strings.Contains(status.LastError, "400") {
			t.Errorf("without a witness: status %+v", status)
		}
		r.outbox.add(batch(2, "a"))
		elapse(2 * time.Minute)
		r.want(t, "with a witness", 1, 1, 0)
		if r.Status().Retrying {
			t.Errorf("with a witness: status %+v", r.Status())
		}
		stop()
	})
}

// TestNearlyAllAreBad: many records at fault are all found, and every other one is delivered.
func TestNearlyAllAreBad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		outbox := newOutbox()
		for id := range int64(40) {
			outbox.add(batch(id+1, "bad", "bad", "bad", "bad", "bad", "bad", "bad", fmt.Sprint("good", id)))
		}
		r := newJudged(t, Settings{}, outbox, refuseBad(500))
		r.runFor(t, time.Hour)
		r.want(t, "in the end", 40, 280, 0)
		for id, times := range r.times() {
			if times > 2 { // once more as the witness, as what stands behind is at fault too
				t.Errorf("%s came %d times", id, times)
			}
		}
		if n := len(r.times()); n != 40 {
			t.Errorf("%d records came", n)
		}
	})
}

// TestTheOldestAreAllRefused (guarantee 5; counting.md 30): if many batches only have records at
// fault, such as a history that is too old for the endpoint, a later record is the witness, again
// and again.
func TestTheOldestAreAllRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const old = 20
		var batches []*outbox.Batch
		for id := range int64(old) {
			batches = append(batches, batch(id+1, "bad", "bad"))
		}
		r := newJudged(t, Settings{}, newOutbox(append(batches, batch(old+1, "good", "also good"))...), refuseBad(400))
		r.runFor(t, 12*time.Hour)
		r.want(t, "in the end", 2, 2*old, 0)
		if !slices.Contains(r.got, "good") || !slices.Contains(r.got, "also good") {
			t.Errorf("came %v", r.got)
		}
	})
}

// TestEveryOtherRequestFails: an endpoint that refuses at random convicts nobody.
func TestEveryOtherRequestFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newJudged(t, Settings{}, newOutbox(batch(1, "a", "b", "c"), batch(2, "d"), batch(3, "e", "f")),
			func(n int, _ []string) int { return []int{200, 500}[n%2] })
		r.runFor(t, time.Hour)
		r.want(t, "in the end", 6, 0, 0)
	})
}
