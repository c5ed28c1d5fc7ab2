package counting

import (
	"bytes"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// decideRecord decides what the record of the i-th entry is: new, a repeat, a revision, too old or not final.
func (d *Decision) decideRecord(i int) {
	d.deltas = d.deltas[:0]
	e, source := &d.entries[i], 0
	st := d.findState(e)
	switch {
	case d.isPending(e.record):
		return // neither counted nor remembered: it is looked up again (counting.md 17)
	case st == nil && d.isTooOld(e.record):
		d.change.Result.TooOld++
		return
	case st == nil:
		source = i + 1
		d.bookNew(e.record)
		if e.record.NoCall {
			st = d.decideVisit(i)
		} else {
			st = d.decideNew(i)
		}
	default:
		d.decideKnown(i, st)
	}
	if d.err != nil {
		return // the stored record is damaged
	}
	d.decideParts(i, st)
	d.addCounted(e.record, source)
}

// isTooOld says whether a record that isn't known may have been forgotten (counting.md 5), or is from before the feed's history.
func (d *Decision) isTooOld(r *cdr.Record) bool {
	if d.settings.ByArrival {
		return r.Start.Before(d.was.Origin)
	}
	return r.Start.Before(d.was.Floor)
}

// isPending says whether a record isn't final yet, but may still become so (counting.md 17).
func (d *Decision) isPending(r *cdr.Record) bool {
	return r.Provisional && d.page.ObservedAt.Sub(r.Start) <= d.settings.Lookback
}

// decideNew counts a record for the first time: as a call, or as a further record of one that is counted.
func (d *Decision) decideNew(i int) *state {
	e, result := &d.entries[i], &d.change.Result
	r := e.record
	further, moved := d.joinGroup(e)
	delay := d.delay(r)
	context := metrics.Context{
		Late: delay > d.settings.LateAfter, Currency: d.settings.Currency, Further: further, BypassLater: d.settings.PartsSettle,
	}
	var h head
	if d.settings.Parents && !d.callConnected(e) {
		h.flags |= rowFailed
		context.NoFailure = d.failureCounted(e)
	}
	if r.Emergency != cdr.NoEmergency && !further {
		h.flags |= rowEmergency
	}
	if r.Labels != "" {
		h.flags, h.labels = h.flags|rowLabelled, r.Labels
	}
	if further {
		h.flags |= rowFurther
		result.Duplicate++
	} else {
		d.addActivity(r)
		result.New++
		result.Delays = append(result.Delays, delay)
		result.Labels = append(result.Labels, r.AllLabels())
		if r.Outcome.Connected() {
			h.flags |= rowTimed
		}
		if d.Traces() {
			h.flags |= rowUntraced
		}
		d.change.State.Records++
		d.noteNewest(r)
	}
	if r.Outcome.Connected() && !further || moved > 0 {
		h.span = d.addConnected(r)
	}
	st := d.newState(Place{e.bucket, d.newKey(e)})
	d.keepState(st, func(dst []byte) []byte { return append(h.append(dst), e.body...) })
	d.addAliases(e, st)
	counted := len(d.deltas)
	d.deltas = metrics.Count(d.deltas, r, context)
	d.noteDear(i, d.deltas[counted:])
	if !further && !d.isAhead(r) {
		if a, is := metrics.NewAttempt(r, d.deltas, d.settings.NoReasons); is {
			d.change.Attempts = append(d.change.Attempts, Attempt{r.Direction.String(), r.Trunk, a})
		}
	}
	d.addCallLog(i, Event{Name: EventCall, Version: 1}, nil)
	if !d.settings.PartsSettle {
		d.addVisits(i)
	}
	return st
}

// noteDear notes a new call to a premium or satellite number.
func (d *Decision) noteDear(i int, deltas []metrics.Delta) {
	for k := range deltas {
		if country, class, dear := deltas[k].IsDear(); dear {
			d.change.Result.DearCalls = append(d.change.Result.DearCalls, metrics.DearCall{
				Record: i, Read: d.page.ObservedAt, Start: d.entries[i].record.Start, Country: strings.Clone(country), Class: class,
			})
		}
	}
}

// startAhead is how far ahead of the feed's clock a start is believed. A later one moves nothing that follows the newest call.
const startAhead = 24 * time.Hour

func (d *Decision) isAhead(r *cdr.Record) bool {
	return r.Start.After(d.page.ObservedAt.Add(startAhead))
}

// addAliases remembers the keys of a record that aren't known yet (counting.md 18): in the hour of this version or, if starts move, in the
// record's bucket.
func (d *Decision) addAliases(e *entry, st *state) {
	at := e.bucket
	if d.settings.StartMoves {
		at = st.Bucket
	}
	for _, key := range e.keys {
		if d.states[key] != nil {
			continue
		}
		d.keepState(d.newState(Place{at, key}), func(dst []byte) []byte { return appendAlias(dst, st.Place) })
		d.states[key] = st
	}
}

// decideKnown decides a record that is known: it is a repeat, or a revision whose changes are counted.
func (d *Decision) decideKnown(i int, st *state) {
	e, result := &d.entries[i], &d.change.Result
	d.addAliases(e, st)
	if e.record.NoCall {
		result.Duplicate++
		return
	}
	d.adoptGroup(e, st)
	if _, body := splitRow(st.Data); bytes.Equal(body, e.body) {
		result.Duplicate++
		return
	}
	var k known
	if d.failed(k.parse(st.Data)) {
		return
	}
	r := e.record
	if r.Version > 0 && k.version > 0 && r.Version <= k.version {
		result.Duplicate++
		return
	}
	changed := d.reviseRecord(e, &k)
	k.version = max(k.version, r.Version)
	if len(changed) == 0 {
		result.Duplicate++
	} else {
		result.Revised++
		d.book(r.Start).Revised++
		if k.revisions++; k.revisions <= loggedRevisions {
			d.addCallLog(i, Event{Name: EventRevised, Version: k.revisions + 1, Changed: changed}, k.charges)
		}
	}
	if row := k.append(nil); !bytes.Equal(row, st.Data) {
		d.keepState(st, func(dst []byte) []byte { return append(dst, row...) })
	}
}

// decideParts counts the parts of a record beside its call, each once by its id in whichever version it appears (counting.md 14): recordings and
// sessions. Where parts come with later versions, it also counts that the call is an emergency call, with the first version that says so.
func (d *Decision) decideParts(i int, st *state) {
	r, h := d.entries[i].record, d.hasher
	for _, recording := range r.Recordings {
		if key := h.factKey(kindRecording, recording.ID); d.states[key] == nil {
			d.addFact(d.factBucket(r.Start), key)
			d.deltas = metrics.CountRecording(d.deltas, recording.Type)
		}
	}
	for n := range r.Sessions {
		if d.addSession(&d.entries[i], st, r.Sessions[n].ID) {
			d.deltas = metrics.CountSession(d.deltas, &r.Sessions[n])
			d.addLog(i, n, Event{Name: EventSession, Version: 1})
		}
	}
	if r.Emergency != cdr.NoEmergency && d.settings.PartsSettle && flagsOf(st.Data)&(rowEmergency|rowFurther) == 0 {
		d.deltas = metrics.CountEmergency(d.deltas, r)
		d.addFlag(st, rowEmergency)
	}
}

// addSession remembers a session under all keys of its record, since a later version may have only one of them. It returns whether the session was
// known under none.
func (d *Decision) addSession(e *entry, st *state, id string) bool {
	isNew := true
	for _, key := range e.keys {
		isNew = isNew && d.states[d.hasher.session(key, id)] == nil
	}
	for _, key := range e.keys {
		if fact := d.hasher.session(key, id); d.states[fact] == nil {
			d.addFact(st.Bucket, fact)
		}
	}
	return isNew
}

// settleRecords counts what counts once a record has settled: with its first settled version, even if the record is known; of several settled
// versions on the page, with the highest.
func (d *Decision) settleRecords() {
	for n := len(d.order) - 1; n >= 0 && d.err == nil; n-- {
		e := &d.entries[d.order[n]]
		if !e.record.Settled || d.isPending(e.record) {
			continue
		}
		st := d.findState(e)
		if st == nil || flagsOf(st.Data)&rowSettled != 0 {
			continue
		}
		d.deltas = d.deltas[:0]
		if flagsOf(st.Data)&rowFurther == 0 { // a further record has no part in its call
			d.deltas = metrics.CountSettled(d.deltas, e.record, d.settings.PartsSettle)
		}
		if d.settings.PartsSettle {
			d.addVisits(d.order[n])
		}
		d.addCounted(e.record, 0)
		d.addFlag(st, rowSettled)
	}
}
