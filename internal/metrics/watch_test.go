package metrics

import (
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// TestWatch: whoever watches is told each change with the record that it comes from, and
// all changes of a series together are its value.
func TestWatch(t *testing.T) {
	s := NewStore(Options{SeriesLimit: 100}, time.Now)
	type sum struct {
		n, count int64
		money    cdr.Money
		buckets  [20]uint64
	}
	sums := make(map[*LabelSet]*sum)
	var about *cdr.Record
	s.Watch(func(d Delta) {
		if d.Record != about {
			t.Errorf("a change of %s isn't of the record in hand", d.Labels.Def.Name)
		}
		one := sums[d.Labels]
		if one == nil {
			one = &sum{}
			sums[d.Labels] = one
		}
		one.n, one.count, one.money = one.n+d.N, one.count+1, one.money.Add(&d.Money)
		one.buckets[d.Bucket]++
	})
	f := s.Feed("acme", "wavix", "call_log", true)
	for n := range 3 {
		tally := s.Begin(f, time.Now())
		for i := range 40 {
			amount, err := cdr.ParseMoney("0.0" + strings.Repeat("7", 1+i%3))
			if err != nil {
				t.Fatal(err)
			}
			about = &cdr.Record{
				Start: time.Now(), Outcome: cdr.Outcomes()[i%4], Duration: time.Duration(i*i) * time.Second,
				Charges: []cdr.Charge{{Component: "usage", Currency: "EUR", Amount: amount}},
			}
			tally.About(about)
			tally.Count(&Call{Record: about})
		}
		if n == 2 {
			tally.Discard()
			break
		}
		tally.Apply()
	}
	for _, series := range f.list {
		got, d := sums[series.Labels], series.Labels.Def
		if got == nil {
			t.Errorf("nobody was told of %s", d.Name)
			continue
		}
		switch value := &series.cur; d.Kind { // a third of it was discarded
		case Histogram:
			if got.n*2 != value.hist.sum*3 || got.buckets[3]*2 != value.hist.buckets[3]*3 {
				t.Errorf("%s: %d, want half more than %d", d.Name, got.n, value.hist.sum)
			}
		case Money:
			twice, thrice := got.money.Add(&got.money), value.money.Add(&value.money)
			thrice = thrice.Add(&value.money)
			if !twice.Equal(&thrice) {
				t.Errorf("%s: %s, want half more than %s", d.Name, got.money.String(), value.money.String())
			}
		case Counter, Seconds, Gauge:
			if got.n*2 != value.n*3 {
				t.Errorf("%s: %d, want half more than %d", d.Name, got.n, value.n)
			}
		}
	}
	if len(f.list) < 5 {
		t.Errorf("only %d series: this shows nothing", len(f.list))
	}
}
