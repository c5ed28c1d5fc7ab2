package collector

import (
	"crypto/sha256"
	"maps"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// twins numbers the records of one complete read that can't be told apart by an
// id (counting.md 18). It keeps a digest for each, so only feeds whose rows lack
// ids pay for it.
type twins struct {
	seen map[[16]byte]int
	// page is the page in hand, before what was seen when it began.
	page   int
	before map[[16]byte]int
}

// begin takes note of a page that begins. One that begins again, since it broke
// after a part was handed on, is numbered as it was before: its rows are no twins
// of their own.
func (t *twins) begin(page int) {
	if page == t.page {
		t.seen = maps.Clone(t.before)
		return
	}
	t.page, t.before = page, maps.Clone(t.seen)
}

func (t *twins) number(records []*cdr.Record) {
	for _, r := range records {
		if r.Synthetic == "" {
			continue
		}
		if t.seen == nil {
			t.seen = make(map[[16]byte]int)
		}
		sum := sha256.Sum256([]byte(r.Synthetic))
		key := [16]byte(sum[:])
		r.Twin = t.seen[key]
		t.seen[key]++
	}
}

// Twins numbers the records of a complete read for who reads a RangeReader without a
// RangeFeed (counting.md 18).
type Twins struct{ twins twins }

// Number takes the next batch of the read.
func (t *Twins) Number(b *Batch) {
	if b.Begins {
		t.twins.begin(b.Page)
	}
	t.twins.number(b.Records)
}
