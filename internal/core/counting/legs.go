package counting

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// A call key is a hash of what its legs share, or of the id of the record that a leg names as its
// parent. A link leads from the key of a record's own id to the key of its call, so that children
// find the call of their topmost parent, whichever row came first.

// CallKeys returns the key of the call that a record is a leg of. It is 0 if the record is a call
// by itself. The keys by which its children may name it are appended to names.
func (h *Hasher) CallKeys(names []Hash, r *cdr.Record, rules *Rules) (call Hash, _ []Hash) {
	if !rules.Legs || r.NoCall {
		return 0, names
	}
	byID := func(id string) Hash { return h.keyOf(kindCallKey, "id", id) }
	if r.CallKey != "" {
		call = h.keyOf(kindCallKey, "key", r.CallKey)
	}
	if !rules.Parents {
		return call, names
	}
	if call != 0 {
		names = append(names, call)
	}
	for _, id := range recordIDs(r) {
		names = append(names, byID(id))
	}
	switch {
	case r.Parent != "" && !slices.Contains(recordIDs(r), r.Parent):
		call = byID(r.Parent)
	case call == 0 && len(names) > 0:
		call = names[0]
	}
	return call, names
}

// recordIDs are the ids that a child may name a record by.
func recordIDs(r *cdr.Record) []string {
	if r.ID == "" {
		return r.AltIDs
	}
	return append([]string{r.ID}, r.AltIDs...)
}

// callAsked is a call key that was requested from the ledger, near a day.
type callAsked struct {
	key Hash
	day int64
}

const daySpan = 24 * time.Hour

func dayOf(at time.Time) int64 { return at.Unix() / int64(daySpan/time.Second) }

// addCallKey adds to what a page needs all that may be known of a call: its link, that it was
// counted, and its legs that wait.
func (d *Decision) addCallKey(keys *Keys, key Hash, start time.Time) {
	asked := callAsked{key, dayOf(start)}
	if d.asked[asked] {
		return
	}
	d.asked[asked] = true
	buckets := d.factBuckets(start)
	if d.settings.Parents {
		keys.IDs = append(keys.IDs, Key{d.hasher.pair(kindLink, key, 0), buckets})
	}
	for day := asked.day - countedDays; day <= asked.day+countedDays; day++ {
		keys.IDs = append(keys.IDs, Key{d.hasher.pair(kindCounted, key, day), buckets})
	}
	keys.Tasks = append(keys.Tasks, callTask(key))
}

func callTask(key Hash) TaskKey { return TaskKey{work.Call, strconv.FormatUint(uint64(key), 16)} }

// More returns what deciding the page needs beyond the keys that were read: the calls that links
// and known records lead to. It is nil once nothing is missing. Known must hold what was read, in
// the order of the Keys that asked for it.
func (d *Decision) More(known *Known) *Keys {
	d.known, d.was, d.err = known, &known.State, nil
	d.advanceClock()
	if !d.settings.Legs {
		return nil
	}
	clear(d.states)
	d.used = 0
	for i := range known.IDs {
		d.addKnown(d.needed.IDs[i].Hash, &known.IDs[i])
	}
	var more Keys
	for i := range d.entries {
		e := &d.entries[i]
		for _, key := range e.names {
			d.addCallKey(&more, d.rootOf(key), e.record.Start)
		}
		if e.call != 0 {
			d.addCallKey(&more, d.rootOf(e.call), e.record.Start)
			if d.settings.Parents {
				d.addCallFactKeys(&more, e, append(d.path(e.call), e.names...)...)
			}
		}
		if st := d.findState(e); st == nil {
			d.addOpenLegKeys(&more, e)
		} else if h, body := splitRow(st.Data); body != nil && h.call != 0 {
			for _, key := range d.path(h.call) { // it counted under one of them
				d.addCallKey(&more, key, e.record.Start)
			}
			d.addCallFactKeys(&more, e, d.rootOf(h.call)) // a later version may name another call
		}
	}
	for i := range d.ignored {
		if e := &d.ignored[i]; d.findState(e) == nil {
			d.addOpenLegKeys(&more, e)
		}
	}
	if len(more.IDs)+len(more.Tasks) == 0 {
		return nil
	}
	d.needed.IDs = append(d.needed.IDs, more.IDs...)
	d.needed.Tasks = append(d.needed.Tasks, more.Tasks...)
	return &more
}

// openLegKey is under which the call of an open leg is remembered.
func (d *Decision) openLegKey(e *entry) Hash { return d.hasher.pair(kindOpenLeg, d.newKey(e), 0) }

// addOpenLegKeys adds what a page needs of the call in which an unknown record waits as an open leg.
func (d *Decision) addOpenLegKeys(keys *Keys, e *entry) {
	key, start := d.openLegKey(e), e.record.Start
	if st := d.states[key]; st != nil {
		d.addCallKey(keys, d.rootOf(d.linkOf(st)), start)
	} else if asked := (callAsked{key, 0}); !d.asked[asked] {
		d.asked[asked] = true
		keys.IDs = append(keys.IDs, Key{key, d.factBuckets(start)})
	}
}

// putOpenLeg has a call wait for an open leg, which may have waited in another call.
func (d *Decision) putOpenLeg(e *entry) {
	call, key := d.bindCall(e), d.openLegKey(e)
	d.leaveCall(e, call)
	d.joinCall(call, d.legOf(e, true))
	st := d.states[key]
	if st == nil {
		st = d.newState(Place{d.factBucket(e.record.Start), key})
	}
	if link := appendLink(nil, call); !bytes.Equal(link, st.Data) {
		d.keepState(st, func(dst []byte) []byte { return append(dst, link...) })
	}
}

// leaveCall takes a record that isn't known from the call in which it waits as an open leg, unless
// that is the call to which it belongs now.
func (d *Decision) leaveCall(e *entry, to Hash) {
	st := d.states[d.openLegKey(e)]
	if st == nil {
		return
	}
	if from := d.rootOf(d.linkOf(st)); from != to {
		d.waitingUnder(from).take(d.newKey(e))
	}
}

// dropIgnoredLegs takes open legs whose rows are ignored now from their calls: such a row never becomes final.
func (d *Decision) dropIgnoredLegs() {
	for i := range d.ignored {
		if e := &d.ignored[i]; d.findState(e) == nil {
			d.leaveCall(e, 0)
		}
	}
}

func (d *Decision) linkOf(st *storedState) Hash {
	to, err := parseLink(st.Data)
	d.failed(err)
	return to
}

// longestChain bounds how many parents are followed, so that rows which name each other in a circle end.
const longestChain = 32

// rootOf follows the links from a call key to the key of the topmost known parent.
func (d *Decision) rootOf(key Hash) Hash {
	for range longestChain {
		to := d.linkedTo(key)
		if to == 0 {
			break
		}
		key = to
	}
	return key
}

// linkedTo is the call key that another one leads to; 0: none.
func (d *Decision) linkedTo(key Hash) Hash {
	st := d.states[d.hasher.pair(kindLink, key, 0)]
	if st == nil {
		return 0
	}
	to, err := parseLink(st.Data)
	if d.failed(err) {
		return 0
	}
	return to
}

// bindCall returns the key of the call that a record is a leg of. It links the record's own keys to
// it, and moves there what waits under them. If the call of the record's children was counted before
// the record came, its key is the one that stays.
func (d *Decision) bindCall(e *entry) Hash {
	if e.call == 0 {
		return 0
	}
	root := d.rootOf(e.call)
	for _, name := range e.names {
		own := d.rootOf(name)
		if own == root {
			continue
		}
		from, start := own, e.record.Start
		if d.isCounted(own, start) && !d.isCounted(root, start) {
			from, root = root, own
		}
		to := root
		d.keepState(d.newState(Place{d.factBucket(start), d.hasher.pair(kindLink, from, 0)}),
			func(dst []byte) []byte { return appendLink(dst, to) })
		d.passEmergency(from, to, start)
		d.moveCall(from, to)
	}
	return root
}

func (d *Decision) isCounted(key Hash, start time.Time) bool {
	_, call := d.findRemembered(key, start)
	return call != nil
}

// legOf is what waits of a record: its legs for the call, and itself without what privacy removes,
// for log records and the call's labels.
func (d *Decision) legOf(e *entry, open bool) waitingLeg {
	r, key := e.record, d.newKey(e)
	if st := d.findState(e); st != nil {
		key = st.Hash
	}
	w := waitingLeg{
		Key: key, Hour: d.hourOf(e), Open: open, Read: d.page.ObservedAt, Arrived: d.arrived(r), Class: r.NumberClass(),
		RecordID: d.hasher.recordID(r),
		Told:     !open && SaysHowEmergencyEnded(r),
		Legs:     d.privateLegs(r, d.hourOf(e)),
	}
	if d.settings.Redactor != nil {
		d.settings.Redactor.Redacted(&w.Record, r)
	} else {
		w.Record = *r
	}
	rec := &w.Record
	for _, at := range [...]*time.Time{&rec.Invite, &rec.Start, &rec.Answer, &rec.End} {
		*at = storable(*at)
	}
	rec.Charges = slices.Clone(d.charges(r, nil))
	rec.Synthetic, rec.AltIDs, rec.CallKey, rec.Parent, rec.Channel, rec.ProviderLabels = "", nil, "", "", "", nil
	rec.Visits, rec.Sessions, rec.Streams, rec.Legs, rec.Second = nil, nil, nil, nil, nil
	return w
}

// privateLegs are a record's legs. Users are replaced by a keyed hash: it says who is the same, and no more.
func (d *Decision) privateLegs(r *cdr.Record, hour int64) []cdr.Leg {
	legs := r.CallLegs()
	for i := range legs {
		l := &legs[i]
		if l.ID == "" {
			l.ID = d.hasher.recordID(r) + "/" + strconv.Itoa(i)
		}
		d.hideNames(l)
		if hour != 0 {
			l.ID += "@" + strconv.FormatInt(hour, 10)
		}
		if user := cmp.Or(l.UserID, l.UserPrincipal, l.UserName); user != "" {
			l.UserID = strconv.FormatUint(uint64(d.hasher.keyOf(kindUser, user)), 16)
		}
		if l.Channel != "" {
			l.Channel = strconv.FormatUint(uint64(d.hasher.keyOf(kindAttempt, l.Channel)), 16)
		}
		l.UserName, l.UserPrincipal = "", ""
		l.Start, l.Answer, l.End = storable(l.Start), storable(l.Answer), storable(l.End)
	}
	return legs
}

// lastStorable is the last time that JSON can write. A later one is a mistake.
var lastStorable = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

func storable(at time.Time) time.Time {
	switch {
	case at.After(lastStorable):
		return lastStorable
	case at.Year() < 1:
		return time.Time{}
	}
	return at.UTC()
}

// hideNames replaces the ids by which legs name each other: some hold a number. A parent is found
// by its other ids, of which its own is one.
func (d *Decision) hideNames(l *cdr.Leg) {
	hidden := func(id string) string { return strconv.FormatUint(uint64(d.hasher.keyOf(kindLink, id)), 16) }
	names := make([]string, 0, 1+len(l.AltIDs))
	for _, id := range append([]string{l.ID}, l.AltIDs...) {
		names = append(names, hidden(id))
	}
	l.AltIDs = names
	if l.Parent != "" {
		l.Parent = hidden(l.Parent)
	}
}

// isLive says whether the feed reads what happens now, and not its history or what came while it was down.
func (d *Decision) isLive() bool {
	reached := d.was.Watermark
	if d.page.Reached.After(reached) {
		reached = d.page.Reached
	}
	return d.was.HistoryDone && d.page.ObservedAt.Sub(reached) <= max(liveWithin, 2*d.settings.Settle)
}

// liveWithin is how far a feed's watermark may lie behind while it is read as it goes.
const liveWithin = 10 * time.Minute

// arrived is when a leg came, from which `settle` runs: when it was read or, in a history and in
// catch-up, when it ended. If records are read in the order in which they appeared, a leg comes after
// all records before it. Otherwise a read may miss a leg that appears meanwhile. So the read that finds
// one leg doesn't show that the others are missing, while legs may still come.
func (d *Decision) arrived(r *cdr.Record) time.Time {
	now := d.page.ObservedAt
	if d.isLive() {
		return now
	}
	leg := r.Leg()
	at, settled := leg.Ended(), now.Add(-d.settings.Settle)
	switch {
	case at.After(now): // the provider's clock is ahead, or the time is a mistake
		at = now
	case !d.settings.ByArrival && at.Before(settled) && r.Start.After(now.Add(-d.settings.Lookback)):
		at = settled
	}
	if d.settings.ByArrival && !d.settings.ReadsRanges && d.clock.After(at) {
		at = d.clock
	}
	return at
}

// advanceClock moves the time up to which the records of a history that is read in the order of
// their appearance have come.
func (d *Decision) advanceClock() {
	if d.clock = d.was.NewestCall; d.clock.After(d.page.ObservedAt) {
		d.clock = d.page.ObservedAt // it starts ahead of the feed's clock
	}
	if !d.settings.ByArrival {
		return
	}
	for i := range d.entries {
		leg := d.entries[i].record.Leg()
		if at := leg.Ended(); at.After(d.clock) && !at.After(d.page.ObservedAt) {
			d.clock = at
		}
	}
}
