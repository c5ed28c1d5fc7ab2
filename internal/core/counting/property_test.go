package counting_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/long"
)

var now = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// world is a set of records in all their versions, and what must be counted of it in the end.
type world struct {
	settings counting.Settings
	records  [][]*cdr.Record // the versions of each, the last one the greatest
	calls    map[string]int64
	failures int64 // -1: they depend on the order
	charges  cdr.Money
	sessions int
	// connected is how long calls were connected, recent how many began in the last 25 hours and
	// failedRecent those that failed; -1: not said.
	connected            time.Duration
	recent, failedRecent int64
	// ordered says that the records are read in their order, since the order matters.
	ordered bool
	// rowHashes stand for the rows of the records; leftOut is how many rows were left out.
	rowHashes map[*cdr.Record]uint64
	leftOut   int
}

const (
	recordsOf = 50
	versions  = 4
)

// counting.md 14 to 18, 20 to 25, 37: the totals depend only on the set of records. It doesn't matter
// how the set is split into pages, repeated, ordered or interrupted between two commits, or whether
// rows are left out that would change nothing.
func TestTotalsAreThoseOfTheSetOfRecords(t *testing.T) {
	leftOut := map[string]int{}
	for name, worldOf := range map[string]func(rng *rand.Rand) *world{
		"plain": plainWorld, "revised": revisedWorld, "starts that move": movingWorld,
		"without ids": namelessWorld,
	} {
		for seed := range long.Seeds(10) {
			t.Run(fmt.Sprintf("%s, seed %d", name, seed), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(seed, 7))
				w := worldOf(rng)
				s := newStore(t, w.settings,
					counting.State{Origin: now.Add(-30 * 24 * time.Hour), Floor: now.Add(-30 * 24 * time.Hour)})
				w.deliver(rng, s)
				w.deliverAgain(s)
				leftOut[name] += w.leftOut
				w.check(t, s)
			})
		}
	}
	for _, name := range []string{"plain", "revised"} {
		if leftOut[name] == 0 {
			t.Errorf("%s: no row was left out, so it isn't known what that changes", name)
		}
	}
}

// deliver commits all records at least once.
func (w *world) deliver(rng *rand.Rand, s *store) {
	var all []*cdr.Record
	w.rowHashes = map[*cdr.Record]uint64{}
	for _, of := range w.records {
		all = append(all, of...)
		for _, r := range of {
			w.rowHashes[r] = uint64(len(w.rowHashes) + 1)
		}
	}
	if !w.ordered {
		rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	}
	for at := 0; at < len(all); {
		n := min(1+rng.IntN(20), len(all)-at)
		records := slices.Clone(all[at : at+n])
		for range rng.IntN(8) { // repeats of what was read, on this page or before
			records = append(records, all[rng.IntN(at+n)])
		}
		if !w.ordered {
			rng.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
		}
		page := &counting.Page{ObservedAt: now, Records: records}
		for rng.IntN(3) == 0 {
			s.decide(page) // a transaction that is tried again, or a crash before its COMMIT
		}
		if rng.IntN(4) == 0 { // a crash after it: the page is read again
			s.commit(page)
		}
		if rng.IntN(8) == 0 { // another process goes on
			s.decision = counting.NewDecision()
			clear(s.lastRows)
		}
		if rng.IntN(2) == 0 {
			page = w.leaveOut(s, page)
		}
		s.commit(page)
		at += n
	}
}

// leaveOut is a page with the hashes of its rows, without the rows that would change nothing (counting.md 37).
func (w *world) leaveOut(s *store, page *counting.Page) *counting.Page {
	left := *page
	left.Records, left.RowHashes = nil, nil
	decoded := map[counting.Hash]bool{}
	for _, r := range page.Records {
		record, rowHash := s.hasher.RecordHash(r.ID), w.rowHashes[r]
		if r.ID != "" && s.lastRows[record] == rowHash && !decoded[record] {
			left.Unchanged++
			w.leftOut++
			continue
		}
		decoded[record] = true
		left.Records, left.RowHashes = append(left.Records, r), append(left.RowHashes, rowHash)
	}
	return &left
}

// deliverAgain commits the last version of each record a day later, as the read plan does: what a
// call cost is waited for no longer.
func (w *world) deliverAgain(s *store) {
	page := &counting.Page{ObservedAt: now.Add(24 * time.Hour)}
	for _, versions := range w.records {
		page.Records = append(page.Records, versions[len(versions)-1])
	}
	s.commit(page)
	s.commit(page)
}

func (w *world) check(t *testing.T, s *store) {
	t.Helper()
	calls := int64(0)
	for _, n := range w.calls {
		calls += n
	}
	if got := s.count("cdr_calls_total"); got != calls || s.state.Calls != uint64(calls) {
		t.Errorf("%d calls, %d records, want %d", got, s.state.Calls, calls)
	}
	if traced := slices.Compact(slices.Sorted(slices.Values(s.spans))); len(s.spans) != int(calls) ||
		len(traced) != int(calls) {
		t.Errorf("%d spans of %d records, want one of each of %d calls", len(s.spans), len(traced), calls)
	}
	if got := s.outcomes(); !maps.Equal(got, w.calls) {
		t.Errorf("outcomes %v, want %v", got, w.calls)
	}
	if got := s.count("cdr_call_failures_total"); w.failures >= 0 && got != w.failures {
		t.Errorf("%d failures, want %d", got, w.failures)
	}
	charges, credit, debit := s.sum("cdr_call_charges_total", ""), s.sum("cdr_call_charge_corrections_total", "credit"),
		s.sum("cdr_call_charge_corrections_total", "debit")
	net := charges.Add(&debit)
	if net = net.Sub(&credit); net.String() != w.charges.String() {
		t.Errorf("charges %s + %s - %s, want %s", &charges, &debit, &credit, &w.charges)
	}
	if got := s.count("cdr_sessions_total"); got != int64(w.sessions) {
		t.Errorf("%d sessions, want %d", got, w.sessions)
	}
	if w.connected >= 0 && s.connected != w.connected {
		t.Errorf("connected for %s, want %s", s.connected, w.connected)
	}
	if w.recent >= 0 && (s.recent != w.recent || s.failed != w.failedRecent) {
		t.Errorf("%d recent calls, %d failed, want %d, %d", s.recent, s.failed, w.recent, w.failedRecent)
	}
	for trunk, n := range s.edges {
		if n != 0 {
			t.Errorf("%d more calls began than ended on trunk %d", n, trunk)
		}
	}
	first := map[string]int{}
	for _, l := range s.logs {
		first[l]++
	}
	for i := range w.records {
		if n := first[fmt.Sprint("cdr.call ", i)]; n != 1 {
			t.Errorf("record %d has %d log records as new", i, n)
		}
	}
}

// newRecord is the i-th record, which starts within the last 70 hours: connected calls are kept for 72.
func newRecord(rng *rand.Rand, i int) *cdr.Record {
	outcomes := []cdr.Outcome{cdr.Answered, cdr.Busy, cdr.Failed, cdr.Voicemail}
	r := &cdr.Record{
		ID: fmt.Sprint("id", i), CallID: fmt.Sprint(i), Start: now.Add(-time.Duration(rng.IntN(70*3600)) * time.Second),
		Duration:  time.Duration(rng.IntN(600)) * time.Second,
		Direction: cdr.Inbound, CallType: "byot_in", Trunk: fmt.Sprint("sbc", rng.IntN(3)),
		Outcome: outcomes[rng.IntN(len(outcomes))],
	}
	if rng.IntN(3) > 0 {
		r.Charges = []cdr.Charge{{Component: "usage", Currency: "USD", Amount: cents(int64(1 + rng.IntN(500)))}}
	}
	return r
}

func cents(n int64) cdr.Money {
	m, err := cdr.ParseMoney(fmt.Sprintf("%d.%02d", n/100, n%100))
	if err != nil {
		panic(err)
	}
	return m
}

// add takes the versions of a record into the world: the last one counts.
func (w *world) add(versions ...*cdr.Record) {
	w.records = append(w.records, versions)
	last := versions[len(versions)-1]
	for _, c := range last.Charges {
		w.charges = w.charges.Add(&c.Amount)
	}
}

func newWorld(rules counting.Rules) *world {
	return &world{
		settings: counting.Settings{
			Rules: rules, Source: "s", Provider: "p", Feed: "f", History: 30 * 24 * time.Hour,
			Lookback: 4 * 24 * time.Hour, LateAfter: 4 * 24 * time.Hour, Traces: true, TracesHistory: true,
		},
		calls: map[string]int64{}, connected: -1, recent: -1,
	}
}

// plainWorld has records that don't change. Some come in other forms too, which name them by other
// ids and have another start (counting.md 15, 18).
func plainWorld(rng *rand.Rand) *world {
	w := newWorld(counting.Rules{ChargesLater: true})
	w.ordered, w.connected, w.recent = true, 0, 0
	for i := range recordsOf {
		r := newRecord(rng, i)
		all := []*cdr.Record{r}
		if rng.IntN(2) == 0 {
			r.AltIDs = []string{"x" + r.ID}
			second, third := *r, *r
			second.ID, second.AltIDs = r.AltIDs[0], []string{"y" + r.ID}
			third.ID, third.AltIDs = second.AltIDs[0], nil
			second.Start = r.Start.Add(time.Duration(rng.IntN(28)-14) * time.Minute)
			all = append(all, &second, &third)
		}
		w.add(all...)
		w.calls[r.Outcome.String()]++
		if r.Outcome.Connected() {
			w.connected += r.Duration
		}
		if !r.Start.Before(now.Add(-25 * time.Hour)) {
			w.recent++
			if r.Outcome == cdr.Failed {
				w.failedRecent++
			}
		}
		if !r.Outcome.Connected() {
			w.failures++
		}
	}
	return w
}

// revisedWorld has records with versions of the provider's: the greatest one says the outcome and the charges.
func revisedWorld(rng *rand.Rand) *world {
	w := newWorld(counting.Rules{ChargesLater: true})
	w.failures, w.connected = -1, 0
	for i := range recordsOf {
		first := newRecord(rng, i)
		first.Version = 1
		all := []*cdr.Record{first}
		for v := range rng.IntN(versions) {
			next := newRecord(rng, i)
			next.Version, next.Start, next.Charges = int64(v+2), first.Start, nil
			if rng.IntN(4) == 0 {
				next.Duration = 0
			}
			if len(first.Charges) > 0 { // an amount that is known once stays known
				next.Charges = []cdr.Charge{{
					Component: "usage", Currency: "USD",
					Amount: cents(int64(1 + rng.IntN(500))),
				}}
			}
			all = append(all, next)
		}
		w.add(all...)
		last := all[len(all)-1]
		w.calls[last.Outcome.String()]++
		if last.Outcome.Connected() {
			w.connected += last.Duration
		}
	}
	return w
}

// movingWorld has records whose start moves with each version, and sessions that come with any.
func movingWorld(rng *rand.Rand) *world {
	w := newWorld(counting.Rules{Grows: true})
	w.failures = -1
	for i := range recordsOf {
		var all []*cdr.Record
		start, known := now.Add(-time.Duration(24+rng.IntN(24))*time.Hour), map[string]bool{}
		for v := range 1 + rng.IntN(versions) {
			r := newRecord(rng, i)
			r.Version, r.Charges = int64(v+1), nil
			r.Start = start.Add(-time.Duration(rng.IntN(30*3600)) * time.Second)
			for range rng.IntN(4) {
				id := fmt.Sprint("session", rng.IntN(6))
				if !slices.ContainsFunc(r.Sessions, func(s cdr.Session) bool { return s.ID == id }) {
					r.Sessions, known[id] = append(r.Sessions, cdr.Session{ID: id}), true
				}
			}
			all = append(all, r)
		}
		all[len(all)-1].Settled = true
		w.add(all...)
		w.sessions += len(known)
		w.calls[all[len(all)-1].Outcome.String()]++
	}
	return w
}

// namelessWorld has records without ids, of which some say the same: as many count as were on one page.
func namelessWorld(rng *rand.Rand) *world {
	w := newWorld(counting.Rules{})
	w.ordered = true
	for i := range recordsOf {
		r := newRecord(rng, i)
		r.ID, r.Synthetic = "", fmt.Sprint("says ", i/3)
		r.Twin = i % 3
		r.Start = now.Add(-time.Duration(i/3) * time.Hour)
		w.add(r)
		w.calls[r.Outcome.String()]++
		if !r.Outcome.Connected() {
			w.failures++
		}
	}
	return w
}
