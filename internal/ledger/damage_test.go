package ledger

import (
	"errors"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/counting"
)

// A damaged group stops the commit and says what to do; nothing is counted by guess.
func TestDamagedGroupIsRefused(t *testing.T) {
	r := newRig(t)
	r.live()
	r.records(call("a", inGroup("s-1")))
	for at := range r.remembered() {
		if byFact(at.bucket) {
			r.remember(at.bucket, at.key, []byte{rowGroup, 9})
		}
	}
	for _, record := range []*cdr.Record{call("b", inGroup("s-1")), call("a", inGroup("s-1"), outcome(cdr.Busy))} {
		if _, err := r.feed.Commit(t.Context(), &counting.Page{Records: []*cdr.Record{record}, ObservedAt: epoch}); err == nil {
			t.Errorf("%s: committed", record.ID)
		}
	}
	wantValues(t, r.values(), map[string]string{answered: "1"})
}

// A record whose row was cut is damage that a commit reports, whatever its next version brings: the process goes on.
func TestCutRowIsReported(t *testing.T) {
	for name, next := range map[string]func(*cdr.Record){
		"settled":   settled,
		"emergency": func(r *cdr.Record) { r.Emergency = cdr.EmergencyReal },
	} {
		t.Run(name, func(t *testing.T) {
			r := newMovingStartRig(t)
			r.records(call("a"))
			for at := range r.remembered() {
				r.remember(at.bucket, at.key, []byte{rowRecord})
			}
			if _, err := r.feed.Commit(t.Context(), &counting.Page{ObservedAt: epoch, Records: []*cdr.Record{call("a", next)}}); !errors.Is(err, counting.ErrRow) {
				t.Errorf("got %v", err)
			}
		})
	}
}
