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
	const (
		counted, missing, notFinal = counting.StatusCounted, counting.StatusMissing, counting.StatusNotFinal
		same, differs              = false, true
	)
	floor := now.Add(-10 * time.Hour)
	hours := func(n float64) time.Time { return now.Add(-time.Duration(n * float64(time.Hour))) }
	twin := func(n int) *cdr.Record { return &cdr.Record{Synthetic: "twin", Twin: n, Start: hours(1)} }
	first := changed(priced("first", hours(1)), inGroup("group"))
	further := changed(priced("further", hours(1), "1", "EUR"), inGroup("group"))
	v := func(n int64, amount string) *cdr.Record {
		return changed(priced("versions", hours(1), amount, "EUR"), version(n))
	}
	old := func(charges ...string) *cdr.Record { return priced("old", hours(9.5), charges...) }
	moved := priced("old", hours(9.5).Add(-14*time.Minute), "0.1", "EUR")
	running := func(id string, at time.Time) *cdr.Record { return changed(priced(id, at, "9", "EUR"), provisional) }
	alias := &cdr.Record{ID: "another", AltIDs: []string{"old"}, Start: hours(9.5)}
	for name, tc := range map[string]struct {
		listed *cdr.Record
		want   counting.Status
		differ bool
	}{
		"counted":                             {old("0.10", ""), counted, same},
		"counted, its start moved by an hour": {moved, counted, same},
		"counted under another id":            {alias, counted, differs},
		"another amount":                      {old("0.2", ""), counted, differs},
		"another currency":                    {old("0.1", "USD"), counted, differs},
		"a further amount":                    {old("0.1", "", "1", "EUR"), counted, differs},
		"a further amount of zero":            {old("0.1", "", "0", "EUR"), counted, same},
		"a version that isn't final":          {running("old", hours(9)), counted, same},
		"an older version":                    {v(1, "7"), counted, same},
		"the version that is counted":         {v(2, "3"), counted, same},
		"a newer version":                     {v(3, "4"), counted, differs},
		"a further record of a group":         {further, counted, same},
		"a twin":                              {twin(1), counted, same},
		"one twin more":                       {twin(2), missing, same},
		"not final":                           {running("running", hours(1)), notFinal, differs},
		"never finished":                      {running("stuck", hours(9.34)), missing, differs},
		"waits to be fetched":                 {priced("waits", hours(1)), notFinal, same},
		"set aside":                           {priced("aside", hours(1)), missing, same},
		"older than is remembered":            {priced("x", floor.Add(-time.Second)), counting.StatusUnknown, same},
		"before the origin":                   {priced("x", hours(21)), counting.StatusBeforeOrigin, same},
		"missing":                             {priced("x", floor, "1", "EUR"), missing, differs},
	} {
		t.Run(name, func(t *testing.T) {
			lookback := 9*time.Hour + 10*time.Minute
			s := newStore(t, counting.Settings{Source: "s", Feed: "f", Currency: "EUR", Lookback: lookback},
				counting.State{Origin: hours(20), Floor: floor, HistoryDone: true})
			s.commit(&counting.Page{
				ObservedAt: now, Records: page{old("0.1", ""), first, further, twin(0), twin(1), v(2, "3")},
				Enqueue: []work.Item{
					{Kind: work.Record, Key: "waits"}, {Kind: work.Record, Key: "aside", SetAside: true},
				},
			})
			keep := s.state
			page := &counting.Page{
				ObservedAt: now, Records: page{tc.listed}, Invalid: []counting.BadRow{{Content: []byte("bad")}},
				Enqueue: []work.Item{{Kind: work.Record, Key: tc.listed.ID}},
			}
			found := s.previewPage(page)
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
	before, after := leg("before", "goes on", 21*time.Hour), leg("after", "goes on", 19*time.Hour)
	done, late := leg("counted", "counted", time.Hour), leg("late", "counted", time.Hour)
	waits := leg("waits", "waits", time.Hour)
	settings := counting.Settings{
		Source: "s", Feed: "f", Lookback: 48 * time.Hour, Rules: counting.Rules{Legs: true}, Settle: settle,
		WholeAfter: 4 * time.Hour, Lead: 4 * time.Hour,
	}
	origin, at := now.Add(-20*time.Hour), now.Add(settle)
	s := newStore(t, settings, counting.State{
		Origin: origin, Floor: origin.Add(-settings.Lead), Watermark: now, HistoryDone: true,
	})
	s.commit(&counting.Page{ObservedAt: now, Records: page{done, before, after}})
	s.commit(&counting.Page{ObservedAt: at, Position: &counting.Position{Read: &counting.Read{Began: at}}})
	s.commit(&counting.Page{ObservedAt: at, Records: page{late, waits, open}})
	for _, c := range []struct {
		listed *cdr.Record
		want   counting.Status
	}{
		{waits, counting.StatusCounted},
		{open, counting.StatusNotFinal},
		{done, counting.StatusCounted},
		{late, counting.StatusCounted},
		{before, counting.StatusBeforeOrigin},
		{after, counting.StatusCounted},
		{leg("unknown", "waits", time.Hour), counting.StatusMissing},
	} {
		one := s.preview(at, c.listed)[0]
		if one.Status != c.want || c.want == counting.StatusCounted && !one.SameAmounts() {
			t.Errorf("%s: %+v", c.listed.ID, one)
		}
	}
}
