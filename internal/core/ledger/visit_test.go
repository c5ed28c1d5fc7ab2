package ledger

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// Visits to queues are in the commit of their row, are known again after a restart, and leave the
// number of calls alone.
func TestVisits(t *testing.T) {
	r := newRig(t)
	r.live()
	visit := func(result cdr.QueueResult) func(*cdr.Record) {
		return func(r *cdr.Record) {
			r.Visits = append(r.Visits, cdr.Visit{
				Queue: "support", Result: result,
				Wait: cdr.KnownLength(30 * time.Second),
			})
		}
	}
	only := func(r *cdr.Record) { r.NoCall, r.Outcome = true, cdr.Unknown }
	for range 2 {
		r.records(call("a", visit(cdr.QueueAnswered)), call("b", only, visit(cdr.QueueAbandoned)),
			call("c", only, visit(cdr.QueueTimeout)))
		r.reopen()
	}
	wantValues(t, r.values(), map[string]string{
		"cdr_queue_calls_total{support,answered}": "1", "cdr_queue_calls_total{support,abandoned}": "1",
		"cdr_queue_calls_total{support,timeout}":   "1",
		"cdr_queue_wait_seconds{support,answered}": "1/30",
	})
	if calls := r.total("cdr_calls_total"); calls != 1 {
		t.Errorf("%d calls", calls)
	}
	var names []string
	for _, line := range r.logs() {
		names = append(names, strings.Join(strings.Fields(line)[:2], " "))
	}
	if want := []string{
		"cdr.call a", "cdr.queue_visit a", "cdr.queue_visit b",
		"cdr.queue_visit c",
	}; !slices.Equal(names, want) {
		t.Errorf("logged %q", names)
	}
	inspector, err := r.storage.Inspect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer inspector.Close() //nolint:errcheck // nothing was written
	if problems := inspector.Verify(func(string, int) {}); len(problems) > 0 {
		t.Error(problems)
	}
}
