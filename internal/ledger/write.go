package ledger

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// maxProblem is how much is kept of why a row was set aside.
const maxProblem = 200

// write writes what the page changes.
func (p *pageCommit) write() error {
	for _, step := range [...]func() error{
		p.writeIDs, p.writeBadRows, p.writeSeries, p.writeBypass, p.writeActivity, p.writeLogs, p.writeTasks, p.writePosition, p.writeConnected,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return p.row.save(p.ledger.engine, &p.next)
}

func (p *pageCommit) writeLogs() error {
	return p.ledger.outbox.write(p.ledger.engine, &p.logs, p.row.id, p.now)
}

// writeIDs writes what is to be remembered as one row of the journal, by the number of this commit.
func (p *pageCommit) writeIDs() error {
	p.journal = p.journal[:0]
	for i := range p.writes {
		w := &p.writes[i]
		if w.st != nil {
			w.data = w.st.stored
		}
		p.journal = appendToJournal(p.journal, w.bucket, idEntry{w.hash, w.data})
	}
	if len(p.journal) == 0 {
		return nil
	}
	_, err := p.ledger.engine.exec(`INSERT INTO journal (feed, seq, data) VALUES (?, ?, ?)`, p.row.id, p.row.seq+1, p.journal)
	return err
}

// writeBadRows remembers the rows that were set aside by their content. New ones are counted once each (counting.md 14).
func (p *pageCommit) writeBadRows() error {
	for _, rows := range [...]struct {
		of    []BadRow
		fresh *int
	}{{p.page.Invalid, &p.result.Invalid}, {p.page.Ignored, &p.result.Ignored}} {
		for _, row := range rows.of {
			problem := metrics.CleanLabel(row.Problem[:min(len(row.Problem), maxProblem)])
			result, err := p.ledger.engine.exec(`INSERT INTO bad_rows (feed, hash, at, problem) VALUES (?, ?, ?, ?) ON CONFLICT (feed, hash) DO NOTHING`,
				p.row.id, int64(p.ledger.hasher.factKey(kindSetAside, string(row.Content))), micros(p.page.ObservedAt), problem)
			if err != nil {
				return err
			}
			n, err := result.RowsAffected()
			if err != nil {
				return err
			}
			*rows.fresh += int(n)
			if n > 0 && rows.fresh == &p.result.Invalid {
				row.Content = nil
				p.result.BadRows = append(p.result.BadRows, row)
			}
		}
	}
	return nil
}

var updateSeries = newManyRows(2, `UPDATE series SET value = v.column2 FROM (`, `) AS v WHERE series.id = v.column1`)

// writeSeries writes the working copies of the series that changed.
func (p *pageCommit) writeSeries() error {
	p.result.Overflow = p.changes.Overflow()
	e := p.ledger.engine
	p.args = p.args[:0]
	var buf []byte
	for _, s := range p.changes.Changed() {
		buf = s.AppendNext(buf[:0])
		if s.ID() != 0 {
			p.args = append(p.args, s.ID(), string(buf))
			continue
		}
		result, err := e.exec(`INSERT INTO series (feed, metric, labels, start, shown, value) VALUES (?, ?, ?, ?, ?, ?)`,
			p.row.id, s.Labels.Def.Name, labelsText(s.Own()), micros(s.Start()), flag(s.Shown()), string(buf))
		if err != nil {
			return err
		}
		id, err := result.LastInsertId()
		if err != nil {
			return err
		}
		p.changes.Wrote(s, id)
	}
	return e.execMany(updateSeries, p.args)
}

// originTolerance is how far our clock may be ahead before it matters.
const originTolerance = 2 * time.Minute

// moveOrigin sets the origin of a feed that nothing was planned for yet by the
// provider's clock, where ours was ahead when the feed was made: it would have left
// out calls of its first history (counting.md 5, 10).
func (p *pageCommit) moveOrigin() error {
	if p.page.Position != nil || p.next.HistoryDone || len(p.next.Plan) > 0 {
		return nil
	}
	origin := p.page.ObservedAt.Add(-p.spec.History).UTC().Truncate(time.Second)
	if !origin.Before(p.next.Origin.Add(-originTolerance)) {
		return nil
	}
	p.next.Origin, p.next.Floor, p.next.Watermark = origin, origin, origin
	_, err := p.ledger.engine.exec(`UPDATE feeds SET origin = ? WHERE id = ?`, micros(origin), p.row.id)
	return err
}

// writePosition takes over the page's position, if it has one. With the end of the first
// history it writes down that the feed's series are shown (counting.md 20).
func (p *pageCommit) writePosition() error {
	if err := p.moveOrigin(); err != nil {
		return err
	}
	position := p.page.Position
	if position == nil {
		return nil
	}
	if position.Watermark.After(p.next.Watermark) {
		p.next.Watermark = position.Watermark.UTC()
	}
	if position.Plan != nil {
		p.next.Plan = append([]byte(nil), position.Plan...)
	}
	if !position.HistoryDone || p.next.HistoryDone {
		return nil
	}
	p.next.HistoryDone = true
	_, err := p.ledger.engine.exec(`UPDATE series SET start = ?, shown = 1 WHERE feed = ?`,
		micros(startFor(p.next.Origin, p.now)), p.row.id)
	return err
}
