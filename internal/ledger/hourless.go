package ledger

import (
	"database/sql"
	"math"
	"time"
)

// Records of a feed whose starts move (FeedSpec.Hourless, counting.md 15) lie in spans,
// by the start that they were first seen with, and are found in every span that isn't
// forgotten yet: whatever their start is now. Their sessions lie where they do.
//
// A record is forgotten with its span, when the floor is spanReach and two hours past
// the span's end. By then a start that has moved to later by as much lies below the
// floor too; one that has moved to earlier always does. That is far enough: a start moves
// within its call, and Teams ends a meeting after 30 hours.

// homeOf is where a new record with that start is remembered, as the table's hour.
func (f *Feed) homeOf(start time.Time) int64 {
	if f.spec.Hourless {
		return spanOf(start)
	}
	return hourOf(start)
}

// findRecords reads what is known of the page's records.
func (f *Feed) findRecords(p *pageWork, page *Page) error {
	if !f.spec.Hourless {
		return f.ledger.findKnown(p, f.row.id)
	}
	if err := f.liveSpans(p); err != nil {
		return err
	}
	p.look.wanted = p.look.wanted[:0]
	for i := range p.entries {
		e := &p.entries[i]
		p.wantEverywhere(e.hash)
		for _, alt := range e.alts {
			p.wantEverywhere(alt)
		}
	}
	for i := range page.Enqueue {
		if w := &page.Enqueue[i]; w.ofRecord() {
			p.wantEverywhere(f.recordKey(w))
		}
	}
	return f.ledger.fetchAll(p, f.row.id)
}

// liveSpans finds the spans that the feed has something in and that aren't forgotten:
// what lies beyond is as good as deleted, since the floor was raised over it.
func (f *Feed) liveSpans(p *pageWork) error {
	p.spans = p.spans[:0]
	last := lastSpan(f.row.state.Floor)
	for after := int64(math.MinInt64); after < last; {
		span, err := f.nextSpan(after, last)
		if err != nil || !span.Valid {
			return err
		}
		p.spans = append(p.spans, span.Int64)
		after = span.Int64
	}
	return nil
}

// nextSpan is the newest span of those with a greater number, which are older, up to the last.
func (f *Feed) nextSpan(after, last int64) (span sql.NullInt64, err error) {
	rows, err := f.ledger.engine.query(`SELECT min(hour) FROM seen WHERE feed = ? AND hour > ? AND hour <= ?`, f.row.id, after, last)
	if err != nil {
		return span, err
	}
	return span, scanAll(rows, func() error { return rows.Scan(&span) })
}

// wantEverywhere asks for a key in every span that isn't forgotten.
func (p *pageWork) wantEverywhere(h hash) {
	for _, span := range p.spans {
		p.look.wanted = append(p.look.wanted, wanted{hour: span, hash: h})
	}
}
