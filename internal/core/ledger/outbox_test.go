package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/outbox"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// counting.md 26: batches leave in order, and only the oldest may go, also when the clock is set back. One that isn't
// acknowledged comes again after a restart.
func TestRule26InOrderWhenTheClockIsSetBack(t *testing.T) {
	for name, step := range map[string]time.Duration{"the clock goes on": time.Minute, "it is set back": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			r := newLiveRig(t)
			for i := range 5 {
				r.records(call(fmt.Sprint(i)))
				r.clock.add(step)
			}
			r.reopen()
			if n, oldest := r.ledger.Logs().Waiting(); n != 5 || step > 0 && !oldest.Equal(epoch) {
				t.Fatalf("outbox %d since %v", n, oldest)
			}
			for i := range 5 {
				b := r.next()
				r.reopen()
				again := r.next()
				if !strings.HasPrefix(string(b.Data), fmt.Sprintf("cdr.call %d ", i)) ||
					!bytes.Equal(again.Data, b.Data) {
					t.Fatalf("batch %d: %+v, after a restart %+v", i, b, again)
				}
				r.ack(again.ID)
			}
			if n, oldest := r.ledger.Logs().Waiting(); n != 0 || !oldest.IsZero() || r.next() != nil {
				t.Fatalf("outbox %d since %v", n, oldest)
			}
		})
	}
}

// A batch has a thousand records at most, or some more than a megabyte: receivers take 4 MiB.
func TestOutboxSplitsBatches(t *testing.T) {
	r := newLiveRig(t)
	var small []*cdr.Record
	for i := range outbox.BatchRecords*2 + 1 {
		small = append(small, call(fmt.Sprint(i)))
	}
	long := strings.Repeat("x", 600<<10)
	for _, c := range []struct {
		records []*cdr.Record
		want    []int
	}{
		{small, []int{outbox.BatchRecords, outbox.BatchRecords, 1}},
		{[]*cdr.Record{call("a" + long), call("b" + long), call("c" + long)}, []int{2, 1}},
	} {
		r.records(c.records...)
		var sizes []int
		for _, b := range r.drain() {
			sizes = append(sizes, b.Records)
		}
		if !slices.Equal(sizes, c.want) {
			t.Errorf("batches of %v, want %v", sizes, c.want)
		}
	}
}

// A full queue, of log records or of spans, pauses reading and loses nothing; or what doesn't fit is
// skipped and counted, log records of sessions too.
func TestOutboxFull(t *testing.T) {
	for _, c := range []struct {
		name        string
		skip, spans bool
	}{
		{"pause", false, false},
		{"skip_logs", true, false},
		{"spans, pause", false, true},
		{"spans, skip_logs", true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.tuning.OutboxLimit, r.tuning.SkipLogs = 2, c.skip
			if c.spans {
				r.tuning.Encoder, r.tuning.Tracer = nil, lineTracer{}
			}
			r.reopen()
			r.live()
			queue := r.ledger.Logs()
			r.records(call("a"))
			if c.spans {
				queue = r.ledger.Spans() // a call has two
			} else {
				r.records(call("b"))
			}
			got, err := r.try(call("c", sessions("s1", "s2")))
			if n, _ := queue.Waiting(); n != 2 {
				t.Errorf("%d wait", n)
			}
			if c.skip {
				want := [2]int{3, 0}
				if c.spans {
					want = [2]int{0, 2}
				}
				if err != nil || got.New != 1 || [2]int{got.SkippedLogs, got.SkippedSpans} != want {
					t.Errorf("%+v, %v", got, err)
				}
				return
			}
			if !errors.Is(err, ErrOutboxFull) || !errors.Is(r.ledger.Paused(), ErrOutboxFull) {
				t.Fatalf("err = %v, paused: %v", err, r.ledger.Paused())
			}
			b, err := queue.Next(t.Context(), 0)
			require.NoError(t, errors.Join(err, queue.Ack(t.Context(), b.ID)))
			r.records(call("c"))
		})
	}
}

func TestOutboxWait(t *testing.T) {
	r := newLiveRig(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	woken := make(chan error, 1)
	go func() {
		r.ledger.Logs().Wait(ctx)
		woken <- ctx.Err()
	}()
	r.records(call("a"))
	require.NoError(t, <-woken)
	r.ack(1)
	cancel()
	r.ledger.Logs().Wait(ctx) // the context has ended: it returns
}

// counting.md 29: a full disk pauses reading, the outbox drains from the reserve,
// and reading resumes by itself.
func TestRule29FullDisk(t *testing.T) {
	r := newLiveRig(t)
	r.records(call("a"))
	if info, err := os.Stat(filepath.Join(r.storage.Folder, reserveName)); err != nil || info.Size() != testReserve {
		t.Fatalf("reserve: %v, %v", info, err)
	}
	var pages int64
	require.NoError(t, r.ledger.engine.ScanRow(`PRAGMA page_count`, nil, &pages))
	limit := func(n int64) { r.exec(fmt.Sprintf(`PRAGMA max_page_count = %d`, n)) }
	limit(pages)
	var page counting.Page
	for i := range 3000 {
		page.Records = append(page.Records, call(fmt.Sprint("full", i)))
	}
	page.ObservedAt = epoch
	if _, err := r.tryPage(&page); !errors.Is(err, ErrFull) {
		t.Fatalf("err = %v, want ErrFull", err)
	}
	if _, err := os.Stat(filepath.Join(r.storage.Folder, reserveName)); !os.IsNotExist(err) {
		t.Fatalf("the reserve wasn't given up: %v", err)
	}
	r.drain()
	limit(1 << 30)
	r.commit(&page)
	wantValues(t, r.values(), map[string]string{answered: "3001"})
}

// lineTracer makes two spans of a call that a test can read.
type lineTracer struct{}

func (lineTracer) AppendSpans(batch []byte, ends []int, r *cdr.Record, s *counting.Span) ([]byte, []int) {
	for _, name := range []string{"root", "child"} {
		batch = fmt.Appendf(batch, "%s %s v%d from=%s\n", name, s.Event.RecordID, s.Event.Version, r.CallerNumber)
		ends = append(ends, len(batch))
	}
	return batch, ends
}

// Spans wait in a separate queue, redacted, and survive a restart. An endpoint that takes no spans
// doesn't delay log records.
func TestSpansHaveTheirOwnQueue(t *testing.T) {
	r := newRig(t, func(r *rig) { r.tuning.Tracer = lineTracer{} })
	r.records(call("history"))
	r.live()
	a := call("a")
	a.CallerNumber = "+4930123456"
	r.records(a, call("b"))
	r.records(a) // no span again
	r.reopen()
	logs, spans := r.ledger.Logs(), r.ledger.Spans()
	if n, _ := logs.Waiting(); n != 3 {
		t.Errorf("%d log records wait", n)
	}
	r.drain()
	if n, oldest := spans.Waiting(); n != 4 || oldest.IsZero() {
		t.Errorf("%d spans wait, since %v", n, oldest)
	}
	b, err := spans.Next(t.Context(), 0)
	require.NoError(t, err)
	want := "root b v1 from=+1555010****\nchild b v1 from=+1555010****\nroot a v1 from=+493012****\nchild a " +
		"v1 from=+493012****\n"
	if string(b.Data) != want || b.Records != 4 || b.Feed != "direct_routing" {
		t.Errorf("%d spans of %s: %q, want %q", b.Records, b.Feed, b.Data, want)
	}
	require.NoError(t, spans.Ack(t.Context(), b.ID))
	if b, err = spans.Next(t.Context(), 0); b != nil || err != nil {
		t.Errorf("%v waits, %v", b, err)
	}
}

// priceEncoder makes log records and spans of what a call cost.
type priceEncoder struct{}

func (priceEncoder) AppendRecord(batch []byte, r *cdr.Record, e *counting.Event) []byte {
	batch = fmt.Append(batch, e.Name)
	for _, c := range r.Charges {
		batch = fmt.Append(batch, " ", c.Component, " ", c.Amount.String(), " ", c.Currency)
	}
	return append(batch, '\n')
}

func (e priceEncoder) AppendSpans(batch []byte, ends []int, r *cdr.Record, s *counting.Span) ([]byte, []int) {
	batch = append(batch, "span of "...)
	batch = e.AppendRecord(batch, r, &s.Event)
	return batch, append(ends, len(batch))
}

// A log record and a span have the currency in which the metrics count an amount, also where the
// provider names none: then a first version has the source's, and a later one keeps what is known.
func TestLoggedCurrencyIsTheCountedOne(t *testing.T) {
	r := newLiveRig(t, func(r *rig) {
		r.tuning.Encoder, r.tuning.Tracer = priceEncoder{}, priceEncoder{}
		r.spec.ChargesLater = true
	})
	for _, record := range []*cdr.Record{
		call("a", charge(t, "usage", "", "0.10")),
		call("a", charge(t, "usage", "", "0.20"), charge(t, "connection", "", "0.01")),
		call("b", charge(t, "usage", "EUR", "1")),
		call("b", charge(t, "usage", "", "2")),
		call("c"),
		call("c", charge(t, "usage", "", "3")),
		call("d"),
	} {
		r.records(record)
	}
	r.records(call("d", charge(t, "usage", "EUR", "4")), call("d", charge(t, "usage", "", "5")))
	wantValues(t, r.values(), map[string]string{
		"cdr_call_charges_total{inbound,byot_in,XXX,usage,}":      "3.1",
		"cdr_call_charges_total{inbound,byot_in,XXX,connection,}": "0.01",
		"cdr_call_charges_total{inbound,byot_in,EUR,usage,}":      "5",
	})
	var logged, traced []string
	for _, line := range r.logs() {
		if span, is := strings.CutPrefix(line, "span of "); is {
			traced = append(traced, span)
		} else {
			logged = append(logged, line)
		}
	}
	if want := []string{
		"cdr.call usage 0.1 XXX", "cdr.call.revised usage 0.2 XXX connection 0.01 XXX", "cdr.call usage 1 EUR",
		"cdr.call.revised usage 2 EUR",
		"cdr.call", "cdr.call.revised usage 3 XXX", "cdr.call", "cdr.call.revised usage 4 EUR",
		"cdr.call.revised usage 5 EUR",
	}; !slices.Equal(logged, want) {
		t.Errorf("logged %q, want %q", logged, want)
	}
	if want := []string{
		"cdr.call usage 0.1 XXX", "cdr.call usage 1 EUR", "cdr.call.revised usage 3 XXX",
		"cdr.call.revised usage 5 EUR",
	}; !slices.Equal(traced, want) {
		t.Errorf("spans of %q, want %q", traced, want)
	}
}

// A read that ends on a full queue counts the calls that are whole by then; none of their log records or spans is
// skipped if reading pauses.
func TestCallsOfAFullOutbox(t *testing.T) {
	for _, spans := range []bool{false, true} {
		r := newCallRig(t)
		r.records(leg("a"))
		r.tuning.OutboxLimit = 1
		if spans {
			r.tuning.Encoder, r.tuning.Tracer = nil, lineTracer{}
		}
		r.reopen()
		r.clock.add(settle)
		// One read: a page with a record that fills the queue, and its end, which has none.
		r.records(call("b"))
		queue := r.ledger.Logs()
		if spans {
			queue = r.ledger.Spans()
		}
		before, _ := queue.Waiting()
		got := r.commit(r.read())
		r.wantCalls("after the read", 2, 0)
		if after, _ := queue.Waiting(); got.SkippedLogs+got.SkippedSpans != 0 || after == before {
			t.Errorf("spans %t: %d, then %d wait; %d log records and %d spans were skipped", spans, before, after,
				got.SkippedLogs, got.SkippedSpans)
		}
	}
}
