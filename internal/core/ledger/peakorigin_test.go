package ledger

import (
	"fmt"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// If an hour begins before the feed's origin, not all of its calls are counted. So the
// ledger shows no peak for it, neither 0 nor the peak of a part.
func TestPeakOfAnHourBeforeTheOrigin(t *testing.T) {
	for _, history := range []time.Duration{0, time.Hour} {
		t.Run(history.String(), func(t *testing.T) {
			r := newRig(t)
			r.spec.Feed, r.spec.History = "other", history
			r.reopen()
			r.live()
			origin := r.feed.State().Origin
			r.clock.add(4 * time.Hour)
			r.records(call("a", start(origin.Add(20*time.Minute))))
			for _, step := range []struct {
				after time.Duration // of the hour's beginning after the origin
				want  string
			}{
				{-time.Hour, ""}, {-30 * time.Minute, ""}, {-time.Second, ""}, {0, "1"}, {30 * time.Minute, "0"},
			} {
				r.commit(&counting.Page{Position: &counting.Position{Watermark: origin.Add(step.after +
					counting.PeakWindow + r.spec.LateAfter)}})
				r.reopen()
				if got := r.values()[sbc1Peak]; got != step.want {
					t.Errorf("an hour that begins %v after the origin: %q, want %q", step.after, got, step.want)
				}
			}
		})
	}
}

// counting.md 5, 10: our clock was ahead when the feed was made, and its origin is moved
// back by the first page, with calls on it or not: the peak is kept from there on too, not
// from when our clock said that it began.
func TestPeakByTheProvidersClock(t *testing.T) {
	right := epoch.Add(-23 * time.Hour)
	across := []*cdr.Record{
		call("c", lasting(-24*time.Hour-30*time.Second, time.Minute)),
		call("d", lasting(-24*time.Hour+10*time.Second, 10*time.Second)),
	}
	for name, first := range map[string][]*cdr.Record{"no call": nil, "a call across our origin": across} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.clock.add(20*time.Second - time.Minute)
			r.spec.Feed = "other"
			r.reopen()
			r.commit(&counting.Page{ObservedAt: right, Records: first})
			r.reopen()
			r.commit(&counting.Page{ObservedAt: right, Records: []*cdr.Record{
				call("a", start(right.Add(-90*time.Minute))), call("b", start(right.Add(-90*time.Minute+time.Second))),
			}})
			r.commit(&counting.Page{
				ObservedAt: right,
				Position:   &counting.Position{Watermark: right, HistoryDone: true},
			})
			wantValues(t, r.values(), map[string]string{sbc1Peak: "2"})
			r.reopen()
			wantValues(t, r.values(), map[string]string{sbc1Peak: "2"})
			r.commit(&counting.Page{ObservedAt: right, Position: &counting.Position{Watermark: right.Add(time.Hour)}})
			if n := fmt.Sprint(len(first)); r.values()[sbc1Peak] != n {
				t.Errorf("the next hour has a peak of %q, want %s", r.values()[sbc1Peak], n)
			}
		})
	}
}

// A clock that was ahead for one page hides the peaks no longer than that.
func TestPeakAfterAClockThatWasAhead(t *testing.T) {
	r := newRig(t)
	r.spec.LateAfter = 0
	r.reopen()
	r.commit(&counting.Page{Position: &counting.Position{HistoryDone: true, Watermark: epoch}})
	r.commit(&counting.Page{ObservedAt: epoch.AddDate(1, 0, 0)}) // the watermark stays
	for range 10 {
		r.clock.add(time.Hour)
		at := r.clock.at
		r.commit(&counting.Page{
			Records:  []*cdr.Record{call(at.String(), start(at.Add(-30*time.Minute)))},
			Position: &counting.Position{Watermark: at},
		})
	}
	if got := r.values()["cdr_call_peak_concurrency{sbc1.example.com}"]; got != "1" {
		t.Errorf("ten hours later the peak is %q", got)
	}
}
