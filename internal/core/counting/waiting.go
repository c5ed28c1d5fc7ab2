package counting

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/calls"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

const (
	// MostLegs is the most legs of a call: then nothing holds it, and further records with its key are calls.
	MostLegs = 1000
	// MostWaiting is the most calls of a feed that wait: beyond that, the oldest count as they are.
	MostWaiting = 10_000
	// DueAtOnce is the most waiting calls that one commit looks at.
	DueAtOnce = 1000
)

// waitingLegs are the legs that wait under one call key: of one call, or of several that began more
// than two days apart.
type waitingLegs struct {
	key     Hash
	legs    []waitingLeg
	stored  bool // the ledger has it
	touched bool // a record of the page changed it
	forced  bool // too many calls wait: it counts as it is
}

// waitingLeg is a record that waits for the other legs of its call.
type waitingLeg struct {
	// Key is what the record is known by; RecordID names it in log records.
	Key      Hash   `json:"key"`
	RecordID string `json:"record_id"`
	// Hour is that of Event.Hour.
	Hour int64 `json:"hour"`
	// Open: the provider hasn't finished it. Logged: its log record was made.
	Open   bool `json:"open"`
	Logged bool `json:"logged"`
	// Told: this version or an earlier one said how an emergency call ended.
	Told bool `json:"told"`
	// Read is when the leg was first read, Arrived when it came: see Decision.arrived.
	Read    time.Time `json:"read"`
	Arrived time.Time `json:"arrived"`
	// Changes is how often it changed so that it settled again, and didn't become longer.
	Changes int `json:"changes"`
	// Class is the kind of the other party's number.
	Class string    `json:"class"`
	Legs  []cdr.Leg `json:"legs"`
	// Record is without what privacy removes.
	Record cdr.Record `json:"record"`
}

// StoredRecord is the form of records that are kept for a while. A provider's text may be of any bytes.
var StoredRecord = json.JoinOptions(
	json.OmitZeroStructFields(true), json.Deterministic(true), jsonv1.FormatDurationAsNano(true),
	jsontext.AllowInvalidUTF8(true),
)

// waitingUnder finds the legs that wait under a call key; there may be none.
func (d *Decision) waitingUnder(key Hash) *waitingLegs {
	for _, w := range d.legsByKey {
		if w.key == key {
			return w
		}
	}
	w := &waitingLegs{key: key}
	d.legsByKey = append(d.legsByKey, w)
	if task, there := d.known.Tasks[callTask(key)]; there {
		var err error
		w.stored = true
		w.legs, err = parseLegs(task.Data)
		d.failed(err)
	}
	return w
}

func parseLegs(data string) (legs []waitingLeg, err error) {
	if err := json.Unmarshal([]byte(data), &legs, StoredRecord); err != nil {
		return nil, fmt.Errorf("%w: a call that waits: %w", ErrRow, err)
	}
	return legs, nil
}

// WaitingCall describes a call that waits, for people.
type WaitingCall struct {
	// Start is when its first leg began, RecordID names that leg, as log records do.
	Start    time.Time
	RecordID string
	// Legs is how many have been read, Open how many of them aren't final.
	Legs, Open int
	// Due is after when it counts if no further leg comes.
	Due time.Time
}

// DescribeCall returns ErrRow if an item's key and data don't belong to a call that waits.
func DescribeCall(item *work.Item) (WaitingCall, error) {
	w := WaitingCall{Due: item.Due}
	legs, err := parseLegs(item.Data)
	if _, wrong := CallOf(item.Key); wrong != nil {
		err = wrong
	}
	for i := range legs {
		if r := &legs[i].Record; i == 0 || r.Start.Before(w.Start) {
			w.Start, w.RecordID = r.Start, legs[i].RecordID
		}
		if w.Legs++; legs[i].Open {
			w.Open++
		}
	}
	return w, err
}

// put adds a leg, or replaces the version of it that waits.
func (w *waitingLegs) put(leg waitingLeg) {
	for i := range w.legs {
		if was := &w.legs[i]; was.Key == leg.Key {
			if leg.Open && was.Open && slices.EqualFunc(leg.Legs, was.Legs, sameLeg) {
				return // it still goes on
			}
			leg.follow(was)
			*was, w.touched = leg, true
			return
		}
	}
	w.legs, w.touched = append(w.legs, leg), true
}

// follow makes a leg the later version of one that waits. It stays read when it was first read as final, and settles
// again only if its times, lengths, outcome, direction, trunk or party changed. A record that is listed in two forms
// changes with every read, and must settle nevertheless; one that grows with every read is a call in progress.
func (l *waitingLeg) follow(was *waitingLeg) {
	l.Logged = was.Logged
	if was.Open {
		return
	}
	l.Read, l.Told, l.Changes = was.Read, l.Told || was.Told, was.Changes
	same := slices.EqualFunc(l.Legs, was.Legs, func(a, b cdr.Leg) bool {
		return sameLeg(a, b) && a.Duration == b.Duration && a.Ringing == b.Ringing && a.NoOutcome == b.NoOutcome
	})
	longer := cmp.Or(l.Record.End.Compare(was.Record.End), cmp.Compare(l.Record.Duration, was.Record.Duration)) > 0
	if !same && !longer { // one of two forms isn't longer than the other
		l.Changes++
	}
	if same || l.Changes > mostChanges || l.Arrived.Sub(l.Read) > calls.Longest { // no call takes that long
		l.Arrived = was.Arrived
	}
}

// mostChanges is how often a leg that doesn't become longer settles again.
const mostChanges = 8

func sameLeg(a, b cdr.Leg) bool {
	return a.Start.Equal(b.Start) && a.Answer.Equal(b.Answer) && a.End.Equal(b.End) && a.Outcome == b.Outcome &&
		a.Direction == b.Direction && a.Trunk == b.Trunk && a.Party == b.Party
}

// has says whether a leg waits.
func (w *waitingLegs) has(key Hash) bool {
	return slices.ContainsFunc(w.legs, func(l waitingLeg) bool { return l.Key == key })
}

// take removes a leg; nil: it doesn't wait.
func (w *waitingLegs) take(key Hash) *waitingLeg {
	i := slices.IndexFunc(w.legs, func(l waitingLeg) bool { return l.Key == key })
	if i < 0 {
		return nil
	}
	leg := w.legs[i]
	w.legs, w.touched = slices.Delete(w.legs, i, i+1), true
	return &leg
}

// moveCall moves the legs that wait under one call key to another one.
func (d *Decision) moveCall(from, to Hash) {
	w := d.waitingUnder(from)
	legs := w.legs
	w.legs, w.touched = nil, w.touched || len(legs) > 0
	for _, leg := range legs {
		d.joinCall(to, leg)
	}
}

// joinCall adds a leg to its call: to one that waits or, if it was counted already, as a late leg.
func (d *Decision) joinCall(key Hash, leg waitingLeg) {
	if st, call := d.findRemembered(key, leg.Record.Start); st != nil {
		d.addLateLeg(st, call, &leg)
		return
	}
	d.waitingUnder(key).put(leg)
}

// gatheredCall is a call with its legs, out of those that wait under a key.
type gatheredCall struct {
	legs []*waitingLeg
	flat []cdr.Leg
	// owner is which of legs each of flat is of.
	owner []int
	call  calls.Call
	// arrived is when its last leg came, read when that was first read.
	arrived, read time.Time
	open, whole   bool
}

// gatherCalls splits the legs that wait under a key into calls: a leg that starts more than two days
// after its call began belongs to another one.
func (w *waitingLegs) gatherCalls() (all []gatheredCall) {
	slices.SortStableFunc(w.legs, func(a, b waitingLeg) int {
		r, s := &a.Record, &b.Record // without an id, RecordID and Key are hashes, which are others in another ledger
		return cmp.Or(r.Start.Compare(s.Start), strings.Compare(r.ID, s.ID), r.End.Compare(s.End),
			r.Answer.Compare(s.Answer), strings.Compare(r.Trunk, s.Trunk), cmp.Compare(r.Outcome, s.Outcome),
			strings.Compare(r.CallerNumber, s.CallerNumber), strings.Compare(r.CalleeNumber, s.CalleeNumber),
			strings.Compare(a.RecordID, b.RecordID), cmp.Compare(a.Key, b.Key))
	})
	for i := range w.legs {
		leg := &w.legs[i]
		if n := len(all); n == 0 || leg.Record.Start.Sub(all[n-1].legs[0].Record.Start) > calls.Longest {
			all = append(all, gatheredCall{})
		}
		g := &all[len(all)-1]
		g.legs = append(g.legs, leg)
	}
	for i := range all {
		all[i].complete()
	}
	return all
}

func (g *gatheredCall) complete() {
	for i, leg := range g.legs {
		for _, l := range leg.Legs {
			l.NoOutcome = l.NoOutcome || leg.Open
			if leg.Record.ID == "" {
				l.Order = len(g.flat)
			}
			g.flat, g.owner = append(g.flat, l), append(g.owner, i)
			g.whole = g.whole || l.Whole
		}
		g.open = g.open || leg.Open
		if leg.Arrived.After(g.arrived) {
			g.arrived = leg.Arrived
		}
		if leg.Read.After(g.read) {
			g.read = leg.Read
		}
	}
	g.call = calls.Of(g.flat)
}

// isHeld says whether a call lacks its end or a leg that it can't do without.
func (d *Decision) isHeld(g *gatheredCall) bool { return g.open || d.settings.Whole && !g.whole }

// expiry is when that no longer holds it.
func (d *Decision) expiry(g *gatheredCall) time.Time {
	at := g.call.Latest
	if at.After(g.arrived) { // the provider's clock is ahead, or the time is a mistake
		at = g.arrived
	}
	return at.Add(d.settings.WholeAfter)
}

// due is when a waiting call counts at the earliest.
func (d *Decision) due(g *gatheredCall) time.Time {
	if g.arrived.After(d.page.ObservedAt.Add(StartAhead)) {
		return time.Time{} // a clock was ahead
	}
	at := g.arrived.Add(d.settings.Settle)
	if expiry := d.expiry(g); d.isHeld(g) && expiry.After(at) {
		at = expiry
	}
	return at
}

// isWhole says whether a call counts now.
func (d *Decision) isWhole(w *waitingLegs, g *gatheredCall) bool {
	if w.forced || len(g.flat) >= MostLegs || d.settings.Settle <= 0 && !d.isHeld(g) {
		return true
	}
	read, due := d.CompleteRead(), d.due(g)
	return read != nil && !due.After(read.Began) && read.covers(g.call.Start, due)
}

// CallOf is the key of the call whose legs a task holds.
func CallOf(key string) (Hash, error) {
	n, err := strconv.ParseUint(key, 16, 64)
	if err != nil {
		return 0, ErrRow
	}
	return Hash(n), nil
}

// CompleteRead is the read that the page ends; nil if it ends none. Calls that started within it and
// were due when it began may be whole then. In a history that is read in the order in which records
// appeared, each page that moves the position ends a read, because everything before it was read.
// The rows of a list by insertion have no order, so only its last page moves the position.
func (d *Decision) CompleteRead() *Read {
	if p := d.page.Position; p != nil && p.Read != nil {
		return p.Read
	}
	if p := d.page.Position; d.settings.ByArrival && p != nil && !p.Misses && len(d.entries) > 0 && !d.isLive() {
		return &Read{Began: d.clock}
	}
	return nil
}

// decideCalls counts the calls that are whole, and keeps the others waiting.
func (d *Decision) decideCalls() {
	for _, key := range d.known.DueCalls {
		d.waitingUnder(key).forced = d.known.Surplus[key]
	}
	for i := 0; i < len(d.legsByKey) && d.err == nil; i++ {
		d.decideCallsOf(d.legsByKey[i])
	}
	d.change.Result.Waiting += d.known.Waiting
	d.change.Result.MoreCalls = len(d.known.DueCalls) == DueAtOnce
}

func (d *Decision) decideCallsOf(w *waitingLegs) {
	result := &d.change.Result
	var stay []waitingLeg
	var due time.Time
	// when the first call began, by which the ledger finds the oldest and those within a read
	var since int64 = math.MaxInt64
	gathered := w.gatherCalls()
	for i := range gathered {
		g := &gathered[i]
		if d.isWhole(w, g) {
			d.countCall(w, g)
			continue
		}
		if !g.call.Start.Before(d.was.Origin) { // an earlier call won't count
			d.logLegs(g)
		}
		if at := d.due(g); due.IsZero() || at.Before(due) {
			due = at
		}
		since = min(since, g.call.Start.UnixMicro())
		for _, leg := range g.legs {
			stay = append(stay, *leg)
		}
	}
	task := callTask(w.key)
	if len(stay) == 0 {
		if w.stored {
			result.Waiting--
			d.change.DoneTasks = append(d.change.DoneTasks,
				work.Item{Kind: task.Kind, Key: task.Key, Version: math.MaxInt64})
		}
		return
	}
	if !w.stored {
		result.Waiting++
	}
	if !w.touched && len(stay) == len(w.legs) {
		return
	}
	data, err := json.Marshal(stay, StoredRecord)
	if d.failed(err) {
		return
	}
	d.change.PutTasks = append(d.change.PutTasks, work.Item{
		Kind: task.Kind, Key: task.Key, Version: since, Due: due, Data: string(data),
	})
}
