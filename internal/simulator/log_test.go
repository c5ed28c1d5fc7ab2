package simulator

import (
	"slices"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// logMix is a log with everything that only some providers have: lists, legs, second rows, rows
// that aren't calls or are never final.
func logMix() *Mix {
	m := testMix()
	other := Kind{
		Weight: 1, Wire: "Out", CallType: "out", Direction: cdr.Outbound, Outcome: cdr.Answered, Priced: true,
		OwnCall: true,
	}
	view := Kind{
		Weight: 1, Wire: "In", CallType: "in", Direction: cdr.Inbound, Outcome: cdr.Answered, Free: true,
		View: true,
	}
	legs := []Leg{{Wire: "A", Type: "a", Outcome: cdr.Answered}, {Wire: "B", Type: "b", Outcome: cdr.NoAnswer}}
	missed := Kind{Weight: 1, Wire: "In", CallType: "in", Direction: cdr.Inbound, Outcome: cdr.NoAnswer}
	m.Kinds = append(m.Kinds,
		Kind{
			Weight: 4, Wire: "Out", CallType: "out", Direction: cdr.Outbound, Outcome: cdr.Answered, Priced: true,
			Second: &other,
		},
		Kind{
			Weight: 4, Wire: "In", CallType: "in", Direction: cdr.Inbound, Outcome: cdr.Answered, Free: true,
			Second: &view,
		},
		Kind{
			Weight: 4, Wire: "In", CallType: "in", Direction: cdr.Inbound, Outcome: cdr.Answered, Legs: legs,
			Plain: &missed,
		},
		Kind{Weight: 2, Wire: "Fax", CallType: "fax", Outcome: cdr.Answered, Ignored: true},
		Kind{Weight: 2, Wire: "Odd", CallType: "endless", Unfinished: true},
	)
	m.Recordings = []Recording{{Weight: 1, Wire: "Automatic", Type: "automatic"}}
	m.Milliseconds = true
	return m
}

// logged is a world of a log in which all that can happen happens.
func logged(n int) Settings {
	s := spoilt(n, newestFirst)
	s.Mix, s.NoID = logMix(), 0
	s.InProgress, s.Unsaid, s.Recorded, s.RecordedLate = 0.3, 0.2, 0.5, 0.5
	return s
}

// eachCall is every call of a world, copied.
func eachCall(w *World) []Call {
	var all []Call
	w.Each(time.Time{}, time.Time{}, func(c *Call) bool {
		all = append(all, *c)
		return true
	})
	return all
}

func TestVersionsOfALogAreInOrder(t *testing.T) {
	s := logged(5000)
	progressing, unsaid, late := 0, 0, 0
	for _, c := range eachCall(newTestWorld(t, s)) {
		versions := c.Versions()
		for i := range versions {
			v := &versions[i]
			switch {
			case i > 0 && v.Published.Before(versions[i-1].Published):
				t.Fatalf("version %d comes before the one that it follows", i)
			case v.State == InProgress &&
				(i > 0 || !v.Published.After(c.Start) || !v.Published.Before(c.End(c.final()))):
				t.Fatal("a call in progress is listed when it isn't")
			case v.State != InProgress && v.Published.Before(c.End(v)):
				t.Fatal("a call is listed as ended when it goes on")
			case i > 0 && v.State != Final && !v.Kind.Unfinished:
				t.Fatal("a final row became unfinished")
			case i > 0 && versions[i-1].Recorded && !v.Recorded:
				t.Fatal("a recording went away")
			case v.Published.Sub(c.Start) > max(s.MaxLate, c.final().Duration):
				t.Fatalf("published %s after the start", v.Published.Sub(c.Start))
			}
			progressing += len(slices.DeleteFunc([]State{v.State}, func(s State) bool { return s != InProgress }))
			unsaid += len(slices.DeleteFunc([]State{v.State}, func(s State) bool { return s != NoResult }))
		}
		if c.Recording != nil && !versions[0].Recorded && versions[0].State == Final {
			late++
		}
	}
	if progressing < 100 || unsaid < 100 || late < 100 {
		t.Errorf("%d in progress, %d without a result, %d recorded late", progressing, unsaid, late)
	}
}

func TestSecondRows(t *testing.T) {
	all := eachCall(newTestWorld(t, logged(5000)))
	ids := map[UUID]bool{}
	views, others, alone := 0, 0, 0
	for i := range all {
		c := &all[i]
		ids[c.ID] = true
		if !c.Second {
			if c.Versions()[0].Kind.Second != nil && (i+1 == len(all) || !all[i+1].Second) {
				alone++
			}
			continue
		}
		first := &all[i-1]
		kind := c.Versions()[0].Kind
		switch {
		case first.Versions()[0].Kind.Second != kind || !c.Start.Equal(first.Start) ||
			len(c.Versions()) != len(first.Versions()):
			t.Fatalf("row %d isn't the second of the one before", i)
		case c.Versions()[0].Published.Before(first.Versions()[0].Published):
			t.Fatal("the second row came first")
		case first.Flaw != NoFlaw || c.Flaw != NoFlaw:
			t.Fatal("a row of two is spoilt")
		case kind.View && c.CallID == first.CallID && c.RecordingPlace() == first.RecordingPlace():
			views++
		case kind.OwnCall && c.Partner == first.CallID && c.CallID == first.Partner && c.CallID != first.CallID &&
			c.Recording == nil:
			others++
		default:
			t.Fatalf("row %d doesn't belong to the one before", i)
		}
	}
	if len(ids) != len(all) {
		t.Errorf("%d ids of %d rows", len(ids), len(all))
	}
	// Rows of even places alone can have a second.
	if views < 50 || others < 50 || alone < 50 {
		t.Errorf("%d views, %d other sessions, %d alone", views, others, alone)
	}
}

// TestUnlisted: pages have all rows but those that lists leave out.
func TestUnlisted(t *testing.T) {
	for _, order := range []bool{byStart, newestFirst} {
		s := logged(3000)
		s.NewestFirst = order
		w := newTestWorld(t, s)
		q := Query{From: begin, To: begin.Add(30 * time.Hour), At: begin.Add(99 * time.Hour), Limit: 77}
		all, _, _ := read(w, q)
		for i := range s.Mix.Kinds {
			s.Mix.Kinds[i].Unlisted = s.Mix.Kinds[i].Ignored
		}
		listed, _, _ := read(newTestWorld(t, s), q)
		unlisted := 0
		for _, c := range eachCall(w) {
			if c.Versions()[0].Kind.Ignored {
				unlisted++
			}
		}
		if unlisted == 0 || len(listed) != len(all)-unlisted {
			t.Errorf("newest first %t: %d rows are listed of %d, %d are to be left out", order, len(listed), len(all),
				unlisted)
		}
	}
}

func sumOf[K comparable](m map[K]int) (n int) {
	for _, v := range m {
		n += v
	}
	return n
}

func TestNewestComeFirst(t *testing.T) {
	w := newTestWorld(t, logged(3000))
	last := begin.Add(99 * time.Hour)
	w.Page(Query{From: begin, To: last, At: last, Limit: 9999}, func(c *Call, _ *Version) {
		if c.Start.After(last) {
			t.Fatal("a row is newer than the one before")
		}
		last = c.Start
	})
}

func TestCallsByPlace(t *testing.T) {
	w := newTestWorld(t, logged(2000))
	for _, c := range eachCall(w) {
		var again Call
		if !w.Call(c.Place(), &again) || again != c {
			t.Fatal("the call at its place is another")
		}
	}
	for _, place := range []uint64{1 << 40, 60_000} {
		if w.Call(place, new(Call)) {
			t.Errorf("there is a call at %d", place)
		}
	}
}

// TestTotalsOfALog: what isn't final waits, unless it has waited for long enough.
func TestTotalsOfALog(t *testing.T) {
	w := newTestWorld(t, logged(5000))
	early, late := w.Totals(Once(begin.Add(20*time.Hour))), w.Totals(Once(begin.Add(200*time.Hour)))
	const endless = "unknown|endless|unknown|a" // never final
	if early.Metrics["cdr_calls_total"][endless] != 0 || late.Metrics["cdr_calls_total"][endless] == 0 {
		t.Errorf("%d rows that aren't final were counted early, later %d", early.Metrics["cdr_calls_total"][endless],
			late.Metrics["cdr_calls_total"][endless])
	}
	if n := total(late, "cdr_calls_total"); n != late.Sessions || late.Sessions >= late.Records ||
		len(late.Ignored) != 1 {
		t.Errorf("%d calls, %d sessions, %d records, ignored %v", n, late.Sessions, late.Records, late.Ignored)
	}
	const recordings = "cdr_recordings_total"
	legs := late.Metrics["cdr_call_legs_total"]
	if legs["a|answered"] == 0 || legs["a|answered"] != legs["b|no_answer"] ||
		total(late, recordings) <= total(early, recordings) {
		t.Errorf("legs %v, %d recordings", legs, total(late, recordings))
	}
	simple := w.Totals(View{At: []time.Time{begin.Add(200 * time.Hour)}, Simple: true})
	if simple.Metrics["cdr_call_legs_total"]["a|answered"]+int64(len(simple.Metrics["cdr_call_charges_total"])) != 0 ||
		total(simple, "cdr_call_legs_total") != simple.Records ||
		simple.Metrics["cdr_calls_total"]["inbound|in|no_answer|a"] == 0 || simple.Records != late.Records {
		t.Error("a reader of the simple view was told too much")
	}
}
