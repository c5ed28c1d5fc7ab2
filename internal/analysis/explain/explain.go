package explain

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// Margin is how much a range must be extended on both sides, because a record's start may move by this much
// (counting.md 15).
const Margin = 15 * time.Minute

// Feed explains the series of one feed. It isn't safe for concurrent use.
type Feed struct {
	Selector *Selector
	Spec     ledger.FeedSpec
	// From and To bound the starts of the listed calls. Add may get records of a longer range.
	From, To time.Time

	remembered map[counting.Hash]bool // by the ledger, before the provider was read

	records []*listed
	byID    map[string][]*listed
	facts   []facts.Fact // that add to the metric
	deltas  []metrics.Delta
	result  Result
	timed   map[callTime]bool // the counted times that are in the result
}

// listed is a record that the provider lists.
type listed struct {
	counting.Finding

	record *cdr.Record
}

// Entry is what a record added to the series. Its record isn't redacted.
type Entry struct {
	Source, Feed string
	Record       *cdr.Record
	Amount       cdr.Money
	Because      string
	// Gone says that the provider doesn't list it: its id is the ledger's hash, and its start the hour or second of it.
	Gone bool
}

// Difference is records whose part of the sum isn't as the provider lists them now.
type Difference struct {
	Reason  string
	Records int // 0: it isn't known how many
	// Unproven says that what they added isn't known.
	Unproven bool
}

// Result is what makes the sum of the series of one feed.
type Result struct {
	Entries []Entry
	// Listed is the sum of the entries.
	Listed cdr.Money
	// Counted is the value of the series in the ledger, if the range holds all that was ever counted; nil: it doesn't.
	Counted     *cdr.Money
	Differences []Difference
}

// Proven says whether the sum is known to be what the counter grew by.
func (r *Result) Proven() bool {
	if r.Counted != nil {
		return r.Counted.Equal(&r.Listed)
	}
	return !slices.ContainsFunc(r.Differences, func(d Difference) bool { return d.Unproven })
}

// The differences of one record, by reason.
var (
	cameLater = Difference{"came later: the provider lists them, and the ledger hasn't counted them", 1, false}
	notFinal  = Difference{"aren't final: they count once the provider has finished them and their " +
		"call is whole", 1, false}
	forgotten = Difference{"forgotten: they are older than the ledger remembers", 1, true}
	revised   = Difference{"revised: the provider no longer says what they were when they were counted", 1, true}
	gone      = Difference{"gone: they can't be read again, and the ledger doesn't keep what they added", 1, true}
	folded    = Difference{"folded: past metrics.series_limit series count as overflow", 1, true}
)

// mayBeForgotten is the difference of a range that begins before the time that the ledger remembers.
func mayBeForgotten(state *counting.State) Difference {
	at := func(t time.Time) string { return t.UTC().Format(time.RFC3339) }
	reason := "may be forgotten: the ledger remembers records since " + at(state.Floor) +
		"; begin there, or explain all that was counted, from before " + at(state.Origin) + " up to now"
	return Difference{Reason: reason, Unproven: true}
}

// Differ adds a difference to the one of its reason.
func (r *Result) Differ(d Difference) {
	at := slices.IndexFunc(r.Differences, func(o Difference) bool { return o.Reason == d.Reason })
	if at < 0 {
		r.Differences = append(r.Differences, d)
	} else {
		r.Differences[at].Records += d.Records
	}
}

// Add takes a fact of the provider's records, and keeps a copy of what it needs.
func (e *Feed) Add(f *facts.Fact) {
	if f.Kind == facts.Record {
		l := &listed{record: clone(f.Record)}
		if e.byID == nil {
			e.byID = make(map[string][]*listed)
		}
		id := l.record.ID
		if e.records, e.byID[id] = append(e.records, l), append(e.byID[id], l); strings.HasPrefix(id, madeID) {
			l.record.ID = ""
		}
		return
	}
	isKept := f.Kind == facts.Call && e.Spec.Legs // it may have added to any series of its call
	for range e.added(f) {
		isKept = true
		break
	}
	if isKept {
		c := *f
		c.Record, c.Trunk = clone(f.Record), strings.Clone(f.Trunk)
		c.Charge.Component, c.Charge.Currency = strings.Clone(c.Charge.Component), strings.Clone(c.Charge.Currency)
		e.facts = append(e.facts, c)
	}
}

// added goes through what a fact adds to the series of the metric.
func (e *Feed) added(f *facts.Fact) iter.Seq[*metrics.Delta] {
	return func(yield func(*metrics.Delta) bool) {
		e.deltas = metrics.Count(e.deltas[:0], f)
		for i := range e.deltas {
			if d := &e.deltas[i]; d.Def == e.Selector.Def && !yield(d) {
				return
			}
		}
	}
}

// selected goes through what a fact adds to the selected series. certain says that it does whatever the labels are that
// aren't known.
func (e *Feed) selected(f *facts.Fact, unknown func(label string) bool) iter.Seq2[*metrics.Delta, bool] {
	return func(yield func(d *metrics.Delta, certain bool) bool) {
		for d := range e.added(f) {
			if matches, certain := e.Selector.matches(d.LabelValues(), unknown); matches && !yield(d, certain) {
				return
			}
		}
	}
}

// madeID is what an id of Identify begins with, and no provider's.
const madeID = "\x00"

// Identify gives an id to records without one, before facts are made of them: by it Add finds the legs of a call.
func Identify(records []*cdr.Record) {
	for _, r := range records {
		if r.ID == "" {
			content := fmt.Sprintf("%s\x00%d", r.Synthetic, r.Twin)
			r.ID = fmt.Sprintf("%s%x", madeID, sha256.Sum256([]byte(content)))
		}
	}
}

// clone copies a record with its texts, which may lie in a page that is used again.
func clone(r *cdr.Record) *cdr.Record {
	copied := new(cdr.Record)
	text, err := json.Marshal(r, counting.StoredRecord)
	if err == nil {
		err = json.Unmarshal(text, copied, counting.StoredRecord)
	}
	if err != nil { // a time that can't be written
		*copied = *r
	}
	copied.ID, copied.Synthetic = strings.Clone(r.ID), strings.Clone(r.Synthetic) // JSON has no other bytes than UTF-8
	return copied
}

// pageSize is how many records are looked up at once.
const pageSize = 500

// Prove says what each record added to the series, and whether that is all. Remember was called, then all facts were
// added.
func (e *Feed) Prove(i *ledger.Inspector, now time.Time) (*Result, error) {
	state, there := i.State(e.Spec)
	if !there {
		return nil, errors.New("the ledger doesn't have this feed: explain what an exporter with this " +
			"configuration counts")
	}
	e.result, e.timed = Result{}, make(map[callTime]bool)
	for page := range slices.Chunk(e.records, pageSize) {
		if err := e.lookUp(i, page, now); err != nil {
			return nil, err
		}
	}
	for _, l := range e.records {
		if l.Status == counting.StatusCounted && l.Memory != nil && !l.Memory.Visit {
			for _, f := range l.Memory.Facts(nil, l.record) {
				if isRemembered(&f) {
					e.addFact(&f, l.Memory, false)
				}
			}
		}
	}
	for n := range e.facts {
		e.addListed(&e.facts[n], now)
	}
	e.addLateLegs()
	if err := e.addGone(i); err != nil {
		return nil, err
	}
	if e.From.Before(state.Floor) && state.Origin.Before(state.Floor) && e.To.After(state.Origin) {
		e.result.Differ(mayBeForgotten(&state))
	}
	e.compare(i, &state)
	r := &e.result
	slices.SortStableFunc(r.Entries, func(a, b Entry) int { return a.Record.Start.Compare(b.Record.Start) })
	for n := range r.Entries {
		r.Listed = r.Listed.Add(&r.Entries[n].Amount)
	}
	return r, nil
}

// lookUp asks the ledger what it knows of some records.
func (e *Feed) lookUp(i *ledger.Inspector, page []*listed, now time.Time) error {
	asked := &counting.Page{ObservedAt: now}
	for _, l := range page {
		asked.Records = append(asked.Records, l.record)
		asked.Enqueue = append(asked.Enqueue, work.Item{Kind: work.Record, Key: l.record.ID})
	}
	found, err := i.Preview(e.Spec, asked)
	if err != nil {
		return err
	}
	for n := range page {
		page[n].Finding = found.Records[n]
		if r := page[n].record; r.ID == "" {
			r.ID = hashText(page[n].Key)
		}
	}
	return nil
}

// isRemembered says whether the ledger remembers what a fact of one record was when it was counted.
func isRemembered(f *facts.Fact) bool {
	switch f.Kind {
	case facts.Call, facts.Failure, facts.Talk, facts.Connected, facts.Setup, facts.TrunkTime, facts.Charge,
		facts.Correction,
		facts.OutcomeChange:
		return true
	case facts.Leg:
		return f.Part < 0
	default:
		return false
	}
}

// find finds the listed record with an id. A reused id is of the call that starts nearest (counting.md 38).
func (e *Feed) find(id string, start time.Time) (l *listed) {
	for _, one := range e.byID[id] {
		if l == nil || one.record.Start.Sub(start).Abs() < l.record.Start.Sub(start).Abs() {
			l = one
		}
	}
	return l
}

// addListed adds a fact of what the provider lists, unless the ledger's memory has said it.
func (e *Feed) addListed(f *facts.Fact, now time.Time) {
	l := e.find(f.Record.ID, f.Record.Start)
	for i := 0; l == nil && i < len(f.Record.Legs); i++ { // the first leg of the call is open
		l = e.find(f.Record.Legs[i].ID, f.Record.Legs[i].Start)
	}
	if l == nil {
		d := gone
		if f.Record.Provisional && now.Before(f.Record.Ended().Add(e.Spec.WholeAfter)) {
			d = notFinal
		}
		e.addDifference(f, d)
		return
	}
	f.Record.ID = l.record.ID
	switch {
	case l.Status != counting.StatusCounted:
		if d, is := map[counting.Status]Difference{
			counting.StatusMissing: cameLater, counting.StatusNotFinal: notFinal,
			counting.StatusUnknown: forgotten,
		}[l.Status]; is {
			e.addDifference(f, d)
		}
		return
	case f.Kind == facts.Emergency && l.Memory.Leg && l.Memory.Call == nil && !counting.SaysHowEmergencyEnded(l.record):
		e.addDifference(f, notFinal) // it counts with its call
		return
	case !isRemembered(f):
		if f.Kind == facts.Emergency && l.Memory.Call != nil && l.Memory.Call.Grown {
			e.addDifference(f, revised) // a late leg may be the first one that says that it is an emergency call
		}
		e.addPart(f, l.Memory)
		return
	case !l.Memory.Leg, f.Kind == facts.Charge, f.Kind == facts.Correction, f.Kind == facts.Leg:
		return
	}
	call := l.Memory.Call
	switch {
	case call == nil:
		e.addDifference(f, notFinal)
		return
	case call.Ignored:
		return
	case f.Kind == facts.Connected || f.Kind == facts.TrunkTime:
		e.addTimes(f, call)
		return
	case f.Kind == facts.Call && call.Grown:
		e.addGrown(f.Record, call)
	}
	if e.wereSeveral(f, call) {
		e.addDifference(f, revised)
	}
	e.addFact(asCounted(f, call), new(counting.Memory), false)
}

// addPart adds a part of a counted record, unless it counts once the record has settled, and that hasn't. A version
// that isn't counted yet, or came after it had settled, may have other parts than the counted one.
func (e *Feed) addPart(f *facts.Fact, m *counting.Memory) {
	settles := f.Kind == facts.Stream || f.Kind == facts.Rating ||
		e.Spec.Grows && (f.Kind == facts.Bypass || f.Kind == facts.Visit)
	switch {
	case settles && !m.Settled:
		e.addDifference(f, notFinal)
		return
	case m.Newer, settles && m.Later:
		e.addDifference(f, revised)
	}
	e.addFact(f, m, true)
}

// addDifference notes a fact that would be in the sum.
func (e *Feed) addDifference(f *facts.Fact, d Difference) {
	if !e.isWithin(f.Record) {
		return
	}
	for range e.selected(f, isLate) {
		e.result.Differ(d)
	}
}

func isLate(label string) bool { return label == "late" }

func (e *Feed) isWithin(r *cdr.Record) bool { return !r.Start.Before(e.From) && r.Start.Before(e.To) }

// addFact adds what a fact of a counted record added to the series. fromListed says that only the listed version says
// what it is.
func (e *Feed) addFact(f *facts.Fact, m *counting.Memory, fromListed bool) {
	if !e.isWithin(f.Record) {
		return
	}
	for d, certain := range e.selected(f, func(label string) bool { return isChanged(m, label, fromListed) }) {
		if !certain || isChanged(m, measured[d.Def], fromListed) {
			e.result.Differ(revised)
		}
		if now, _ := e.Selector.matches(d.LabelValues(), func(string) bool { return false }); now {
			e.addEntry(d, Entry{Record: f.Record, Because: e.Selector.because(d, f)})
		}
	}
}

// addEntry adds an entry with the amount of a delta.
func (e *Feed) addEntry(d *metrics.Delta, entry Entry) {
	v := metrics.NewValue(d.Def)
	v.Add(d.Def, d.N, &d.Money)
	if entry.Amount = e.Selector.amount(&v); entry.Amount.Sign() == 0 && e.Selector.part == "_bucket" {
		return
	}
	entry.Source, entry.Feed = e.Spec.Source, e.Spec.Feed
	e.result.Entries = append(e.result.Entries, entry)
}

// lengths are the fields that times are taken from.
var lengths = []string{"cdr.duration", "cdr.answer_time", "cdr.end_time", "cdr.invite_time"}

// changing are the fields whose change makes the first value of a label, or what is measured, unknown. Other labels are
// remembered, or follow from what doesn't change.
var changing = map[string][]string{
	"trunk": {"cdr.trunk", "cdr.second_trunk"}, "sip_code": {"cdr.sip_code"}, "sub_code": {"cdr.sub_code"},
	"reason":         {"cdr.sip_code", "cdr.sub_code", "cdr.reason_phrase"},
	"fault_domain":   {"cdr.sip_code", "cdr.sub_code", "cdr.reason_phrase"},
	"media_bypass":   {"cdr.media_bypass"},
	"media_location": {"cdr.media_location"}, "signaling_location": {"cdr.signaling_location"},
	"number_class": {"cdr.caller.number", "cdr.callee.number"},
	"duration":     lengths, "answer": lengths,
}

// isChanged says whether the value of a label, or what is measured, may have been another one when the record was
// counted.
func isChanged(m *counting.Memory, label string, fromListed bool) bool {
	has := func(field string) bool { return slices.Contains(m.Changed, field) }
	isOther := len(m.Outcomes) > 1
	switch label {
	case "reason", "fault_domain", "sip_code", "sub_code":
		return isOther || slices.ContainsFunc(changing[label], has)
	case "outcome":
		return fromListed && isOther
	case "direction":
		return fromListed && has("cdr.direction")
	case "duration":
		if m.Connected.Known {
			return false
		}
	}
	return slices.ContainsFunc(changing[label], has)
}

// MayAdd says whether records of the feed may have added to the selected series: the ledger has one of them, or the
// series into which they are folded, or doesn't have the feed.
func (e *Feed) MayAdd(i *ledger.Inspector) (may bool) {
	if _, there := i.State(e.Spec); !there {
		return true
	}
	i.Series(e.Spec, e.Selector.Def, func(own []string, _ *metrics.Value) {
		matches, _ := e.Selector.matches(own, func(string) bool { return false })
		may = may || matches || slices.Contains(own, metrics.OverflowValue)
	})
	return may
}

// compare notes the value of the series if the range holds all that was ever counted.
func (e *Feed) compare(i *ledger.Inspector, state *counting.State) {
	var sum cdr.Money
	i.Series(e.Spec, e.Selector.Def, func(own []string, v *metrics.Value) {
		if slices.Contains(own, metrics.OverflowValue) {
			e.result.Differ(folded)
		}
		if matches, _ := e.Selector.matches(own, func(string) bool { return false }); matches {
			amount := e.Selector.amount(v)
			sum = sum.Add(&amount)
		}
	})
	if !e.From.After(state.Origin) && e.To.After(state.NewestCall) {
		e.result.Counted = &sum
	}
}
