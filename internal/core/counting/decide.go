package counting

import (
	"cmp"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/daily"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// Decision decides one page: call Keys first, then Decide, which may be called again. The next page
// reuses its memory. It isn't safe for concurrent use.
type Decision struct {
	page     *Page
	settings *Settings
	hasher   *Hasher
	needed   Keys

	// Made by Keys and More.
	entries []entry
	ignored []entry // of ignored rows that may have been open legs
	asked   map[callAsked]bool
	leads   map[Hash]Hash // from a record's own key to its call's key
	buckets []int64

	// Made by Decide.
	known     *Known
	was       *State
	order     []int // of the entries: as they are decided, in the order of their versions
	states    map[Hash]*storedState
	spare     []*storedState // the first used are in states, or lead there
	used      int
	rows      []byte         // stored forms that the page changes
	kept      []*storedState // those to be remembered
	charged   []cdr.Charge   // those of Change.Logs and Change.Spans
	legsByKey []*waitingLegs // one for each call key that the page touches
	grown     []*storedState // the counted calls to which the page adds legs
	clock     time.Time      // how far the records of a history have come: see advanceClock
	change    Change
	err       error // the first one
}

// storedState is what is stored of one record, call or fact, while a page is decided.
type storedState struct {
	Stored
	was  []byte // what was known before the page; nil: nothing
	kept bool   // it is in Change.Keep
}

// Change is what a page changes. It is valid until the next decision.
type Change struct {
	// State is the feed's state after the page.
	State State
	// Keep are the entries that the ledger must remember, each once.
	Keep []Stored
	// Facts are what happened, in order.
	Facts []facts.Fact
	// Logs are the wanted log records, grouped by record.
	Logs []Log
	// Spans are the calls whose spans are wanted, each once.
	Spans []Span
	// Calls are the calls of several records that the page counts.
	Calls []CallRecord
	// Activity is added to the calls of five minutes, by their first second.
	Activity map[int64]Activity
	// Days are added to the totals of days.
	Days map[daily.Date]*daily.Counted
	// Edges are when calls were connected. NewTrunks are the names of the trunks that get the next numbers.
	Edges     []Edge
	NewTrunks []string
	// BadRows are the rows that weren't known before.
	BadRows []BadHash
	// DoneTasks must be removed unless a greater version waits; PutTasks wait now.
	DoneTasks, PutTasks []work.Item
	Result              Result
}

// CallRecord is a call of several records, without what privacy removes.
type CallRecord struct {
	Record *cdr.Record
	Event  Event // of its log record
}

// Log is a log record that is wanted.
type Log struct {
	// Call is the call or leg that the event is about, without what privacy removes; nil: Record is.
	Call *cdr.Record
	// Record is the number of the record on the page, from 0.
	Record int
	// Part is the number of the record's leg, session or visit that the event is about, as its name says; else 0.
	Part  int
	Event Event
	// Charges are the call's, each in the currency that it is counted in; nil for a session or a visit.
	Charges []cdr.Charge
}

// BadHash is a row that was set aside.
type BadHash struct {
	Hash
	Problem string
}

// NewDecision makes a Decision that decides page after page.
func NewDecision() *Decision {
	return &Decision{
		states: make(map[Hash]*storedState), asked: make(map[callAsked]bool), leads: make(map[Hash]Hash),
		change: Change{Activity: make(map[int64]Activity), Days: make(map[daily.Date]*daily.Counted)},
	}
}

// Decide returns what the page of Keys changes, by the rules of counting.md; comments name their
// numbers. An error means that the stored state is damaged.
func (d *Decision) Decide(known *Known) (*Change, error) {
	d.prepareRecords(known) // 15, 18
	d.advanceClock()
	d.change.Result.Duplicate = d.page.Unchanged
	d.dropIgnoredLegs() // 36; another row of the page may have the leg
	for _, i := range d.order {
		if d.decideRecord(i); d.err != nil { // 5, 14, 16, 17; what it counts: 20 to 25
			return nil, d.err
		}
	}
	d.countLateLegs() // 36
	d.decideCalls()   // 36
	d.settleRecords() // 17
	d.addSpans()
	for i := range d.change.Facts {
		d.addToDay(&d.change.Facts[i])
		d.addActivity(&d.change.Facts[i])
	}
	d.addProviderTotals()
	d.decideBadRows()   // 14
	d.countUnmapped()   // 14
	d.decideTasks()     // 4, 32
	d.decidePosition()  // 2, 5, 7, 20
	d.forgetConnected() // 25
	for _, st := range d.kept {
		d.change.Keep = append(d.change.Keep, st.Stored)
	}
	return &d.change, d.err
}

// prepareRecords resets the decision, makes states of what is known, and sorts the records by their versions.
func (d *Decision) prepareRecords(known *Known) {
	d.known, d.was, d.err = known, &known.State, nil
	clear(d.states)
	d.legsByKey = nil
	d.used, d.rows, d.kept, d.charged, d.grown = 0, d.rows[:0], d.kept[:0], d.charged[:0], d.grown[:0]
	c := &d.change
	clear(c.Activity)
	clear(c.Days)
	*c = Change{
		State: known.State, Keep: c.Keep[:0], Facts: c.Facts[:0],
		Logs: c.Logs[:0], Spans: c.Spans[:0], Calls: c.Calls[:0],
		Activity: c.Activity, Days: c.Days, Edges: c.Edges[:0], NewTrunks: c.NewTrunks[:0], BadRows: c.BadRows[:0],
		DoneTasks: c.DoneTasks[:0], PutTasks: c.PutTasks[:0],
	}
	for i := range known.IDs {
		d.addKnown(d.needed.IDs[i].Hash, &known.IDs[i])
	}
	d.order = d.order[:0]
	for i := range d.entries {
		d.order = append(d.order, i)
	}
	slices.SortStableFunc(d.order, func(a, b int) int {
		return cmp.Compare(d.entries[a].record.Version, d.entries[b].record.Version)
	})
}

// addKnown makes a state of what is known under a key. All keys of a record share one state.
func (d *Decision) addKnown(key Hash, s *Stored) {
	if s.Data == nil || d.states[key] != nil {
		return
	}
	st := d.states[s.Hash]
	if st == nil {
		st = d.newState(s.Place)
		st.Data, st.was = s.Data, s.Data
	}
	d.states[key] = st
}

func (d *Decision) newState(at Place) *storedState {
	if d.used == len(d.spare) {
		d.spare = append(d.spare, new(storedState))
	}
	st := d.spare[d.used]
	d.used++
	*st = storedState{Stored: Stored{Place: at}}
	d.states[at.Hash] = st
	return st
}

// findState returns the state of a record, nil if it isn't known.
func (d *Decision) findState(e *entry) *storedState {
	for _, keys := range [...][]Hash{e.keys, e.hours} {
		for _, key := range keys {
			if st := d.states[key]; st != nil && d.isCallOf(st, e.record) {
				return st
			}
		}
	}
	return nil
}

// keepState stores a state, in the form that add appends, and has it remembered.
func (d *Decision) keepState(st *storedState, add func(dst []byte) []byte) {
	at := len(d.rows)
	d.rows = add(d.rows)
	st.Data = d.rows[at:len(d.rows):len(d.rows)]
	if !st.kept {
		st.kept = true
		d.kept = append(d.kept, st)
	}
}

// rememberFact remembers a fact that is counted once.
func (d *Decision) rememberFact(bucket int64, key Hash) {
	d.keepState(d.newState(Place{bucket, key}), func(dst []byte) []byte { return append(dst, rowFact) })
}

// addFlag sets a flag of a record's row.
func (d *Decision) addFlag(st *storedState, flag byte) { d.setFlags(st, flagsOf(st.Data)|flag) }

func (d *Decision) setFlags(st *storedState, flags byte) {
	was := st.Data
	d.keepState(st, func(dst []byte) []byte { return append(dst, was...) })
	st.Data[flagsAt] = flags
}

// failed keeps the first error, which ends the decision, and says whether err is one.
func (d *Decision) failed(err error) bool {
	if d.err == nil {
		d.err = err
	}
	return err != nil
}

// note notes a fact.
func (d *Decision) note(f facts.Fact) { d.change.Facts = append(d.change.Facts, f) }

// number marks the facts from index from on as facts of a record that is counted for the first time,
// by its number.
func (d *Decision) number(from int, r *cdr.Record, number int) {
	for i := range d.change.Facts[from:] {
		if f := &d.change.Facts[from+i]; f.Record == r {
			f.New = number
		}
	}
}

// markCharges notes which charges since a fact the call's own record has: a new call of one record has its charges,
// and a call the charges of each leg that waits in it.
func (d *Decision) markCharges(from int, withCall bool) {
	for i := range d.change.Facts[from:] {
		f := &d.change.Facts[from+i]
		f.WithCall = withCall && (f.Kind == facts.Charge || f.Kind == facts.Correction)
	}
}

// addCallLog asks for the log record of an entry's call. was are the amounts that are known of it.
func (d *Decision) addCallLog(i int, event Event, was []cdr.Charge) {
	d.addLog(i, 0, event)
	d.change.Logs[len(d.change.Logs)-1].Charges = d.charges(d.entries[i].record, was)
}

// addLog asks for a log record of an entry, or of a part of it.
func (d *Decision) addLog(i, part int, event Event) {
	d.change.Logs = append(d.change.Logs, Log{Record: i, Part: part, Event: d.identify(i, event)})
}

// identify says in an event which record of the page it is of.
func (d *Decision) identify(i int, event Event) Event {
	s := d.settings
	event.Source, event.Provider, event.Feed, event.Hour = s.Source, s.Provider, s.Feed, d.hourOf(&d.entries[i])
	event.RecordID, event.Observed = d.hasher.recordID(d.entries[i].record), d.page.ObservedAt
	return event
}

// addStoredLog asks for the log record of a call of several records, or of a leg that waited. The leg names it; read is
// when that, or the call's last leg, was first read.
func (d *Decision) addStoredLog(name string, r *cdr.Record, leg *waitingLeg, read time.Time) Event {
	s := d.settings
	event := Event{
		Name: name, Version: 1, Source: s.Source, Provider: s.Provider, Feed: s.Feed, RecordID: leg.RecordID,
		Hour: leg.Hour, Observed: read,
	}
	d.change.Logs = append(d.change.Logs, Log{Call: r, Event: event, Charges: r.Charges})
	return event
}

// FirstEvent is the event of the first log record of a record of the page, whose identity exemplars have.
func (d *Decision) FirstEvent(i int) Event { return d.identify(i, Event{Name: EventCall, Version: 1}) }

// HasSpans says whether a record of the page gets spans, now or when it has settled. A leg is a span of its call's.
func (d *Decision) HasSpans(i int) bool {
	st := d.findState(&d.entries[i])
	return d.Traces() && st != nil && flagsOf(st.Data)&rowLeg == 0
}

// decideBadRows counts rows that were set aside once each, by their content (counting.md 14).
func (d *Decision) decideBadRows() {
	result, keys := &d.change.Result, d.needed.BadRows
	seen := make(map[Hash]bool)
	fresh := func(row *BadRow, key Hash) bool {
		if d.known.BadRows[key] || seen[key] {
			return false
		}
		seen[key] = true
		d.change.BadRows = append(d.change.BadRows, BadHash{key, metrics.CleanLabel(row.Problem)})
		return true
	}
	fields := make(map[string][]string) // with unknown values, by the content of an ignored row
	for _, u := range d.page.Unmapped {
		if u.Record == nil && !slices.Contains(fields[u.Row], u.Field) {
			fields[u.Row] = append(fields[u.Row], u.Field)
		}
	}
	for i, row := range d.page.Invalid {
		if fresh(&row, keys[i]) {
			row.Content = nil
			result.BadRows = append(result.BadRows, row)
		}
	}
	result.Invalid = len(result.BadRows)
	for i := range d.page.Ignored {
		if fresh(&d.page.Ignored[i], keys[len(d.page.Invalid)+i]) {
			result.Ignored++
			for _, field := range fields[string(d.page.Ignored[i].Content)] {
				d.addUnmapped(field)
			}
		}
	}
}

// countUnmapped counts the unknown values of records that are counted, once for a record and a field.
func (d *Decision) countUnmapped() {
	if len(d.page.Unmapped) == 0 {
		return
	}
	counted := make(map[*cdr.Record]bool) // now or before
	for i := range d.entries {
		counted[d.entries[i].record] = d.findState(&d.entries[i]) != nil
	}
	for i := range d.page.Unmapped {
		u := &d.page.Unmapped[i]
		if u.Record == nil || !counted[u.Record] {
			continue
		}
		if key := d.hasher.unmapped(u); d.states[key] == nil {
			d.rememberFact(d.factBucket(u.Record.Start), key)
			d.addUnmapped(u.Field)
		}
	}
}

func (d *Decision) addUnmapped(field string) {
	if d.change.Result.Unmapped == nil {
		d.change.Result.Unmapped = make(map[string]int)
	}
	d.change.Result.Unmapped[field]++
}

// unmapped is the key of the fact that a field of a record has an unknown value.
func (h *Hasher) unmapped(u *Unmapped) Hash {
	return h.keyOf(kindUnmapped, u.Field, h.recordID(u.Record))
}

// delay is how long after the end of its call a record was first seen.
func (d *Decision) delay(r *cdr.Record) time.Duration { return d.page.ObservedAt.Sub(r.Ended()) }
