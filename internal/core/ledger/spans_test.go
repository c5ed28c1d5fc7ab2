package ledger

import (
	"fmt"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

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
	r := newRig(t)
	r.tuning.Tracer = lineTracer{}
	r.reopen()
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
	if err != nil {
		t.Fatal(err)
	}
	want := "root b v1 from=+1555010****\nchild b v1 from=+1555010****\nroot a v1 from=+493012****\nchild a " +
		"v1 from=+493012****\n"
	if string(b.Data) != want || b.Records != 4 || b.Feed != "direct_routing" {
		t.Errorf("%d spans of %s: %q, want %q", b.Records, b.Feed, b.Data, want)
	}
	if err := spans.Ack(t.Context(), b.ID); err != nil {
		t.Fatal(err)
	}
	if b, err = spans.Next(t.Context(), 0); b != nil || err != nil {
		t.Errorf("%v waits, %v", b, err)
	}
}
