package otlp

import (
	"bytes"
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

// judged is an exporter whose endpoint has a judge. It keeps which records were accepted.
type judged struct {
	*rig
	requests atomic.Int64
	got      []string // complete when it has stopped
}

func newJudged(t *testing.T, settings Settings, outbox *fakeOutbox, judge judge) *judged {
	t.Helper()
	j := new(judged)
	j.rig = newRig(t, settings, outbox, func(req *http.Request) (*http.Response, error) {
		n := j.requests.Add(1)
		ids := idsIn(t, req)
		if code := judge(int(n), ids); code != 200 {
			return respond(code, nil, "the endpoint's own words: +4930123456"), nil
		}
		j.got = append(j.got, ids...)
		return accepts(req)
	})
	return j
}

// times is how often each record was accepted.
func (j *judged) times() map[string]int {
	times := map[string]int{}
	for _, id := range j.got {
		times[id]++
	}
	return times
}

// runFor runs the exporter for a while of the bubble's time.
func (r *rig) runFor(t *testing.T, d time.Duration) {
	t.Helper()
	stop := started(t, r.Exporter)
	elapse(d)
	stop()
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
			outbox := newOutbox(batch(1, "a", "b", "bad", "c", "d"), batch(2, "e"))
			r := newJudged(t, Settings{ShutdownTimeout: time.Minute}, outbox, func(n int, ids []string) int {
				if again && n <= 3 || !again && slices.Contains(ids, "bad") {
					return code
				}
				return 200
			})
			drain(t, r.Exporter)
			want, counts := []string{"a", "b", "bad", "c", "d", "e"}, [2]int{6, 0}
			if !again {
				want, counts = []string{"a", "b", "c", "d", "e"}, [2]int{5, 1}
			}
			if !slices.Equal(r.got, want) {
				t.Errorf("accepted %q, want %q", r.got, want)
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
	drain(t, r.Exporter)
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
		r := newJudged(t, Settings{ShutdownTimeout: time.Minute}, newOutbox(batch(1, ids...)),
			func(_ int, ids []string) int {
				if slices.ContainsFunc(ids, func(id string) bool { return bad[id] }) {
					return 400
				}
				return 200
			})
		drain(t, r.Exporter)
		if !slices.Equal(slices.Compact(r.got), good) { // the last one comes again, as the witness
			t.Errorf("accepted %q", r.got)
		}
		r.want(t, "in the end", 96, 4, 0)
		for id := range bad {
			if !strings.Contains(r.log.String(), uidFor(id)) {
				t.Errorf("the log doesn't name %s", id)
			}
		}
		if n := r.requests.Load(); strings.Count(r.log.String(), "\n") != len(bad) || n > 80 {
			t.Errorf("%d requests, log:\n%s", n, r.log)
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
			events = append(events, "send "+strings.Join(idsIn(t, req), ","))
			return accepts(req)
		})
		drain(t, r.Exporter)
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
			drain(t, r.Exporter)
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
				if slices.Contains(idsIn(t, req), "bad") {
					return respond(200, asProtobuf, logsAnswer(t, 7, "no +4930123456")), nil
				}
				return respond(200, asProtobuf, ""), nil
			})
		r.runFor(t, time.Hour)
		r.want(t, "in the end", 1, 1, 0)
		if !strings.Contains(r.log.String(), uidFor("bad")) || strings.Contains(r.log.String(), "4930") {
			t.Errorf("log:\n%s", r.log)
		}
	})
}

func TestWhatCannotBeReadIsSetAside(t *testing.T) {
	broken := batch(1, "a", "b", "c")
	broken.Data = broken.Data[:len(broken.Data)-3]
	r := newJudged(t, Settings{},
		newOutbox(broken, &outbox.Batch{ID: 2, Records: 2, Data: []byte{0xff}}, batch(3, "d")),
		func(int, []string) int { return 200 })
	drain(t, r.Exporter)
	if r.want(t, "in the end", 3, 3, 0); !slices.Equal(r.got, []string{"a", "b", "d"}) {
		t.Errorf("accepted %q", r.got)
	}
}
