package audit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/analysis/history"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/daily"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// startTolerance is by how much a start may move without a record becoming another (counting.md 15).
const startTolerance = 15 * time.Minute

// ErrProvider is wrapped by what an audit couldn't read of the provider.
var ErrProvider = errors.New("read")

// pass is one reading of a day.
type pass struct {
	*audit

	from, to time.Time
	day      Day
	seen     map[counting.Hash]bool // the records and the rows that were set aside
	// before is the pass before, nil in the first, and running whether the exporter has read since.
	before  *pass
	running bool
	// differ are the records that are missing or cost something else; ended is when all were
	// listed. earliest is the start of the first of them that the exporter will read again.
	differ   map[counting.Hash]bool
	ended    time.Time
	earliest time.Time
	// changed are the counted records that were last listed with other amounts. They are judged once all are listed.
	changed map[counting.Hash]*changed

	// unfinished are the records that weren't final when they were last listed. A later version may be.
	unfinished map[counting.Hash]bool

	reused int // records with the id of another call

	failed error // of the ledger
}

// auditDay audits a day, and once more if anything differs: what came, or was counted, while it was read.
func (a *audit) auditDay(ctx context.Context, from, to time.Time) (*Day, error) {
	first := a.newPass(from, to)
	if err := first.run(ctx); err != nil {
		return nil, err
	}
	if first.reused > 0 {
		a.note("%d records of %s have the id of another call that starts more than an hour from them: each is a call",
			first.reused, first.day.Day)
	}
	if len(first.differ) == 0 {
		return &first.day, nil
	}
	second := a.newPass(from, to)
	second.before = first
	var err error
	if second.running, err = a.awaitRead(ctx, first); err == nil {
		err = second.run(ctx)
	}
	if !second.earliest.IsZero() && err == nil {
		a.note("some records of %s came or changed after the exporter last read that time: they count as not "+
			"final; it reads it again until %s",
			second.day.Day, a.exporterReads().next(second.earliest).Format(time.RFC3339))
	}
	return &second.day, err
}

func (a *audit) newPass(from, to time.Time) *pass {
	return &pass{
		audit: a, from: from, to: to, seen: make(map[counting.Hash]bool), differ: make(map[counting.Hash]bool),
		changed: make(map[counting.Hash]*changed), unfinished: make(map[counting.Hash]bool),
		day: Day{
			Audit: daily.Audit{
				Source: a.Spec.Source, Feed: a.Spec.Feed, Day: daily.DateOf(from), Whole: to.Sub(from) == 24*time.Hour,
				Began: a.began,
			},
			MissingIDs: []MissingID{}, Charges: Charges{cdr.Amounts{}, cdr.Amounts{}},
		},
	}
}

// run reads the day, and a little on both sides: what is listed there may have been counted within the day.
func (p *pass) run(ctx context.Context) error {
	if err := p.refresh(ctx); err != nil {
		return err
	}
	begin, end := p.from.Add(-startTolerance), p.to.Add(startTolerance)
	if p.Info.Limits.Grain >= 24*time.Hour { // a little would be two days
		begin, end = p.from, p.to
	}
	loop := collector.SpanLoop{
		Longest: p.Info.Limits.MaxRange, Read: p.read,
		MayPass: func(err error) bool { return p.failed == nil && history.MayPass(err) },
	}
	if err := loop.Run(ctx, begin, p.Info.Limits.ReadTo(end, p.Now())); err != nil {
		if ctx.Err() == nil && p.failed == nil {
			return fmt.Errorf("%w: %w", ErrProvider, err)
		}
		return err
	}
	for key, c := range p.changed {
		if p.differs(key, c.start) {
			p.day.NotFinal++
			continue
		}
		p.day.Counted++
		p.day.Changed++
		p.day.Charges.Listed.AddAll(c.Listed)
		p.day.Charges.Counted.AddAll(c.Counted)
	}
	p.ended = p.Now()
	return p.countVanished(ctx)
}

// read reads a piece. Records that a failed attempt has found aren't counted twice.
func (p *pass) read(ctx context.Context, from, to time.Time) error {
	// which fetches each record once
	driver := &collector.Driver{Reader: p.reader, Fetcher: p.Info.Fetcher, Commit: p.comparePage}
	driver.Missing = func(task work.Item, err error) { p.note("record %s: left out: %v", task.Key, err) }
	driver.Waits = p.noteWaiting
	err := driver.Read(ctx, from, to)
	if waits, is := errors.AsType[*collector.Waiting](err); is {
		p.waiting = waits
		return nil
	}
	return err
}

// comparePage looks up the records of a page, and keeps an error, which isn't the provider's.
func (p *pass) comparePage(ctx context.Context, page *collector.Page) error {
	p.failed = p.lookUp(ctx, page)
	return p.failed
}

func (p *pass) lookUp(ctx context.Context, page *collector.Page) (err error) {
	if err := p.open(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	asked := &counting.Page{Records: page.Records, Invalid: page.Invalid, Ignored: page.Ignored, ObservedAt: p.Now()}
	if p.Info.Fetcher != nil {
		for _, r := range page.Records {
			asked.Enqueue = append(asked.Enqueue, work.Item{Kind: work.Record, Key: r.ID})
		}
	}
	found, err := p.view.Preview(p.Spec, asked)
	if err != nil {
		return err
	}
	for i := range found.Records {
		p.add(&found.Records[i])
	}
	for _, aside := range [...]struct {
		rows  []counting.BadRow
		keys  []counting.Hash
		count *int
	}{{page.Invalid, found.Invalid, &p.day.Invalid}, {page.Ignored, found.Ignored, &p.day.Ignored}} {
		for i, key := range aside.keys {
			near := aside.rows[i].Near
			if !near.IsZero() && (near.Before(p.from) || !near.Before(p.to)) {
				continue
			}
			if !p.seen[key] {
				p.seen[key] = true
				*aside.count++
			}
		}
	}
	return nil
}

// add adds a record to the day, once however often it is listed, with the amounts that it is listed with last.
func (p *pass) add(f *counting.Finding) {
	start, again := f.Record.Start, p.seen[f.Key]
	p.seen[f.Key] = true
	if start.Before(p.from) || !start.Before(p.to) {
		return
	}
	if p.NoAmounts {
		f.Listed, f.Counted = nil, nil
	}
	if again && !p.unfinished[f.Key] {
		p.addAgain(f)
		return
	}
	d := &p.day
	if p.unfinished[f.Key] {
		d.NotFinal--
		delete(p.unfinished, f.Key)
	} else {
		d.Listed++
		if f.Reused {
			p.reused++
		}
	}
	switch f.Status {
	case counting.StatusCounted:
		if !f.SameAmounts() {
			p.changed[f.Key] = newChanged(f)
			return
		}
		d.Counted++
		d.Charges.add(f)
	case counting.StatusNotFinal:
		d.NotFinal++
		p.unfinished[f.Key] = true
	case counting.StatusBeforeOrigin:
		d.BeforeOrigin++
	case counting.StatusUnknown:
		d.Unknown++
	case counting.StatusMissing:
		if p.differs(f.Key, start) {
			d.NotFinal++
			return
		}
		d.Missing++
		d.Charges.add(f)
		if len(d.MissingIDs) < mostMissingIDs {
			uid := f.Event.UID("")
			d.MissingIDs = append(d.MissingIDs, MissingID{strings.Clone(f.Event.RecordID), string(uid[:])})
		}
	}
}

// changed is a counted record that is listed with other amounts.
type changed struct {
	Charges

	start time.Time
}

func newChanged(f *counting.Finding) *changed {
	c := &changed{Charges{cdr.Amounts{}, cdr.Amounts{}}, f.Record.Start}
	c.add(f)
	return c
}

// addAgain adds a later version of a counted record, where a list has each.
func (p *pass) addAgain(f *counting.Finding) {
	was, same, d := p.changed[f.Key], f.SameAmounts(), &p.day
	switch {
	case f.Status != counting.StatusCounted, same && was == nil:
		return
	case same:
		delete(p.changed, f.Key)
		d.Counted++
		d.Charges.add(f)
		return
	case was == nil: // it was added with the counted amounts
		d.Counted--
		counted := newChanged(f).Counted
		d.Charges.Listed, d.Charges.Counted = d.Charges.Listed.Minus(counted), d.Charges.Counted.Minus(counted)
	}
	p.changed[f.Key] = newChanged(f)
}

// differs notes that a record is missing or has other amounts, and says whether the exporter's next
// read should find that.
func (p *pass) differs(key counting.Hash, start time.Time) (isAhead bool) {
	p.differ[key] = true
	if !p.isAhead(start, key) {
		return false
	}
	if p.earliest.IsZero() || start.Before(p.earliest) {
		p.earliest = start
	}
	return true
}

// isAhead says whether the exporter's next read of a start is to find what differs: not if it has
// read it since the first pass listed the record.
func (p *pass) isAhead(start time.Time, key counting.Hash) bool {
	reads := p.exporterReads()
	if reads.next(start).IsZero() {
		return false
	}
	return p.before == nil || p.running && (!p.before.differ[key] || !reads.last(start).After(p.before.ended))
}

// countVanished counts the records of the day's whole hours that weren't listed.
func (p *pass) countVanished(ctx context.Context) error {
	if p.Info.Rules.FoundAnywhere() {
		return nil
	}
	if err := p.open(ctx); err != nil { // once: an open takes milliseconds, more than to read the ids of a day
		return err
	}
	first := plan.Latest(p.from, p.counted.Floor).Add(time.Hour - 1).Truncate(time.Hour)
	return errors.Join(p.view.Counted(p.Spec, first, p.to.Truncate(time.Hour), func(one counting.Stored) {
		if !p.seen[one.Hash] {
			p.day.Vanished++
		}
	}), p.close())
}
