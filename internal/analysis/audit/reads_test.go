package audit

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// TestExporterReads: when the exporter last read a start, and by when it reads it again, follows from its read plan.
func TestExporterReads(t *testing.T) {
	// Levels 0 to 4 reach back 5, 10, 20, 40 and 60 minutes.
	p := plan.New(plan.Ladder{Interval: time.Minute, Lookback: 48 * time.Minute})
	for m, ago := range []time.Duration{0, time.Minute, time.Minute, 7 * time.Minute, 7 * time.Minute} {
		p.Levels[m].Read = noon.Add(-ago)
	}
	stored, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		ago, last, next time.Duration // before noon
		arrival, never  bool
		plan            []byte
	}{
		"just now":                {ago: time.Minute, last: 0, next: -time.Minute},
		"of level 1":              {ago: 8 * time.Minute, last: time.Minute, next: -time.Minute},
		"of level 2":              {ago: 15 * time.Minute, last: time.Minute, next: -3 * time.Minute},
		"of level 3":              {ago: 30 * time.Minute, last: 7 * time.Minute, next: -time.Minute},
		"of level 4":              {ago: 50 * time.Minute, last: 7 * time.Minute, next: -5 * time.Minute},
		"no more":                 {ago: 62 * time.Minute, last: 7 * time.Minute, never: true},
		"before the floor":        {ago: 5 * time.Hour, last: -1, never: true},
		"by arrival":              {ago: 100 * time.Hour, arrival: true, last: 2 * time.Minute, next: time.Minute},
		"a plan that isn't known": {ago: time.Minute, plan: []byte(`{"levels":[]}`), last: -1, never: true},
	} {
		t.Run(name, func(t *testing.T) {
			a := &audit{
				Feed: Feed{Info: &collector.FeedInfo{
					Interval: time.Minute,
					Rules:    counting.Rules{ByArrival: tc.arrival},
				}},
				counted: counting.State{
					Floor: noon.Add(-4 * time.Hour), Watermark: noon.Add(-2 * time.Minute),
					Resume: stored,
				},
			}
			if tc.plan != nil {
				a.counted.Resume = tc.plan
			}
			last, next := noon.Add(-tc.last), noon.Add(-tc.next)
			if tc.last < 0 {
				last = time.Time{}
			}
			if tc.never {
				next = time.Time{}
			}
			reads := a.exporterReads()
			if got := reads.last(noon.Add(-tc.ago)); !got.Equal(last) {
				t.Errorf("last read at %s, want %s", got, last)
			}
			if got := reads.next(noon.Add(-tc.ago)); !got.Equal(next) {
				t.Errorf("read again by %s, want %s", got, next)
			}
		})
	}
}
