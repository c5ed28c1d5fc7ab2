package wire

import "github.com/cdr-exporter/cdr-exporter/internal/cdr"

// Records are the records of a batch, which are used again for the next. The zero value
// is ready; it is for one goroutine.
type Records struct {
	all  []*cdr.Record
	used int
}

// Next is an empty record, the same until Keep.
func (r *Records) Next() *cdr.Record {
	if r.used == len(r.all) {
		r.all = append(r.all, new(cdr.Record))
	}
	next := r.all[r.used]
	next.Reset()
	return next
}

// Keep keeps what Next gave.
func (r *Records) Keep() { r.used++ }

// Kept are those that are kept, in their order. They hold until Reset.
func (r *Records) Kept() []*cdr.Record { return r.all[:r.used] }

// Len is how many are kept.
func (r *Records) Len() int { return r.used }

// Reset takes all back.
func (r *Records) Reset() { r.used = 0 }
