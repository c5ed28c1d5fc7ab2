package otlp

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/outbox"
)

// TestRetriesForEver: an endpoint that is away for days costs nothing but time.
func TestRetriesForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var gaps []time.Duration
		last := begin
		r := newRig(t, Settings{}, newOutbox(batch(1, "a", "b")), func(*http.Request) (*http.Response, error) {
			gaps = append(gaps, time.Since(last))
			last = time.Now()
			if time.Since(begin) < 9*time.Hour {
				return nil, errors.New("connection refused")
			}
			return respond(200, asProtobuf, ""), nil
		})
		stop := started(t, r.Exporter)
		elapse(8 * time.Hour)
		status := r.Status()
		if !status.Retrying || status.LastError != "connection refused" {
			t.Errorf("while away: %+v", status)
		}
		elapse(2 * time.Hour)
		if status = r.Status(); status.Retrying || r.count.counts() != [2]int{2, 0} || r.outbox.left() != 0 {
			t.Errorf("after it came back: %+v, counted %v", status, r.count.counts())
		}
		if gaps[1] > time.Second || gaps[1] < 300*time.Millisecond {
			t.Errorf("the first retry came after %v, want within a second", gaps[1])
		}
		for _, gap := range gaps {
			if gap > time.Minute {
				t.Errorf("a retry came after %v, want at most a minute", gap)
			}
		}
		if !strings.Contains(r.log.String(), "after=9h0m") {
			t.Errorf("the log doesn't say how long it took:\n%s", r.log)
		}
		if begun := strings.Count(r.log.String(), "export failing"); begun != 1 {
			t.Errorf("one outage was logged %d times", begun)
		}
		stop()
	})
}

func TestRetryAfter(t *testing.T) {
	tests := []struct {
		name, value string
		least, most time.Duration
	}{
		{"seconds", "120", 2 * time.Minute, 2*time.Minute + time.Second},
		{"a date", "in 90 s", 89 * time.Second, 91 * time.Second},
		{"less than our own wait", "0", 300 * time.Millisecond, time.Second},
		{"nonsense", "soon", 300 * time.Millisecond, time.Second},
		{"a date gone by", time.Unix(0, 0).UTC().Format(http.TimeFormat), 300 * time.Millisecond, time.Second},
		{"too long", "999999999", time.Hour, time.Hour + time.Second},
	}
	for _, tc := range tests {
		inBubble(t, tc.name, func(t *testing.T) {
			var times []time.Time
			r := newRig(t, Settings{}, newOutbox(batch(1, "a")), func(*http.Request) (*http.Response, error) {
				times = append(times, time.Now())
				if len(times) > 1 {
					return respond(200, asProtobuf, ""), nil
				}
				value := tc.value
				if value == "in 90 s" {
					value = time.Now().Add(90 * time.Second).UTC().Format(http.TimeFormat)
				}
				return respond(429, map[string]string{"Retry-After": value}, ""), nil
			})
			r.runFor(t, 2*time.Hour)
			if len(times) != 2 {
				t.Fatalf("%d requests, want 2", len(times))
			}
			if wait := times[1].Sub(times[0]); wait < tc.least || wait > tc.most {
				t.Errorf("waited %v, want %v to %v", wait, tc.least, tc.most)
			}
		})
	}
}

func TestARequestWithoutAnswerIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		requests := 0
		r := newRig(t, Settings{Timeout: 7 * time.Second}, newOutbox(batch(1, "a")),
			func(req *http.Request) (*http.Response, error) {
				if requests++; requests == 1 {
					<-req.Context().Done()
					return nil, req.Context().Err()
				}
				return respond(200, asProtobuf, ""), nil
			})
		stop := started(t, r.Exporter)
		elapse(7100 * time.Millisecond)
		if status := r.Status(); !status.Retrying || status.LastError != "no answer within 7s" {
			t.Errorf("status %+v", status)
		}
		elapse(time.Second)
		if r.count.counts() != [2]int{1, 0} {
			t.Errorf("counted %v", r.count.counts())
		}
		stop()
	})
}

func TestNewBatchesAreSentWhenTheyCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Settings{}, newOutbox(), accepts)
		stop := started(t, r.Exporter)
		for i := range int64(3) {
			r.outbox.add(batch(i+1, "a"))
			synctest.Wait()
			if got := r.count.counts()[0]; got != int(i)+1 {
				t.Errorf("%d records sent, want %d", got, i+1)
			}
		}
		stop()
	})
}

// TestShutdown: a shutdown sends the batches that wait, within the time that there is, after one more try at once. A
// batch that the endpoint accepts at the last moment isn't sent again at the next start.
func TestShutdown(t *testing.T) {
	for name, c := range map[string]struct {
		batches                     int
		before, timeout, down, slow time.Duration // down and slow: for how long the endpoint is, slow with each request
		sent, left                  int
		took                        time.Duration
	}{
		"drains":                      {5, 0, 10 * time.Second, 0, time.Second, 5, 0, 5 * time.Second},
		"ends at its timeout":         {2, time.Hour, 3 * time.Second, 2 * time.Hour, 0, 0, 2, 3 * time.Second},
		"tries once more at once":     {1, time.Minute, 5 * time.Second, 30 * time.Second, 0, 1, 0, 0},
		"accepted at the last moment": {2, 0, 3 * time.Second, 0, 4 * time.Second, 1, 1, 4 * time.Second},
	} {
		inBubble(t, name, func(t *testing.T) {
			back := time.Now().Add(c.down)
			r := newRig(t, Settings{ShutdownTimeout: c.timeout}, newOutbox(),
				func(*http.Request) (*http.Response, error) {
					if time.Now().Before(back) {
						return respond(503, map[string]string{"Retry-After": "3000"}, ""), nil
					}
					elapse(c.slow)
					return respond(200, asProtobuf, ""), nil
				})
			stop := started(t, r.Exporter)
			synctest.Wait()
			for i := range c.batches {
				r.outbox.add(batch(int64(i)+1, "a"))
			}
			elapse(c.before)
			begin := time.Now()
			stop()
			if took := time.Since(begin); took != c.took {
				t.Errorf("the shutdown took %v, want %v", took, c.took)
			}
			r.want(t, "in the end", c.sent, 0, c.left)
		})
	}
}

// TestAClosedLedgerEndsSending, with the reason.
func TestAClosedLedgerEndsSending(t *testing.T) {
	outbox := newOutbox()
	outbox.nextErrs = []error{ledger.ErrClosed}
	r := newRig(t, Settings{}, outbox, nil)
	if err := r.Run(t.Context()); !errors.Is(err, ledger.ErrClosed) {
		t.Errorf("run: %v, want %v", err, ledger.ErrClosed)
	}
}

// TestTooMuchIsSplitButNoSingleRecordIsRefused: a quota that is used up looks like
// a message that is too large; only a record that may well be too large is set aside.
func TestTooMuchIsSplitButNoSingleRecordIsRefused(t *testing.T) {
	huge := bareRecord()
	huge.ReasonPhrase = strings.Repeat("x", largeRecord)
	large := &outbox.Batch{ID: 2, Records: 1, Data: Encoder{}.AppendRecord(nil, huge, event("huge"))}
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		outbox, count := newOutbox(batch(1, "a", "b"), large, batch(3, "c")), &tally{}
		h := &health{signal: "logs", logger: slog.New(slog.DiscardHandler)}
		s := &sender{
			outbox: outbox, count: count.count, health: h, logger: slog.New(slog.DiscardHandler), grace: time.Hour,
			timeout: time.Minute, envelope: newEnvelope(Settings{}),
			post: func(_ context.Context, request []byte) answer {
				if time.Since(begin) < 10*time.Minute || len(request) > largeRecord {
					return answer{kind: tooLarge, problem: "enough"}
				}
				return answer{}
			},
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.run(ctx); err != nil {
			t.Fatalf("run: %v", err)
		}
		if count.counts() != [2]int{3, 1} || outbox.left() != 0 || time.Since(begin) > 13*time.Minute {
			t.Errorf("counted %v, %d batches left after %v", count.counts(), outbox.left(), time.Since(begin))
		}
	})
}
