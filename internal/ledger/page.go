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

// pageCommit is the commit of one page. It goes one way:
//
//	prepare  keys, field hashes and rows of the records          (page.go)
//	apply    looks up what is known of them, and decides         (apply.go, families.go, lookup.go)
//	         what each is and what that changes
//	write    writes what that changes                            (page.go, recent.go, tasks.go)
//	publish  brings memory to what is durable now                (page.go)
//
// Its memory is used again by the next page.
type pageCommit struct {
	*Feed

	page   *Page
	now    time.Time // the local clock's: zero_for, start times and windows are reckoned by it
	was    *State    // what was committed last
	next   State
	result Result

	// Made by prepare. related says that some records are of groups or have parents.
	entries []entry
	order   []int        // of the entries: as they are applied
	firsts  map[hash]int // the first entry of each key in the order of versions, without those that aren't final
	keys    []hash
	arena   []byte
	fields  []fieldHash
	own     []string
	related bool

	// Made by apply: what is known, by every key under which it is, as far as it was looked up.
	states  map[hash]*state
	spare   []*state // the first used are in states, or lead there
	used    int
	buckets []int64 // of a feed without hours: those that aren't forgotten

	// What apply changes, for write and publish.
	writes    []*state
	journal   []byte // writes, as the journal has them
	changes   *metrics.Changes
	deltas    []metrics.Delta // of the record in hand
	logs      pageLogs
	tallies   map[tallyKey]tally
	edges     []edge
	newTrunks []string
	args      []any // of a statement
	err       error // the first one

	// Made by write: the peaks, if they were found anew.
	peaks    map[int64]int64
	newPeaks bool
}

type entry struct {
	record *cdr.Record
	keys   []hash // its own first, then those of its other ids
	group  hash   // if the record has a group
	parent hash   // if it is a child
	bucket int64  // where it is remembered if it is new
	body   []byte // the stored form of this version, behind the head
	fields []fieldHash
	own    []string // the names of the provider's own fields, the last of fields: redaction drops some of them
	// redacted says that the record is: once is enough, a hash of a hash is another.
	redacted bool
}

// state is what is known of one record or fact while a page is committed.
type state struct {
	bucket int64
	hash   hash
	stored []byte // as the ledger keeps it, or is to keep it
	dirty  bool   // it is among writes
}

// Commit writes a page as a whole. After an error nothing of it was committed, or that couldn't be found out: its rows are to be read again,
// since its records may be redacted by then. ErrFull and ErrOutboxFull want a pause first, ErrFenced a new State.
func (f *Feed) Commit(ctx context.Context, page *Page) (Result, error) {
	l := f.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	if f.lost {
		return Result{}, ErrNotOwner
	}
	if len(page.Records) > 0 && l.settings.Encoder != nil && !l.settings.SkipLogs && l.OutboxFull() {
		return Result{}, ErrOutboxFull
	}
	// What the reserve kept is for the outbox: reading waits until there is room for a reserve again.
	if l.reserve.spent && !l.reserve.fill() {
		return Result{}, fmt.Errorf("%w: free some space; reading goes on by itself then", ErrFull)
	}
	if len(f.ids.arena) >= cmp.Or(l.settings.journal, l.settings.IDMemory/16, journalBytes) {
		if err := f.moveJournal(ctx); err != nil {
			return Result{}, err
		}
	}
	p := &l.page
	p.prepare(f, page)
	if err := l.commit(ctx, f, p.run, p.publish); err != nil {
		return Result{}, err
	}
	if p.result.SkippedLogs > 0 && l.settings.OnSkip != nil {
		l.settings.OnSkip(p.result.SkippedLogs)
	}
	return p.result, nil
}

// run is the body of the transaction, from the beginning each time the database ends it for the sake of another one.
func (p *pageCommit) run() error {
	p.reset()
	if err := p.apply(); err != nil {
		return err
	}
	return p.write()
}

// prepare reads the page's records into entries, once: when a transaction is tried again, records may be redacted.
func (p *pageCommit) prepare(f *Feed, page *Page) {
	p.Feed, p.page = f, page
	p.related = false
	p.entries, p.keys, p.arena, p.fields, p.own = p.entries[:0], p.keys[:0], p.arena[:0], p.fields[:0], p.own[:0]
	p.now = f.ledger.settings.Now()
	if page.ObservedAt.IsZero() {
		page.ObservedAt = p.now
	}
	for _, r := range page.Records {
		p.entries = append(p.entries, p.newEntry(r))
	}
}

// reset makes the page ready to be looked up and applied, its records in the order of their versions.
func (p *pageCommit) reset() {
	clear(p.states)
	clear(p.tallies)
	clear(p.firsts)
	p.err = nil
	p.result = Result{} // its slices go to the caller
	p.newPeaks, p.used = false, 0
	p.writes, p.edges, p.newTrunks = p.writes[:0], p.edges[:0], p.newTrunks[:0]
	p.logs = pageLogs{data: p.logs.data[:0], ends: p.logs.ends[:0], packed: p.logs.packed, heads: p.logs.heads[:0]}
	p.changes = p.ledger.store.Begin(p.series, p.now)
	p.was = p.committed.Load()
	p.next = *p.was
	p.order = p.order[:0]
	for i := range p.entries {
		p.order = append(p.order, i)
	}
	slices.SortStableFunc(p.order, func(a, b int) int {
		return cmp.Compare(p.entries[a].record.Version, p.entries[b].record.Version)
	})
}

// newEntry hashes a record's keys and fields and makes its row, before redaction.
func (p *pageCommit) newEntry(r *cdr.Record) entry {
	h := &p.ledger.hasher
	e := entry{record: r, bucket: p.bucketFor(r.Start)}
	at := len(p.keys)
	if r.ID != "" {
		p.keys = append(p.keys, h.idKey(r.ID))
	} else {
		p.keys = append(p.keys, h.synthetic(r))
	}
	for _, id := range r.AltIDs {
		p.keys = append(p.keys, h.idKey(id))
	}
	if r.ID != "" && r.Synthetic != "" {
		p.keys = append(p.keys, h.synthetic(r))
	}
	e.keys = p.keys[at:len(p.keys):len(p.keys)]
	if r.Group != "" {
		e.group, p.related = h.factKey(kindGroup, r.Group), true
	}
	if p.spec.Parents && r.Parent != "" {
		if parent := h.idKey(r.Parent); !slices.Contains(e.keys, parent) {
			e.parent, p.related = parent, true
		}
	}
	at = len(p.fields)
	p.fields = h.fields(p.fields, r)
	e.fields = p.fields[at:len(p.fields):len(p.fields)]
	at = len(p.own)
	for i := range r.Extra {
		p.own = append(p.own, r.Extra[i].Key)
	}
	e.own = p.own[at:len(p.own):len(p.own)]
	k := knownOf(r, e.fields, p.spec.Currency)
	at = len(p.arena)
	p.arena = k.appendBody(p.arena)
	e.body = p.arena[at:len(p.arena):len(p.arena)]
	return e
}

// knownOf is what is remembered of a record's first version. A charge is kept with the currency that it was counted in.
func knownOf(r *cdr.Record, fields []fieldHash, fallback string) known {
	k := known{
		ChargeLabels: metrics.ChargeLabels{Direction: r.Direction, CallType: r.CallType, Country: r.Country},
		outcome:      r.Outcome, version: r.Version, schema: fieldSchema, fields: fields,
	}
	for _, c := range r.Charges {
		c.Currency = cmp.Or(c.Currency, fallback)
		k.charges = append(k.charges, c)
	}
	return k
}

func (p *pageCommit) write() error {
	p.writeIDs()
	p.result.BadRows = p.writeBadRows(p.page.Invalid)
	p.result.Invalid, p.result.Ignored = len(p.result.BadRows), len(p.writeBadRows(p.page.Ignored))
	p.writeSeries()
	p.writeTallies()
	p.writeLogs()
	p.writeTasks()
	p.writePosition()
	p.writeConnected()
	if p.err != nil {
		return p.err
	}
	return p.save(&p.next)
}

// failed says whether there is an error. The first one ends the page's transaction in the end: until then nothing more is read or written.
func (p *pageCommit) failed(err error) bool {
	if p.err == nil {
		p.err = err
	}
	return err != nil
}

// exec runs a statement that writes, unless something failed, and says how many rows that changed.
func (p *pageCommit) exec(text string, args ...any) (changed int64) {
	if p.err == nil {
		changed, p.err = p.ledger.engine.exec(text, args...)
	}
	return changed
}

// writeIDs writes what is to be remembered as one row of the journal, by the number of this commit.
func (p *pageCommit) writeIDs() {
	p.journal = p.journal[:0]
	for _, st := range p.writes {
		p.journal = appendToJournal(p.journal, st.bucket, idEntry{st.hash, st.stored})
	}
	if len(p.journal) > 0 {
		p.exec(`INSERT INTO journal (feed, seq, data) VALUES (?, ?, ?)`, p.id, p.seq+1, p.journal)
	}
}

// writeBadRows remembers rows that were set aside by their content, and returns those that are new: each is counted once (counting.md 14).
func (p *pageCommit) writeBadRows(rows []BadRow) (fresh []BadRow) {
	for _, row := range rows {
		key := p.ledger.hasher.factKey(kindSetAside, string(row.Content))
		if p.exec(`INSERT INTO bad_rows (feed, hash, at, problem) VALUES (?, ?, ?, ?) ON CONFLICT (feed, hash) DO NOTHING`,
			p.id, int64(key), micros(p.page.ObservedAt), metrics.CleanLabel(row.Problem)) > 0 {
			row.Content = nil
			fresh = append(fresh, row)
		}
	}
	return fresh
}

func (p *pageCommit) writeSeries() {
	p.result.Overflow = p.changes.Overflow
	e := p.ledger.engine
	p.args = p.args[:0]
	var buf []byte
	for _, s := range p.changes.Changed {
		buf = s.AppendNext(buf[:0])
		if s.ID != 0 {
			p.args = append(p.args, s.ID, string(buf))
			continue
		}
		var err error
		s.ID, err = e.insertSeries(p.id, s.Labels.Def.Name, labelsText(s.Own()), s.Start, s.Shown, string(buf))
		if p.failed(err) {
			return
		}
	}
	p.failed(e.execMany(`UPDATE series SET value = v.column2 FROM (`, `(CAST(? AS BIGINT), ?)`, `) AS v WHERE series.id = v.column1`, p.args))
}

func (e *engine) insertSeries(feed int64, metric, labels string, start time.Time, shown bool, value string) (id int64, err error) {
	err = e.scanRow(`INSERT INTO series (id, feed, metric, labels, start, shown, value) VALUES (`+nextID("series")+`, ?, ?, ?, ?, ?, ?) RETURNING id`,
		append(idRange(feed), feed, metric, labels, micros(start), flag(shown), value), &id)
	return id, err
}

// originTolerance is how far our clock may be ahead before it matters.
const originTolerance = 2 * time.Minute

// moveOrigin sets the origin of a feed that nothing was planned for yet by the provider's clock, where ours was ahead when the feed was
// made: it would have left out calls of its first history (counting.md 5, 10).
func (p *pageCommit) moveOrigin() {
	if p.page.Position != nil || p.next.HistoryDone || len(p.next.Plan) > 0 {
		return
	}
	origin := p.page.ObservedAt.Add(-p.spec.History).UTC().Truncate(time.Second)
	if origin.Before(p.next.Origin.Add(-originTolerance)) {
		p.next.Origin, p.next.Floor, p.next.Watermark = origin, origin, origin
		p.exec(`UPDATE feeds SET origin = ? WHERE id = ?`, micros(origin), p.id)
	}
}

// writePosition takes over the page's position. The end of the first history shows the feed's series (counting.md 20).
func (p *pageCommit) writePosition() {
	p.moveOrigin()
	position := p.page.Position
	if position == nil {
		return
	}
	if position.Watermark.After(p.next.Watermark) {
		p.next.Watermark = position.Watermark.UTC()
	}
	if position.Plan != nil {
		p.next.Plan = append([]byte(nil), position.Plan...)
	}
	if position.HistoryDone && !p.next.HistoryDone {
		p.next.HistoryDone = true
		p.exec(`UPDATE series SET start = ?, shown = 1 WHERE feed = ?`, micros(startFor(p.next.Origin, p.now)), p.id)
	}
}

func (p *pageCommit) publish() {
	store := p.ledger.store
	p.changes.Apply(func(source int) ([16]byte, [32]byte) { return p.identify(&p.entries[source-1]) })
	for _, name := range p.newTrunks {
		store.AddTrunk(p.series, name)
		p.trunks[name] = int64(len(p.trunks) + 1)
	}
	for key, t := range p.tallies {
		if key.trunk != 0 {
			store.AddBypass(p.series, metrics.Bypass{Trunk: key.trunk, Second: key.second, Bypassed: t.part, Total: t.total})
		}
	}
	if p.newPeaks {
		store.SetPeaks(p.series, p.peaks)
	}
	if p.next.HistoryDone && !p.was.HistoryDone {
		store.Reveal(p.series, startFor(p.next.Origin, p.now))
	}
	if len(p.journal) > 0 {
		if err := p.ids.addToJournal(p.journal); err != nil {
			panic(err) // it was made by appendToJournal
		}
	}
	p.committed.Store(new(p.next))
	p.ledger.outbox.add(p.logs.heads)
}
