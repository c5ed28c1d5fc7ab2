package otlp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	collogspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	"google.golang.org/protobuf/proto"

	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/outbox"
)

// rig is an exporter of logs over an injected transport.
type rig struct {
	*Exporter
	outbox *fakeOutbox
	count  *tally
	log    *bytes.Buffer
}

func newRig(t *testing.T, settings Settings, outbox *fakeOutbox, transport roundTripper) *rig {
	t.Helper()
	r := &rig{outbox: outbox, count: &tally{}, log: &bytes.Buffer{}}
	if settings.Endpoint == "" {
		settings.Endpoint = "http://otlp.example.com"
	}
	settings.Transport = transport
	r.Exporter = newLogs(t, settings, parts{
		outbox: outbox, count: r.count.count,
		logger: slog.New(slog.NewTextHandler(r.log, nil)),
	})
	return r
}

// want checks what was counted, and how many batches are left.
func (r *rig) want(t *testing.T, when string, sent, rejected, left int) {
	t.Helper()
	if got := r.count.counts(); got != [2]int{sent, rejected} || r.outbox.left() != left {
		t.Errorf("%s: sent and rejected are %v, want %d and %d; %d batches are left, want %d", when, got, sent,
			rejected, r.outbox.left(), left)
	}
}

// judge is the status that the nth request is answered with, which has records with these ids.
type judge func(n int, ids []string) int

// judged is an exporter whose endpoint has a judge. It keeps how often each record was accepted.
type judged struct {
	*rig
	requests atomic.Int64
	got      map[string]int // complete when it has stopped
}

func newJudged(t *testing.T, outbox *fakeOutbox, judge judge) *judged {
	t.Helper()
	j := &judged{got: map[string]int{}}
	j.rig = newRig(t, Settings{}, outbox, func(req *http.Request) (*http.Response, error) {
		n := j.requests.Add(1)
		ids := idsOf(readLogs(t, req.Body))
		code := judge(int(n), ids)
		if code != 200 {
			return respond(code, nil, ""), nil
		}
		for _, id := range ids {
			j.got[id]++
		}
		return respond(code, asProtobuf, ""), nil
	})
	return j
}

// drain runs the exporter until its outbox is empty, as at a shutdown.
func (r *rig) drain(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Run(ctx); err != nil {
		t.Fatalf("run: %v", err)
	}
}

// TestEveryStatus: counting.md 26, for each class of HTTP status. An endpoint
// answers every request that holds the record `bad`, or its first three requests,
// with the status; what is tried again gets through whole, what refuses is split, and its batch deleted when the
// record at fault is found.
func TestEveryStatus(t *testing.T) {
	hints := map[int]string{
		301: "redirects are not followed", 307: "redirects are not followed", 401: "check the credentials",
		403: "check the credentials", 407: "check the credentials",
		404: "check otlp.endpoint", 405: "check otlp.endpoint",
	}
	again := []int{301, 307, 401, 403, 404, 405, 407, 408, 429, 502, 503, 504}
	refused := []int{400, 402, 406, 409, 410, 411, 413, 415, 422, 431, 500, 501, 505, 511}
	for _, code := range slices.Concat(again, refused) {
		again := slices.Contains(again, code)
		inBubble(t, fmt.Sprintf("HTTP %d", code), func(t *testing.T) {
			var got []string
			requests := 0
			outbox := newOutbox(batch(1, "a", "b", "bad", "c", "d"), batch(2, "e"))
			r := newRig(t, Settings{ShutdownTimeout: time.Minute}, outbox,
				func(req *http.Request) (*http.Response, error) {
					requests++
					ids := idsOf(readLogs(t, req.Body))
					if again && requests <= 3 || !again && slices.Contains(ids, "bad") {
						return respond(code, nil, "the endpoint's own words: +4930123456"), nil
					}
					got = append(got, ids...)
					return respond(200, asProtobuf, ""), nil
				})
			r.drain(t)
			want, counts := []string{"a", "b", "bad", "c", "d", "e"}, [2]int{6, 0}
			if !again {
				want, counts = []string{"a", "b", "c", "d", "e"}, [2]int{5, 1}
			}
			if !slices.Equal(got, want) {
				t.Errorf("accepted %q, want %q", got, want)
			}
			if r.count.counts() != counts {
				t.Errorf("sent and rejected: %v, want %v", r.count.counts(), counts)
			}
			if deleted := []int64{1, 2}; !slices.Equal(outbox.acked, deleted) {
				t.Errorf("deleted batches %v, want %v", outbox.acked, deleted)
			}
			status := r.Status()
			if status.Retrying || !strings.Contains(status.LastError, fmt.Sprintf("HTTP %d", code)) ||
				!strings.Contains(status.LastError, hints[code]) {
				t.Errorf("status %+v", status)
			}
			if named := strings.Contains(r.log.String(), uidFor("bad")); named == again {
				t.Errorf("the log names the refused record: %v\n%s", named, r.log)
			}
			if strings.Contains(r.log.String()+status.LastError, "own words") ||
				strings.Contains(r.log.String(), "4930") {
				t.Errorf("the endpoint's words are in the log or the status:\n%s", r.log)
			}
		})
	}
}

// TestUncompressed: a request that isn't to be compressed is readable as it is.
func TestUncompressed(t *testing.T) {
	r := newRig(t, Settings{Uncompressed: true}, newOutbox(batch(1, "a")),
		func(req *http.Request) (*http.Response, error) {
			body, err := io.ReadAll(req.Body)
			if err != nil || req.Header.Get("Content-Encoding") != "" {
				t.Errorf("encoding %q, %v", req.Header.Get("Content-Encoding"), err)
			}
			var in collogspb.ExportLogsServiceRequest
			if err := proto.Unmarshal(body, &in); err != nil || len(in.GetResourceLogs()) != 1 {
				t.Errorf("request isn't OTLP: %v", err)
			}
			return respond(200, asProtobuf, ""), nil
		})
	r.drain(t)
}

// TestSplitFindsEveryBadRecord: only the records at fault are set aside, and the
// order of the others stays.
func TestSplitFindsEveryBadRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ids, good []string
		bad := map[string]bool{"r0": true, "r41": true, "r42": true, "r99": true}
		for i := range 100 {
			id := fmt.Sprintf("r%d", i)
			ids = append(ids, id)
			if !bad[id] {
				good = append(good, id)
			}
		}
		var got []string
		requests := 0
		r := newRig(t, Settings{ShutdownTimeout: time.Minute}, newOutbox(batch(1, ids...)),
			func(req *http.Request) (*http.Response, error) {
				requests++
				in := idsOf(readLogs(t, req.Body))
				if slices.ContainsFunc(in, func(id string) bool { return bad[id] }) {
					return respond(400, nil, ""), nil
				}
				got = append(got, in...)
				return respond(200, asProtobuf, ""), nil
			})
		r.drain(t)
		if !slices.Equal(slices.Compact(got), good) { // the last one comes again, as the witness
			t.Errorf("accepted %q", got)
		}
		if want := [2]int{96, 4}; r.count.counts() != want {
			t.Errorf("sent and rejected: %v, want %v", r.count.counts(), want)
		}
		for id := range bad {
			if !strings.Contains(r.log.String(), uidFor(id)) {
				t.Errorf("the log doesn't name %s", id)
			}
		}
		if strings.Count(r.log.String(), "\n") != len(bad) || requests > 80 {
			t.Errorf("%d requests, log:\n%s", requests, r.log)
		}
	})
}

// TestNextBatchOnlyAfterTheDeletionIsCommitted: counting.md 26, last sentence.
func TestNextBatchOnlyAfterTheDeletionIsCommitted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var events []string
		outbox := newOutbox(batch(1, "a"), batch(2, "b"), batch(3, "c"))
		outbox.onEvent = func(e string) { events = append(events, e) }
		outbox.ackErrs = []error{errors.New("disk full"), ledger.ErrFull, nil, nil, ledger.ErrFull}
		outbox.nextErrs = []error{errors.New("busy")}
		r := newRig(t, Settings{}, outbox, func(req *http.Request) (*http.Response, error) {
			outbox.mu.Lock()
			defer outbox.mu.Unlock()
			events = append(events, "send "+strings.Join(idsOf(readLogs(t, req.Body)), ","))
			return respond(200, asProtobuf, ""), nil
		})
		r.drain(t)
		want := []string{"send a", "ack fails", "ack fails", "ack 1", "send b", "ack 2", "send c", "ack fails", "ack 3"}
		if !slices.Equal(events, want) {
			t.Errorf("got %q, want %q", events, want)
		}
		if !strings.Contains(r.log.String(), "disk full") || r.Status().Retrying {
			t.Errorf("status %+v, log\n%s", r.Status(), r.log)
		}
	})
}

func TestPartialSuccess(t *testing.T) {
	tests := []struct {
		name     string
		header   map[string]string
		body     string
		counts   [2]int
		inTheLog []string
	}{
		{"nothing said", asProtobuf, "", [2]int{3, 0}, nil},
		{"a warning only", asProtobuf, logsAnswer(t, 0, "deprecated +4930123456"), [2]int{3, 0}, nil},
		{
			"one of three", asProtobuf, logsAnswer(t, 1, "no +4930123456"),
			[2]int{2, 1},
			[]string{uidFor("a"), uidFor("c"), "rejected=1"},
		},
		{"less than none", asProtobuf, logsAnswer(t, -1, ""), [2]int{3, 0}, nil},
		{
			"in JSON",
			map[string]string{"Content-Type": "application/json; charset=utf-8"},
			`{"partialSuccess":{"rejectedLogRecords":"2","errorMessage":"no","new":1}}`,
			[2]int{1, 2},
			[]string{"rejected=2"},
		},
		{"something else", map[string]string{"Content-Type": "text/plain"}, "ok, thanks", [2]int{3, 0}, nil},
		{"without a type", nil, "\xff\xff\xff", [2]int{3, 0}, nil},
		{"an endless answer", asProtobuf, strings.Repeat("\x0a", 2*maxResponse), [2]int{3, 0}, nil},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			requests := 0
			r := newRig(t, Settings{}, newOutbox(batch(1, "a", "b", "c")), func(*http.Request) (*http.Response, error) {
				requests++
				return respond(200, tc.header, tc.body), nil
			})
			r.drain(t)
			if r.count.counts() != tc.counts || requests != 1 || r.outbox.left() != 0 {
				t.Errorf("sent and rejected %v in %d requests, %d batches left; want %v in 1, 0 left", r.count.counts(),
					requests, r.outbox.left(), tc.counts)
			}
			if problem := r.Status().LastError; (problem != "") != (tc.counts[1] > 0) {
				t.Errorf("the status has the problem %q", problem)
			}
			for _, want := range tc.inTheLog {
				if !strings.Contains(r.log.String(), want) {
					t.Errorf("%q isn't in the log:\n%s", want, r.log)
				}
			}
			if strings.Contains(r.log.String()+r.Status().LastError, "4930") {
				t.Errorf("the endpoint's words are repeated:\n%s", r.log)
			}
		})
	}
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
		r.want(t, "in the end", 1, 1, 0)
		if !strings.Contains(r.log.String(), uidFor("bad")) || strings.Contains(r.log.String(), "4930") {
			t.Errorf("log:\n%s", r.log)
		}
	})
}

func TestWhatCannotBeReadIsSetAside(t *testing.T) {
	broken := batch(1, "a", "b", "c")
	broken.Data = broken.Data[:len(broken.Data)-3]
	var got []string
	r := newRig(t, Settings{}, newOutbox(broken, &outbox.Batch{ID: 2, Records: 2, Data: []byte{0xff}}, batch(3, "d")),
		func(req *http.Request) (*http.Response, error) {
			got = append(got, idsOf(readLogs(t, req.Body))...)
			return respond(200, asProtobuf, ""), nil
		})
	r.drain(t)
	if !slices.Equal(got, []string{"a", "b", "d"}) || r.count.counts() != [2]int{3, 3} || r.outbox.left() != 0 {
		t.Errorf("accepted %q, counted %v, %d left", got, r.count.counts(), r.outbox.left())
	}
}
