package callrecords

import (
	"testing"
	"testing/synctest"
	"time"
)

// One record is asked for no more often than Graph allows; others don't wait for it.
func TestTrapLimitsOfOneCallRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &fakeGraph{t: t}
		r := g.records()
		ask := func(id string, pages int) time.Duration {
			began := time.Now()
			for range pages {
				g.answers = append(g.answers, answer{body: callWith()})
				if err := r.get(t.Context(), r.paces.forRecord(id).first, "v1.0/communications/callRecords/"+id, new(callRecord)); err != nil {
					t.Fatal(err)
				}
			}
			return time.Since(began)
		}
		if took := ask(record1, 10); took > 0 {
			t.Errorf("10 took %s", took)
		}
		if took := ask(record1, 1); took < 20*time.Second || took > 25*time.Second {
			t.Errorf("the eleventh waited %s", took)
		}
		if took := ask(record2, 1); took > 0 {
			t.Errorf("another record waited %s", took)
		}
		for i := range 2 * maxPaces {
			r.paces.forRecord(time.Duration(i).String())
		}
		if n := len(r.paces.byID); n > maxPaces {
			t.Errorf("the paces of %d records are kept", n)
		}
	})
}
