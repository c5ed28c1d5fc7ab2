package counting

import (
	"bytes"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
)

// decideRecord decides what the record of the i-th entry is: new, a repeat, a revision, too old or not final.
func (d *Decision) decideRecord(i int) {
	e, from := &d.entries[i], len(d.change.Facts)
	st := d.findState(e)
	switch {
	case d.isPending(e.record):
		if e.call != 0 && st == nil && !d.isTooOld(e) { // an open leg: its call waits for it
			d.putOpenLeg(e)
		}
		return // neither counted nor remembered: it is looked up again (counting.md 17)
	case st == nil && d.isTooOld(e):
		d.change.Result.TooOld++
		return
	case st == nil:
		if e.record.NoCall {
			d.decideVisit(i)
		} else {
			d.decideParts(i, d.decideNew(i))
		}
		d.number(from, e.record, i+1)
	default:
		d.decideKnown(i, st)
		if d.err == nil { // else the stored record is damaged
			d.decideParts(i, st)
		}
	}
}

// isTooOld says whether a record that isn't known may have been forgotten (counting.md 5), or is
// from before the feed's history.
func (d *Decision) isTooOld(e *entry) bool {
	r := e.record
	if d.settings.Lead > 0 && r.Start.Before(d.was.Origin) && (e.call == 0 || d.isFull(d.rootOf(e.call), r.Start)) {
		return true // only legs are read from before the origin
	}
	if d.settings.ByArrival {
		return r.Start.Before(d.was.Origin.Add(-d.settings.Lead))
	}
	return r.Start.Before(d.was.Floor)
}

// isPending says whether a record isn't final yet, but may still become so (counting.md 17).
func (d *Decision) isPending(r *cdr.Record) bool {
	return r.Provisional && d.page.ObservedAt.Sub(r.Start) <= d.settings.Lookback
}

// decideNew counts a record for the first time: a call by itself as a whole, a leg but for what
// waits until its call is whole (counting.md 36).
func (d *Decision) decideNew(i int) *storedState {
	e, s, from := &d.entries[i], d.settings, len(d.change.Facts)
	r, delay := e.record, d.delay(e.record)
	key := d.callKey(e)
	d.leaveCall(e, key)
	context := facts.Context{Late: delay > s.LateAfter, Currency: s.Currency, BypassLater: s.Grows}
	h := head{labels: r.Labels, call: key}
	if r.Labels != "" {
		h.flags |= rowLabelled
	}
	if r.Emergency != cdr.NoEmergency {
		h.flags |= rowEmergency
	}
	if key != 0 {
		h.flags |= rowLeg
	}
	if context.Late {
		h.flags |= rowLate
	}
	counts := !d.isEarlyLeg(r, h.flags)
	if counts {
		d.change.Result.New++
		d.noteNewest(r)
		d.note(facts.Fact{Kind: facts.Record, Record: r, Late: context.Late})
		d.addLegAttempt(e)
	}
	switch {
	case key == 0:
		d.change.Result.Delays = append(d.change.Result.Delays, delay)
		d.addCall(r, &h, context)
	case counts:
		d.change.Facts = facts.AppendOwn(d.change.Facts, r, context.Currency)
		d.addEmergency(e, d.rootInPage(e.call))
	}
	st := d.newState(Place{d.bucketFor(r.Start), d.newKey(e)})
	d.keepState(st, func(dst []byte) []byte { return append(h.append(dst), e.body...) })
	d.addAliases(e, st)
	if key == 0 {
		d.addCallLog(i, Event{Name: EventCall, Version: 1}, nil)
		d.logParts(i)
	} else {
		d.joinCall(key, d.legOf(e, false))
	}
	d.markCharges(from, key == 0 || d.waitingUnder(key).has(st.Hash))
	if counts && !d.settings.Grows {
		d.addVisits(i)
	}
	return st
}

// addCall counts a call of one record, and notes in the head of its row what later versions may change.
func (d *Decision) addCall(r *cdr.Record, h *head, context facts.Context) {
	d.change.Facts = facts.AppendRecord(d.change.Facts, r, context)
	h.times = timesOf(r)
	if r.Outcome.Connected() {
		h.flags |= rowTimed
		h.connection = d.addConnected(r)
	}
	if d.Traces() {
		h.flags |= rowUntraced
	}
	d.change.State.Calls++
	if !isLegAttempt(r) {
		d.addAttempt(r)
	}
}

// isEarlyLeg says whether a record with these flags is a leg that starts before the feed's origin. It is there for a
// call that goes on after it, which isn't counted either (counting.md 5).
func (d *Decision) isEarlyLeg(r *cdr.Record, flags byte) bool {
	return flags&rowLeg != 0 && r.Start.Before(d.was.Origin)
}

// callKey is the key of the call that a record is a leg of; 0: it is a call by itself, or too many
// records share its key.
func (d *Decision) callKey(e *entry) Hash {
	key := d.bindCall(e)
	if key != 0 && d.isFull(key, e.record.Start) {
		d.change.Result.FullCalls++
		return 0
	}
	return key
}

// isFull says whether the call of a leg with this start was counted with as many legs as a call may have.
func (d *Decision) isFull(key Hash, start time.Time) bool {
	_, call := d.findRemembered(key, start)
	return call != nil && len(call.legs) >= MostLegs
}

// addEmergency counts a call to emergency services with the first leg that says so, and how it ended. Once its call
// was counted, any leg that says so counts it: no other one has to say how it ended.
func (d *Decision) addEmergency(e *entry, call Hash) {
	says := SaysHowEmergencyEnded(e.record) ||
		e.record.Emergency != cdr.NoEmergency && d.isCounted(d.rootOf(call), e.record.Start)
	if says && d.isNewToCall(e, call, trunkChannel{}) {
		d.note(facts.Fact{Kind: facts.Emergency, Record: e.record})
	}
}

// SaysHowEmergencyEnded says whether a leg has the outcome of a call to emergency services. A challenge has
// none. The caller's own telephone, which may ring first, has its own, and so has an announcement.
func SaysHowEmergencyEnded(r *cdr.Record) bool {
	if r.Emergency == cdr.NoEmergency || r.NoOutcome {
		return false
	}
	leg := r.Leg()
	party := leg.EffectiveParty()
	return party != cdr.Own && party != cdr.PartyMachine
}

// addQuietEmergency counts a call to emergency services of which no leg said how it ended, with the call.
func (d *Decision) addQuietEmergency(key Hash, g *gatheredCall, r *cdr.Record) {
	if r.Emergency == cdr.NoEmergency || slices.ContainsFunc(g.legs,
		func(l *waitingLeg) bool { return l.Told || !l.Open && SaysHowEmergencyEnded(&l.Record) }) {
		return
	}
	d.note(facts.Fact{Kind: facts.Emergency, Record: r})
	d.keepCallFact(key, trunkChannel{}, r.Start)
}

// isLegAttempt says whether a record is an attempt on its trunk by itself: an outbound leg with a trunk and an outcome.
func isLegAttempt(r *cdr.Record) bool {
	return r.Direction == cdr.Outbound && r.Trunk != "" && !r.NoOutcome && r.Party != cdr.Own
}

// trunkChannel is a channel of a trunk.
type trunkChannel struct{ trunk, channel string }

// channels are the channels on whose trunks a record may be an attempt; empty: none.
func channels(r *cdr.Record) (all [2]trunkChannel) {
	if all[0] = (trunkChannel{r.Trunk, r.Channel}); r.Second != nil {
		all[1] = trunkChannel{r.Second.Trunk, r.Second.Channel}
	}
	return all
}

// addLegAttempt adds an outbound leg to the last attempts of its trunk. A leg that leads from one trunk
// onto another is an attempt on the second. Legs of a call that share the trunk's channel are one attempt.
func (d *Decision) addLegAttempt(e *entry) {
	d.addTrunkAttempt(e, e.record)
	if l := e.record.Second; l != nil {
		second := *e.record
		second.Direction, second.Trunk, second.Channel, second.Party = l.Direction, l.Trunk, l.Channel, l.Party
		second.Outcome, second.NoOutcome, second.Reason, second.FaultDomain = l.Outcome, l.NoOutcome, "", 0
		d.addTrunkAttempt(e, &second)
	}
}

func (d *Decision) addTrunkAttempt(e *entry, r *cdr.Record) {
	if !isLegAttempt(r) {
		return
	}
	if e.call == 0 || r.Channel == "" || d.isNewToCall(e, d.rootInPage(e.call), trunkChannel{r.Trunk, r.Channel}) {
		d.addAttempt(r)
	}
}

// logParts makes the log records of the legs of a record that lists several.
func (d *Decision) logParts(i int) {
	legs := d.entries[i].record.Legs
	if d.entries[i].record.LegsAreSessions() {
		return // each has a log record
	}
	for n := range legs {
		if len(legs) > 1 && !legs[n].Master {
			d.addLog(i, n, Event{Name: EventLeg, Version: 1})
		}
	}
}

// StartAhead is how far ahead of the feed's clock a start is believed. A later one moves nothing
// that follows the newest call.
const StartAhead = 24 * time.Hour

func (d *Decision) isAhead(r *cdr.Record) bool {
	return r.Start.After(d.page.ObservedAt.Add(StartAhead))
}

// addAliases remembers the keys of a record that aren't known yet, by the start of this version (counting.md 18).
func (d *Decision) addAliases(e *entry, st *storedState) {
	for _, key := range e.keys {
		if d.states[key] != nil {
			continue
		}
		at := Place{d.bucketFor(e.record.Start), key}
		d.keepState(d.newState(at), func(dst []byte) []byte { return appendAlias(dst, st.Place) })
		d.states[key] = st
	}
}

// decideKnown decides a record that is known: it is a repeat, or a revision whose changes are counted.
func (d *Decision) decideKnown(i int, st *storedState) {
	e, result := &d.entries[i], &d.change.Result
	d.addAliases(e, st)
	if _, body := splitRow(st.Data); e.record.NoCall || bytes.Equal(body, e.body) {
		result.Duplicate++
		return
	}
	var counted rememberedRecord
	if d.failed(counted.parse(st.Data)) {
		return
	}
	r := e.record
	if counted.version > 0 && r.Version <= counted.version {
		result.Duplicate++
		return
	}
	if d.isEarlyLeg(r, counted.flags) { // nothing of it is counted: this version takes the place of the former one
		result.Duplicate++
		if d.settings.Legs {
			counted.call = d.reviseLeg(e, counted.call)
		}
		d.keepState(st, func(dst []byte) []byte { return append(counted.head.append(dst), e.body...) })
		return
	}
	from := len(d.change.Facts)
	changed := d.reviseRecord(e, &counted)
	counted.version = max(counted.version, r.Version)
	if len(changed) == 0 {
		result.Duplicate++
	} else {
		result.Revised++
		d.note(facts.Fact{Kind: facts.Revision, Record: r})
		if counted.revisions++; counted.revisions <= loggedRevisions {
			event := Event{Name: EventRevised, Version: counted.revisions + 1, Changed: changed}
			d.addCallLog(i, event, counted.charges)
		}
	}
	if counted.flags&rowLeg != 0 && d.settings.Legs {
		counted.call = d.reviseLeg(e, counted.call)
		d.markCharges(from, d.waitingUnder(counted.call).has(st.Hash))
	}
	if row := counted.append(nil); !bytes.Equal(row, st.Data) {
		d.keepState(st, func(dst []byte) []byte { return append(dst, row...) })
	}
}

// reviseLeg replaces a leg by its later version. While its call waits that may move it to another
// one. It returns the key of its call.
func (d *Decision) reviseLeg(e *entry, call Hash) Hash {
	leg := d.legOf(e, false)
	from := d.rootOf(call)
	to, arrived, told := from, leg.Arrived, e.call == 0
	if was := d.waitingUnder(from).take(leg.Key); was != nil {
		leg.follow(was)
		told = was.Told || SaysHowEmergencyEnded(&was.Record) ||
			e.call == 0 && slices.ContainsFunc(d.waitingUnder(from).legs,
				func(l waitingLeg) bool { return SaysHowEmergencyEnded(&l.Record) })
		if e.call != 0 {
			to = d.bindCall(e)
		}
	} else {
		leg.Logged = true // with its first version, or it was the whole call
	}
	if to != from {
		leg.Arrived = arrived
		if told {
			d.passEmergency(from, to, e.record.Start)
		}
	}
	if !told && !e.record.Start.Before(d.was.Origin) {
		d.addEmergency(e, to) // its first version may not have said how it ended
	}
	if st, counted := d.findCallOfLeg(call, e.record.Start, leg.Legs); st != nil {
		d.addLateLeg(st, counted, &leg)
		return call // the next version finds it there, too
	}
	d.joinCall(to, leg)
	return to
}

// decideParts counts the parts of a record beside its call, each once by its id in whichever
// version it appears (counting.md 14): recordings and sessions. Where parts come with later
// versions, it also counts that the call is an emergency call, with the first version that says so.
func (d *Decision) decideParts(i int, st *storedState) {
	r, h := d.entries[i].record, d.hasher
	if d.isEarlyLeg(r, flagsOf(st.Data)) {
		return
	}
	for n := range r.Recordings {
		if key := h.keyOf(kindRecording, r.Recordings[n].ID); d.states[key] == nil {
			d.rememberFact(d.factBucket(r.Start), key)
			d.note(facts.Fact{Kind: facts.Recording, Record: r, Part: n})
		}
	}
	for n := range r.Sessions {
		if key := h.session(d.entries[i].keys[0], r.Sessions[n].ID); d.states[key] == nil {
			d.rememberFact(st.Bucket, key)
			d.note(facts.Fact{Kind: facts.Session, Record: r, Part: n})
			if r.LegsAreSessions() {
				d.note(facts.Fact{Kind: facts.Leg, Record: r, Part: n})
			}
			d.addLog(i, n, Event{Name: EventSession, Version: 1})
		}
	}
	if r.Emergency != cdr.NoEmergency && d.settings.Grows && flagsOf(st.Data)&rowEmergency == 0 {
		d.note(facts.Fact{Kind: facts.Emergency, Record: r})
		d.addFlag(st, rowEmergency)
	}
}

// settleRecords counts what counts once a record has settled: with its first settled version, even
// if the record is known; of several settled versions on the page, with the highest.
func (d *Decision) settleRecords() {
	for n := len(d.order) - 1; n >= 0 && d.err == nil; n-- {
		e := &d.entries[d.order[n]]
		if !e.record.Settled || d.isPending(e.record) {
			continue
		}
		st := d.findState(e)
		if st == nil || flagsOf(st.Data)&rowSettled != 0 || d.isEarlyLeg(e.record, flagsOf(st.Data)) {
			continue
		}
		d.change.Facts = facts.AppendSettled(d.change.Facts, e.record, d.settings.Grows)
		if d.settings.Grows {
			d.addVisits(d.order[n])
		}
		d.addFlag(st, rowSettled)
	}
}
