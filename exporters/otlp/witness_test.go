package otlp

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/outbox"
)

// TestOutage: an endpoint that refuses whatever it is sent, but for empty requests, is broken
// itself: everything is held, with few requests, and delivered when it works again (counting.md
// 30).
func TestOutage(t *testing.T) {
	for _, code := range []int{400, 413, 422, 500} {
		t.Run(fmt.Sprintf("HTTP %d", code), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const batches, each = 20, 30
				outbox, want := newOutbox(), map[string]bool{}
				for id := range int64(batches) {
					var ids []string
					for n := range each {
						ids = append(ids, fmt.Sprintf("r%d-%d", id, n))
						want[ids[n]] = true
					}
					outbox.add(batch(id+1, ids...))
				}
				var broken atomic.Bool
				var requests atomic.Int64
				broken.Store(true)
				r := newRig(t, Settings{}, outbox, func(req *http.Request) (*http.Response, error) {
					requests.Add(1)
					ids := idsOf(readLogs(t, req.Body))
					if broken.Load() && len(ids) > 0 {
						return respond(code, nil, ""), nil
					}
					for _, id := range ids {
						if !want[id] {
							t.Errorf("%s came twice", id)
						}
						delete(want, id)
					}
					return respond(200, asProtobuf, ""), nil
				})
				stop := r.started(t)
				elapse(90 * time.Minute)
				if r.count.counts() != [2]int{} || outbox.left() != batches {
					t.Fatalf("after 90 minutes sent and rejected are %v, and %d batches left", r.count.counts(),
						outbox.left())
				}
				if status := r.Status(); !status.Retrying || !strings.Contains(status.LastError, fmt.Sprint(code)) {
					t.Errorf("status %+v", status)
				}
				if n, most := requests.Load(), int64(90*3+2*maxRefusals); n > most {
					t.Errorf("%d requests in 90 minutes, want at most %d", n, most)
				}
				broken.Store(false)
				elapse(5 * time.Minute)
				stop()
				if r.count.counts() != [2]int{batches * each, 0} || len(want) != 0 || outbox.left() != 0 {
					t.Errorf("sent and rejected %v, %d records never came, %d batches left", r.count.counts(),
						len(want), outbox.left())
				}
			})
		})
	}
}

// TestOutageAfterAWitness: an endpoint that has accepted a part of a batch, and then refuses
// everything, convicts nothing of the rest (counting.md 30).
func TestOutageAfterAWitness(t *testing.T) {
	for _, behind := range []int{0, 3} {
		t.Run(fmt.Sprint(behind, " batches behind"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				outbox := newOutbox(batch(1, "a", "b", "c", "d"))
				for id := range int64(behind) {
					outbox.add(batch(id+2, fmt.Sprint("later", id)))
				}
				var works atomic.Bool
				var requests atomic.Int64
				r := newRig(t, Settings{}, outbox, func(*http.Request) (*http.Response, error) {
					if requests.Add(1) == 2 || works.Load() {
						return respond(200, asProtobuf, ""), nil
					}
					return respond(500, nil, ""), nil
				})
				stop := r.started(t)
				elapse(time.Hour)
				if status := r.Status(); r.count.counts() != [2]int{2, 0} || !status.Retrying {
					t.Errorf("in the outage: sent and rejected %v, status %+v", r.count.counts(), status)
				}
				if n, most := requests.Load(), int64(250); n > most {
					t.Errorf("%d requests in an hour, want at most %d", n, most)
				}
				works.Store(true)
				elapse(5 * time.Minute)
				stop()
				if r.count.counts() != [2]int{4 + behind, 0} || outbox.left() != 0 {
					t.Errorf("sent and rejected %v, %d batches left", r.count.counts(), outbox.left())
				}
			})
		})
	}
}

// TestWitness: a refused record waits for another record, the witness. When the endpoint accepts the
// witness, the refused record is set aside.
func TestWitness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Settings{}, newOutbox(batch(1, "bad")), func(req *http.Request) (*http.Response, error) {
			if slices.Contains(idsOf(readLogs(t, req.Body)), "bad") {
				return respond(400, nil, ""), nil
			}
			return respond(200, asProtobuf, ""), nil
		})
		stop := r.started(t)
		elapse(time.Hour)
		if status := r.Status(); r.count.counts() != [2]int{} || !status.Retrying {
			t.Errorf("without a witness: sent and rejected %v, status %+v", r.count.counts(), status)
		}
		r.outbox.add(batch(2, "a"))
		elapse(2 * time.Minute)
		if status := r.Status(); r.count.counts() != [2]int{1, 1} || status.Retrying || r.outbox.left() != 0 {
			t.Errorf("with a witness: sent and rejected %v, status %+v", r.count.counts(), status)
		}
		stop()
	})
}

// TestNearlyAllAreBad: many records at fault are all found, and every other one is delivered.
func TestNearlyAllAreBad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var batches []*outbox.Batch
		for id := range int64(40) {
			ids := []string{"bad", "bad", "bad", "bad", "bad", "bad", "bad", fmt.Sprint("good", id)}
			batches = append(batches, batch(id+1, ids...))
		}
		got := map[string]int{}
		r := newRig(t, Settings{}, newOutbox(batches...), func(req *http.Request) (*http.Response, error) {
			ids := idsOf(readLogs(t, req.Body))
			if slices.Contains(ids, "bad") {
				return respond(500, nil, ""), nil
			}
			for _, id := range ids {
				got[id]++
			}
			return respond(200, asProtobuf, ""), nil
		})
		stop := r.started(t)
		elapse(time.Hour)
		stop()
		if r.count.counts() != [2]int{40, 280} || len(got) != 40 || r.outbox.left() != 0 {
			t.Errorf("sent and rejected %v, %d records came, %d batches left", r.count.counts(), len(got),
				r.outbox.left())
		}
		for id, times := range got {
			if times > 2 { // once more as the witness, as what stands behind is at fault too
				t.Errorf("%s came %d times", id, times)
			}
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
		batches = append(batches, batch(old+1, "good", "also good"))
		got := map[string]int{}
		r := newRig(t, Settings{}, newOutbox(batches...), func(req *http.Request) (*http.Response, error) {
			ids := idsOf(readLogs(t, req.Body))
			if slices.Contains(ids, "bad") {
				return respond(400, nil, ""), nil
			}
			for _, id := range ids {
				got[id]++
			}
			return respond(200, asProtobuf, ""), nil
		})
		stop := r.started(t)
		elapse(12 * time.Hour)
		stop()
		if want := [2]int{2, 2 * old}; r.count.counts() != want || got["good"] == 0 || got["also good"] == 0 ||
			r.outbox.left() != 0 {
			t.Errorf("sent and rejected %v, want %v; came %v, %d batches left", r.count.counts(), want, got,
				r.outbox.left())
		}
	})
}

// TestEveryOtherRequestFails: an endpoint that refuses at random convicts nobody.
func TestEveryOtherRequestFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		requests := 0
		r := newRig(t, Settings{}, newOutbox(batch(1, "a", "b", "c"), batch(2, "d"), batch(3, "e", "f")),
			func(*http.Request) (*http.Response, error) {
				if requests++; requests%2 == 1 {
					return respond(500, nil, ""), nil
				}
				return respond(200, asProtobuf, ""), nil
			})
		stop := r.started(t)
		elapse(time.Hour)
		stop()
		if r.count.counts() != [2]int{6, 0} || r.outbox.left() != 0 {
			t.Errorf("sent and rejected %v, %d batches left", r.count.counts(), r.outbox.left())
		}
	})
}

// TestPartialSuccessOfNothing: an endpoint that says that it has taken a request, but none of its records, refuses it.
func TestPartialSuccessOfNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Settings{}, newOutbox(batch(1, "bad"), batch(2, "a")),
			func(req *http.Request) (*http.Response, error) {
				if slices.Contains(idsOf(readLogs(t, req.Body)), "bad") {
					return respond(200, asProtobuf, logsAnswer(t, 7, "no +4930123456")), nil
				}
				return respond(200, asProtobuf, ""), nil
			})
		stop := r.started(t)
		elapse(time.Hour)
		stop()
		if r.count.counts() != [2]int{1, 1} || !strings.Contains(r.log.String(), uidFor("bad")) ||
			strings.Contains(r.log.String(), "4930") {
			t.Errorf("sent and rejected %v, log:\n%s", r.count.counts(), r.log)
		}
	})
}
