package ledger

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// writeAll writes what the page's work has gathered.
func (f *Feed) writeAll(p *pageWork, page *Page) error {
	l := f.ledger
	if err := l.writeSeen(p, f.row.id); err != nil {
		return err
	}
	if err := l.writeSeries(p.tally, f.row.id); err != nil {
		return err
	}
	if err := l.writeTrails(p.tally, f.row.id); err != nil {
		return err
	}
	if err := f.writeActivity(p); err != nil {
		return err
	}
	if err := l.outbox.write(l.engine, &p.logs, f.row.id, p.now); err != nil {
		return err
	}
	if err := f.writeWork(p, page); err != nil {
		return err
	}
	p.result.Overflow = p.tally.Overflow()
	return f.writePosition(p, page)
}

// writeSeen writes the id rows, in the order of their keys.
func (l *Ledger) writeSeen(p *pageWork, feed int64) error {
	for i := range p.writes {
		if w := &p.writes[i]; w.st != nil {
			w.data = w.st.stored
		}
	}
	slices.SortFunc(p.writes, func(a, b idWrite) int {
		return cmp.Or(cmp.Compare(a.hour, b.hour), bytes.Compare(a.hash[:], b.hash[:]))
	})
	for rest := p.writes; len(rest) > 0; {
		n := batchOf(len(rest))
		args := p.look.args[:0]
		for i := range rest[:n] {
			args = append(args, feed, rest[i].hour, rest[i].hash[:], rest[i].data)
		}
		p.look.args = args
		if _, err := l.engine.exec(seenInserts[n], args...); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return nil
}

// texts are the texts of one statement by its batch size.
type texts map[int]string

var (
	// The keys come first, so that each is looked up by the primary key.
	seenSelects = makeTexts(`SELECT s.hour, s.hash, s.data FROM (VALUES (?, ?)`, `, (?, ?)`,
		`) AS v CROSS JOIN seen s WHERE s.feed = ? AND s.hour = v.column1 AND s.hash = v.column2`)
	seenInserts = makeTexts(`INSERT INTO seen (feed, hour, hash, data) VALUES (?, ?, ?, ?)`, `, (?, ?, ?, ?)`,
		` ON CONFLICT (feed, hour, hash) DO UPDATE SET data = excluded.data`)
)

// makeTexts makes the texts of a statement for every batch size: head, n-1 times
// more, tail.
func makeTexts(head, more, tail string) texts {
	all := make(texts)
	for _, n := range batchSizes {
		all[n] = head + strings.Repeat(more, n-1) + tail
	}
	return all
}

// writeSeries writes the working copies of the series that changed.
func (l *Ledger) writeSeries(t *metrics.Tally, feed int64) error {
	var buf []byte
	for _, s := range t.Changed() {
		buf = s.AppendNext(buf[:0])
		if s.ID() != 0 {
			if _, err := l.engine.exec(`UPDATE series SET value = ? WHERE id = ?`, string(buf), s.ID()); err != nil {
				return err
			}
			continue
		}
		result, err := l.engine.exec(`INSERT INTO series (feed, metric, labels, start, shown, value) VALUES (?, ?, ?, ?, ?, ?)`,
			feed, s.Labels.Def.Name, labelsText(s.Own()), micros(s.Start()), flag(s.Shown()), string(buf))
		if err != nil {
			return err
		}
		id, err := result.LastInsertId()
		if err != nil {
			return err
		}
		t.Wrote(s, id)
	}
	return nil
}

// writeTrails adds to the tallies of the trailing gauge.
func (l *Ledger) writeTrails(t *metrics.Tally, feed int64) error {
	for _, r := range t.Trails() {
		if _, err := l.engine.exec(`INSERT INTO trailing (feed, trunk, second, bypassed, total) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (feed, trunk, second) DO UPDATE SET bypassed = trailing.bypassed + excluded.bypassed, total = trailing.total + excluded.total`,
			feed, r.Trunk, r.Second, r.Bypassed, r.Total); err != nil {
			return err
		}
	}
	return nil
}

// setOrigin sets the origin of a feed that nothing was planned for yet by the
// provider's clock, where ours was ahead when the feed was made: it would have left
// out calls of its first history (counting.md 5, 10).
func (f *Feed) setOrigin(s *State, page *Page) error {
	if page.Position != nil || s.HistoryDone || len(s.Plan) > 0 {
		return nil
	}
	origin := page.ObservedAt.Add(-f.spec.History).UTC()
	if !origin.Before(s.Origin.Add(-originTolerance)) {
		return nil
	}
	s.Origin, s.Floor, s.Watermark = origin, origin, origin
	s.connectedFrom = keptFrom(origin)
	_, err := f.ledger.engine.exec(`UPDATE feeds SET origin = ? WHERE id = ?`, micros(origin), f.row.id)
	return err
}

// originTolerance is how far our clock may be ahead before it matters.
const originTolerance = 2 * time.Minute

// writePosition writes the feed's state with the page's position, if it has one.
func (f *Feed) writePosition(p *pageWork, page *Page) error {
	if err := f.setOrigin(&p.next, page); err != nil {
		return err
	}
	if pos := page.Position; pos != nil {
		if pos.Watermark.After(p.next.Watermark) {
			p.next.Watermark = pos.Watermark.UTC()
		}
		if pos.Plan != nil {
			p.next.Plan = append([]byte(nil), pos.Plan...)
		}
		if pos.HistoryDone && !p.next.HistoryDone {
			p.next.HistoryDone = true
			if err := f.writeReveal(p); err != nil {
				return err
			}
		}
	}
	if err := f.writeConnected(p); err != nil {
		return err
	}
	return f.row.save(f.ledger.engine, &p.next)
}

// writeReveal writes down that the feed's series are shown (counting.md 20).
func (f *Feed) writeReveal(p *pageWork) error {
	_, err := f.ledger.engine.exec(`UPDATE series SET start = ?, shown = 1 WHERE feed = ?`,
		micros(startFor(p.next.Origin, p.now)), f.row.id)
	return err
}
