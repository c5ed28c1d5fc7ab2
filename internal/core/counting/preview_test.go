package counting_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

func priced(id string, start time.Time, charges ...string) *cdr.Record {
	r := &cdr.Record{ID: id, Start: start, Outcome: cdr.Answered}
	for i := 0; i < len(charges); i += 2 {
		amount, err := cdr.ParseMoney(charges[i])
		if err != nil {
			panic(err)
		}
		r.Charges = append(r.Charges, cdr.Charge{
			Component: string('a' + rune(i)), Amount: amount,
			Currency: charges[i+1],
		})
	}
	return r
}

// TestPreview: the state of a listed record, and whether its amounts equal the counted ones.
func TestPreview(t *testing.T) {
	floor := now.Add(-10 * time.Hour)
	at := func(d time.Duration) time.Time { return now.Add(-d) }
	twin := func(n int) *cdr.Record { return &cdr.Record{Synthetic: "twin", Twin: n, Start: at(time.Hour)} }
	further := priced("further", at(time.Hour), "1", "EUR")
	further.CallKey = "group"
	first := priced("first", at(time.Hour))
	first.CallKey = "group"
	version := func(n int64, amount string) *cdr.Record {
		r := priced("versions", at(time.Hour), amount, "EUR")
		r.Version = n
		return r
	}
	old := priced("old", at(9*time.Hour+30*time.Minute), "0.1", "")
	provisional := func(id string, d time.Duration) *cdr.Record {
		r := priced(id, at(d), "9", "EUR")
		r.Provisional = true
		return r
	}
	alias := &cdr.Record{ID: "another", AltIDs: []string{"old"}, Start: old.Start}

	for name, tc := range map[string]struct {
		listed *cdr.Record
		want   counting.Status
		differ bool
	}{
		"counted": {
			listed: priced("old", old.Start, "0.10", ""),
			want:   counting.StatusCounted,
		},
		"counted, its start moved over an hour": {
			listed: priced("old", old.Start.Add(-14*time.Minute), "0.1", "EUR"),
			want:   counting.StatusCounted,
		},
		"counted under another id": {listed: alias, want: counting.StatusCounted, differ: true},
		"another amount": {
			listed: priced("old", old.Start, "0.2", ""),
			want:   counting.StatusCounted, differ: true,
		},
		"another currency": {
			listed: priced("old", old.Start, "0.1", "USD"),
			want:   counting.StatusCounted, differ: true,
		},
		"a further amount": {
			listed: priced("old", old.Start, "0.1", "", "1", "EUR"),
			want:   counting.StatusCounted, differ: true,
		},
		"a further amount of zero": {
			listed: priced("old", old.Start, "0.1", "", "0", "EUR"),
			want:   counting.StatusCounted,
		},
		"a version that isn't final": {
			listed: provisional("old", 9*time.Hour),
			want:   counting.StatusCounted,
		},
		"an older version":            {listed: version(1, "7"), want: counting.StatusCounted},
		"the version that is counted": {listed: version(2, "3"), want: counting.StatusCounted},
		"a newer version": {
			listed: version(3, "4"), want: counting.StatusCounted,
			differ: true,
		},
		"a further record of a group": {listed: further, want: counting.StatusCounted},
		"a twin":                      {listed: twin(1), want: counting.StatusCounted},
		"one twin more":               {listed: twin(2), want: counting.StatusMissing},
		"not final": {
			listed: provisional("running", time.Hour),
			want:   counting.StatusNotFinal, differ: true,
		},
		"never finished": {
			listed: provisional("stuck", 9*time.Hour+20*time.Minute),
			want:   counting.StatusMissing, differ: true,
		},
		"waits to be fetched": {
			listed: priced("waits", at(time.Hour)),
			want:   counting.StatusNotFinal,
		},
		"set aside": {
			listed: priced("aside", at(time.Hour)),
			want:   counting.StatusMissing,
		},
		"older than is remembered": {
			listed: priced("x", floor.Add(-time.Second)),
			want:   counting.StatusUnknown,
		},
		"before the origin": {
			listed: priced("x", at(21*time.Hour)),
			want:   counting.StatusBeforeOrigin,
		},
		"missing": {
			listed: priced("x", floor, "1", "EUR"),
			want:   counting.StatusMissing, differ: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			settings := counting.Settings{Source: "s", Feed: "f", Currency: "EUR", Lookback: 9*time.Hour +
				10*time.Minute}
			s := newStore(t, settings, counting.State{
				Origin: now.Add(-20 * time.Hour), Floor: floor,
				HistoryDone: true,
			})
			s.commit(&counting.Page{
				ObservedAt: now,
				Records:    []*cdr.Record{old, first, further, twin(0), twin(1), version(2, "3")}, Enqueue: []work.Item{
					{Kind: work.Record, Key: "waits"}, {Kind: work.Record, Key: "aside", SetAside: true},
				},
			})
			keep := s.state
			page := &counting.Page{
				ObservedAt: now, Records: []*cdr.Record{tc.listed},
				Invalid: []counting.BadRow{{Content: []byte("bad")}},
				Enqueue: []work.Item{{Kind: work.Record, Key: tc.listed.ID}},
			}
			found, err := s.decision.Preview(s.known(s.decision.Keys(page, &s.settings, &s.hasher)))
			if err != nil {
				t.Fatal(err)
			}
			one := found.Records[0]
			if one.Status != tc.want || one.SameAmounts() == tc.differ || len(found.Invalid) != 1 ||
				len(found.Ignored) != 0 {
				t.Errorf("%+v", one)
			}
			if (one.Event.RecordID != "") != (tc.want == counting.StatusMissing) {
				t.Errorf("it is named %q", one.Event.RecordID)
			}
			if !reflect.DeepEqual(s.state, keep) {
				t.Error("a preview changed something")
			}
			if counts := s.commit(page).New == 1; tc.want != counting.StatusNotFinal &&
				counts != (tc.want == counting.StatusMissing) {
				t.Errorf("a commit counts it: %t", counts)
			}
		})
	}
}

// An audit compares rows with legs. A leg that waits for its call, or came late, is counted; a leg
// that goes on isn't final. A leg that is kept only for a call that goes on after the origin is from
// before the origin.
func TestAuditOfLegs(t *testing.T) {
	leg := func(id, key string, ago time.Duration) *cdr.Record {
		r := priced(id, now.Add(-ago), "1", "EUR")
		r.CallKey = key
		return r
	}
	open := leg("open", "waits", time.Hour)
	open.Provisional = true
	before, late := leg("before", "goes on", 21*time.Hour), leg("late", "counted", time.Hour)
	for name, tc := range map[string]struct {
		listed *cdr.Record
		want   counting.Status
	}{
		"waits":                   {leg("waits", "waits", time.Hour), counting.StatusCounted},
		"goes on":                 {open, counting.StatusNotFinal},
		"its call is counted":     {leg("counted", "counted", time.Hour), counting.StatusCounted},
		"came late":               {late, counting.StatusCounted},
		"before the origin":       {before, counting.StatusBeforeOrigin},
		"after it":                {leg("after", "goes on", 19*time.Hour), counting.StatusCounted},
		"a leg that nobody knows": {leg("x", "waits", time.Hour), counting.StatusMissing},
	} {
		t.Run(name, func(t *testing.T) {
			settings := counting.Settings{
				Source: "s", Feed: "f", Lookback: 48 * time.Hour, Rules: counting.Rules{Legs: true}, Settle: settle,
				WholeAfter: 4 * time.Hour, Lead: 4 * time.Hour,
			}
			origin := now.Add(-20 * time.Hour)
			s := newStore(t, settings, counting.State{
				Origin: origin, Floor: origin.Add(-settings.Lead), Watermark: now,
				HistoryDone: true,
			})
			s.commit(&counting.Page{
				ObservedAt: now,
				Records: []*cdr.Record{
					leg("counted", "counted", time.Hour), before,
					leg("after", "goes on", 19*time.Hour),
				},
			})
			at := now.Add(settle)
			s.commit(&counting.Page{ObservedAt: at, Position: &counting.Position{Read: &counting.Read{Began: at}}})
			s.commit(&counting.Page{ObservedAt: at, Records: []*cdr.Record{
				late, leg("waits", "waits", time.Hour),
				open,
			}})
			found, err := s.decision.Preview(s.known(s.decision.Keys(&counting.Page{
				ObservedAt: at,
				Records:    []*cdr.Record{tc.listed},
			}, &s.settings, &s.hasher)))
			if err != nil {
				t.Fatal(err)
			}
			if one := found.Records[0]; one.Status != tc.want || tc.want == counting.StatusCounted &&
				!one.SameAmounts() {
				t.Errorf("%+v", one)
			}
		})
	}
}
