package ledger

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// pageWork is the working memory of one page's commit, used again by the next.
type pageWork struct {
	entries []entry
	order   []int
	states  map[hash]*state
	spare   []*state
	used    int
	arena   []byte
	fields  []fieldHash
	writes  []idWrite
	look    lookup
	words   map[string]string
	sorting sorting
	spans   []int64 // of a feed without hours: those that aren't forgotten
	media   bool    // the page has sessions, or a record that is settled

	activity map[int64]activityChange // by five minutes
	sources  []*entry                 // of the new records, as the tally numbers them
	// moved is above 0 if the record in hand has made its call a connected one, below 0 if
	// it has made it one that is not.
	moved int

	observed time.Time // the page's ObservedAt
	now      time.Time // the local clock's: zero_for, start times and windows are reckoned by it
	tally    *metrics.Tally
	result   Result
	next     State
	logs     logBatch
}

// entry is a record of the page with its keys.
type entry struct {
	record *cdr.Record
	hash   hash
	alts   []hash
	group  hash // if the record has a group
	parent hash // if it is a child
	child  bool
	hour   int64  // or span, where it is remembered if it is new
	row    []byte // the stored form of this version, as if it were the first
	fields []fieldHash
	// redacted says that the record is: once is enough, a hash of a hash is another.
	redacted bool
}

// state is what is known of one record or fact while a page is committed.
type state struct {
	hour   int64
	hash   hash
	stored []byte // as the ledger keeps it, or is to keep it
	dirty  bool
}

// idWrite is a row of the table seen to be written.
type idWrite struct {
	hour int64
	hash hash
	data []byte
	st   *state // a record or a group: data is what the state ends as
}

// Commit writes a page as a whole: ids, series, log records, pending work and
// position. After an error nothing of it was committed and it may be tried
// again; ErrFull and ErrOutboxFull want a pause first, ErrFenced a new State.
func (f *Feed) Commit(ctx context.Context, page *Page) (Result, error) {
	l := f.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.outbox.blocks(&l.tuning, len(page.Records)) {
		return Result{}, ErrOutboxFull
	}
	// What the reserve kept is for the outbox: reading waits until there is room for
	// a reserve again.
	if l.reserve.spent && !l.reserve.fill() {
		return Result{}, fmt.Errorf("%w: free some space; reading goes on by itself then", ErrFull)
	}
	began := l.settings.Now()
	p := &l.page
	err := l.commit(ctx, &f.row, change{
		write:   func() error { return f.writePage(p, page) },
		apply:   func() { f.applyPage(p, page) },
		discard: func() { f.discardPage(p) },
	})
	if err != nil {
		return Result{}, err
	}
	p.result.Took = l.settings.Now().Sub(began)
	return p.result, nil
}

// writePage is the body of the transaction.
func (f *Feed) writePage(p *pageWork, page *Page) error {
	l := f.ledger
	if page.ObservedAt.IsZero() {
		page.ObservedAt = l.settings.Now()
	}
	p.begin(l, f, page)
	if err := f.find(p, page); err != nil {
		return err
	}
	for _, i := range p.order {
		if err := f.take(p, &p.entries[i], page.ObservedAt); err != nil {
			return err
		}
	}
	if err := f.takeSetAside(p, page); err != nil {
		return err
	}
	f.takeRecordings(p)
	f.takeMedia(p, page.ObservedAt)
	return f.writeAll(p, page)
}

// find reads all that is known of the page's records and settles their order.
func (f *Feed) find(p *pageWork, page *Page) error {
	if err := f.findRecords(p, page); err != nil {
		return err
	}
	if err := f.findFacts(p); err != nil {
		return err
	}
	if !p.sorting.grouped && !p.sorting.children {
		return nil
	}
	if err := f.adoptAll(p, page.ObservedAt); err != nil {
		return err
	}
	f.makeIndex(p, page.ObservedAt)
	if p.sorting.children {
		if err := f.findParents(p); err != nil {
			return err
		}
	}
	f.arrange(p)
	return nil
}

// begin reads the page's records into entries, in the order of their versions.
func (p *pageWork) begin(l *Ledger, f *Feed, page *Page) {
	p.reset()
	p.now, p.observed = l.settings.Now(), page.ObservedAt
	p.tally = l.store.Begin(f.series, p.now)
	p.next = f.row.state
	for _, r := range page.Records {
		p.order = append(p.order, len(p.entries))
		p.entries = append(p.entries, p.entry(f, r))
	}
	slices.SortStableFunc(p.order, func(a, b int) int {
		return cmp.Compare(p.entries[a].record.Version, p.entries[b].record.Version)
	})
}

func (p *pageWork) reset() {
	if p.states == nil {
		p.states, p.words = make(map[hash]*state), make(map[string]string)
		p.activity = make(map[int64]activityChange)
	}
	clear(p.states)
	clear(p.activity)
	p.entries, p.order, p.writes, p.sources = p.entries[:0], p.order[:0], p.writes[:0], p.sources[:0]
	p.arena, p.fields, p.used, p.media = p.arena[:0], p.fields[:0], 0, false
	p.sorting.reset()
	p.result = Result{} // its slices go to the caller
	p.logs.reset()
}

// entry hashes a record's keys and fields and makes its row, before redaction.
func (p *pageWork) entry(f *Feed, r *cdr.Record) entry {
	l := f.ledger
	e := entry{record: r, hash: l.hasher.call(r), hour: f.homeOf(r.Start)}
	p.media = p.media || r.Settled || len(r.Sessions) > 0
	for _, id := range r.AltIDs {
		e.alts = append(e.alts, l.hasher.of(kindCall, "id", id))
	}
	if r.ID != "" && r.Synthetic != "" {
		e.alts = append(e.alts, l.hasher.synthetic(r))
	}
	if r.Group != "" {
		e.group, p.sorting.grouped = l.hasher.of(kindGroup, r.Group), true
	}
	if e.parent, e.child = p.childOf(f, &e); e.child {
		p.sorting.children = true
	}
	at := len(p.fields)
	p.fields = l.hasher.fields(p.fields, r)
	e.fields = p.fields[at:len(p.fields):len(p.fields)]
	k := knownOf(r, e.fields, f.spec.Currency)
	from := len(p.arena)
	p.arena = k.append(p.arena)
	e.row = p.arena[from:len(p.arena):len(p.arena)]
	return e
}

// newState is a state out of the pool.
func (p *pageWork) newState() *state {
	if p.used == len(p.spare) {
		p.spare = append(p.spare, new(state))
	}
	s := p.spare[p.used]
	p.used++
	*s = state{stored: s.stored[:0]}
	return s
}

// touch sees to it that a state is written as it ends.
func (p *pageWork) touch(st *state) {
	if !st.dirty {
		st.dirty = true
		p.writes = append(p.writes, idWrite{hour: st.hour, hash: st.hash, st: st})
	}
}

// applyPage brings memory to what is durable now.
func (f *Feed) applyPage(p *pageWork, page *Page) {
	l := f.ledger
	p.tally.Exemplars(func(source int) ([16]byte, [32]byte) { return f.identify(p.sources[source-1]) })
	p.tally.Apply()
	p.tally = nil // the next commit may fail before it has one of its own
	if page.Position != nil && page.Position.HistoryDone && !f.row.state.HistoryDone {
		l.store.Reveal(f.series, startFor(p.next.Origin, p.now))
	}
	f.setState(p.next)
	l.outbox.committed(&p.logs)
	if p.result.SkippedLogs > 0 && l.settings.OnSkip != nil {
		l.settings.OnSkip(p.result.SkippedLogs)
	}
}

func (f *Feed) discardPage(p *pageWork) {
	if p.tally != nil {
		p.tally.Discard()
		p.tally = nil
	}
}

// knownOf is what is remembered of a record's first version. A charge is kept with
// the currency that it was counted in.
func knownOf(r *cdr.Record, fields []fieldHash, fallback string) known {
	k := known{
		outcome: r.Outcome, direction: r.Direction, callType: r.CallType, country: r.Country,
		version: r.Version, schema: fieldSchema, fields: fields,
	}
	for i := range r.Charges {
		c := &r.Charges[i]
		k.charges = append(k.charges, knownCharge{component: c.Component, currency: cmp.Or(c.Currency, fallback), amount: c.Amount})
	}
	return k
}
