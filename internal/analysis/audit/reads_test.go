package audit

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
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
	require.NoError(t, err)
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

// TestAwaitedReads: a record that came or changed after the exporter last read its time isn't missing while the
// exporter runs and will read that time again. If it does so soon, the audit waits for that read.
func TestAwaitedReads(t *testing.T) {
	for name, tc := range map[string]struct {
		age     time.Duration
		revised bool   // it was counted with another amount before
		stopped bool   // the exporter doesn't run
		counts  bool   // the exporter's next read has it
		want    [3]int // counted, not final, missing
		note    string
	}{
		"read soon": {
			age: 2 * time.Minute, counts: true, want: [3]int{1, 0, 0}, note: "waits for the exporter's next read",
		},
		"read later":           {age: 150 * time.Minute, want: [3]int{0, 1, 0}, note: "it reads it again until"},
		"revised, read later":  {age: 150 * time.Minute, revised: true, want: [3]int{0, 1, 0}, note: "until"},
		"read and not counted": {age: 2 * time.Minute, want: [3]int{0, 0, 1}, note: "waits"},
		"never read":           {age: 2 * time.Minute, stopped: true, want: [3]int{0, 0, 1}, note: "waits"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				now := time.Now().UTC()
				l, feed, source, _ := openLedger(t, 24*time.Hour, time.Now)
				info := source.Info
				reads := plan.New(plan.Ladder{Interval: info.Interval, Lookback: info.Lookback})
				for m := range reads.Levels {
					reads.Levels[m].Read = now
				}
				read := func(found ...*cdr.Record) { // a read of level 0
					reads.Levels[0].Read = time.Now()
					stored, err := reads.Encode()
					if err == nil {
						_, err = feed.Commit(t.Context(), &counting.Page{
							Records: found, ObservedAt: time.Now(),
							Position: &counting.Position{Watermark: time.Now(), HistoryDone: true, Resume: stored},
						})
					}
					if err != nil {
						t.Error(err)
					}
				}
				before, listed := record("a", now.Add(-tc.age), "1"), record("a", now.Add(-tc.age), "2")
				readIf := func(found bool, r *cdr.Record) {
					if found {
						read(r)
					} else {
						read()
					}
				}
				readIf(tc.revised, &before)
				if !tc.stopped {
					time.AfterFunc(info.Interval, func() { readIf(tc.counts, &listed) })
				}
				info.Reader = &fakeReader{records: []cdr.Record{listed}}
				var notes []string
				days, err := Run(t.Context(), Settings{
					From: now.Add(-3 * time.Hour), To: now, Now: time.Now, Ledger: l,
					Note: func(text string) { notes = append(notes, text) },
				}, source)
				if err != nil || len(days) != 1 {
					t.Fatalf("%+v, %v", days, err)
				}
				if d := days[0]; [...]int{d.Counted, d.NotFinal, int(d.Missing)} != tc.want {
					t.Errorf("%+v", d)
				}
				if len(notes) == 0 || !strings.Contains(notes[len(notes)-1], tc.note) {
					t.Errorf("it notes %q", notes)
				}
			})
		})
	}
}
