package ledger

import (
	"errors"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// A damaged call stops the commit and says what to do, whether it waits or is counted; nothing is counted by guess.
func TestDamagedCallIsRefused(t *testing.T) {
	for name, damage := range map[string]func(r *rig){
		"counted": func(r *rig) {
			r.settled()
			for at := range r.remembered() {
				if byFact(at.bucket) {
					r.remember(at.bucket, at.key, []byte{rowCall, 9})
				}
			}
		},
		"waits": func(r *rig) {
			r.exec(`UPDATE tasks SET data = '[{'`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newCallRig(t)
			r.records(leg("a"))
			damage(r)
			before := r.values()
			for _, record := range []*cdr.Record{leg("b"), leg("a", outcome(cdr.Busy))} {
				if _, err := r.try(record); !errors.Is(err, counting.ErrRow) {
					t.Errorf("%s: %v", record.ID, err)
				}
			}
			wantValues(t, r.values(), before)
			r.inspect(func(i *Inspector) {
				if problems := i.Verify(func(string, int) {}); len(problems) == 0 {
					t.Error("verify finds nothing")
				}
			})
			verifying = false // it would find the same
			t.Cleanup(func() { verifying = true })
		})
	}
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
			if _, err := r.try(call("a", next)); !errors.Is(err, counting.ErrRow) {
				t.Errorf("got %v", err)
			}
		})
	}
}
