package collector

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

// scripted is a model whose changes come as a test says, one step after the other.
func scripted(c *changing, steps ...bool) {
	i := 0
	c.more = func() bool {
		i++
		return i <= len(steps) && steps[i-1]
	}
}

func TestRule11_TheWatermarkIsWhenTheDrainBegan(t *testing.T) {
	for _, c := range []struct {
		name  string
		alter func(m *model, p *plan.Plan)
		// want is where the watermark is after the drain, from when that began; it was
		// at -20 s before.
		want time.Duration
	}{
		{"all is well", func(*model, *plan.Plan) {}, 0},
		{"the history isn't done", func(m *model, p *plan.Plan) {
			m.state.HistoryDone, m.state.Watermark, p.Joined = false, m.state.Watermark.Add(-24*time.Hour), plan.Span{}
		}, -24*time.Hour - 20*time.Second},
		{"the token began after the read that it stands for", func(_ *model, p *plan.Plan) {
			p.Changes = plan.Changes{Token: "0 after 0 in 9", Since: time.Now().Add(time.Second - p.Ladder.Reach(besideLevel-1))}
		}, -20 * time.Second},
		{"the token began with it", func(_ *model, p *plan.Plan) {
			p.Changes = plan.Changes{Token: "0 after 0 in 9", Since: time.Now().Add(-p.Ladder.Reach(besideLevel - 1))}
		}, 0},
		{"the deepest level is owed since", func(_ *model, p *plan.Plan) {
			l := p.Ladder
			p.Reads[l.Last()] = time.Now().Add(-5*time.Second - l.Reach(l.Last()) + l.Owed(l.Last()))
		}, -5 * time.Second},
		{"the deepest level was read by a clock that was ahead", func(_ *model, p *plan.Plan) {
			p.Reads[p.Ladder.Last()] = time.Now().Add(3 * time.Hour)
		}, -20 * time.Second},
		{"the deepest level was never read", func(_ *model, p *plan.Plan) { p.Reads[p.Ladder.Last()] = time.Time{} }, -20 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := quiet(t, minutely, time.Now().Add(-20*time.Second))
				p, err := plan.Decode(m.state.Plan, minutely)
				if err != nil {
					t.Fatal(err)
				}
				c.alter(m, p)
				m.state.Plan = mustEncode(t, p)
				done := m.state.HistoryDone
				m.fault = func(time.Time, time.Time, int) error { return errProvider } // of ranges
				of := newChanging(m)
				of.answer = func(string) error { pass(t, 3*time.Second); return nil }
				scripted(of, true, true, false)
				clock := NewClock(time.Now, nil)
				loop := syncLoop(of, minutely, func(s *FeedSettings) { s.Clock = clock })
				for len(of.asked) < 3 {
					if err := loop.feed.Poll(t.Context()); err != nil && !errors.Is(err, errProvider) {
						t.Fatal(err)
					}
				}
				if len(m.positions) < 3 {
					t.Fatalf("%d positions", len(m.positions))
				}
				for i, at := range m.positions {
					stored, err := plan.Decode(at.Plan, minutely)
					if err != nil || stored.Changes.Token == "" || at.HistoryDone && !done {
						t.Errorf("step %d: %v; the token is %q, the history done: %t", i+1, err, stored.Changes.Token, at.HistoryDone)
					}
					if i < 3 && !at.Watermark.IsZero() {
						t.Errorf("step %d of 3 moves the watermark", i+1)
					}
				}
				if got := m.State().Watermark.Sub(of.asked[0].at); got != c.want {
					t.Errorf("the watermark is %s after the drain began, want %s", got, c.want)
				}
			})
		})
	}
}

func TestRule11_ALostTokenRestartsFurtherBack(t *testing.T) {
	for _, c := range []struct {
		name  string
		mid   bool          // lost while there is more
		floor time.Duration // before the start
		want  time.Duration
	}{
		{"between drains", false, 1000 * time.Hour, 60 * time.Hour},
		{"in mid-drain", true, 1000 * time.Hour, 60 * time.Hour},
		{"the floor is nearer", false, 20 * time.Hour, 20*time.Hour + 20*time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				of := newChanging(quiet(t, minutely, began))
				of.size, of.state.Floor = 3, began.Add(-c.floor)
				for i := range 30 { // a call a minute, the last ones all published at once
					at := began.Add(time.Duration(i) * time.Minute)
					of.rows = append(of.rows, modelRow{id: fmt.Sprint(i), start: at, published: plan.Latest(at, began.Add(20*time.Minute+time.Duration(i)))})
				}
				lost, watermark := -1, time.Time{}
				of.answer = func(string) error {
					n := len(of.asked)
					if lost < 0 && time.Since(began) > 20*time.Minute && of.asked[n-1].more == c.mid {
						of.epoch++
						lost, watermark = n, of.State().Watermark
					}
					return nil
				}
				var log bytes.Buffer
				loop := syncLoop(of, minutely, func(s *FeedSettings) {
					s.Logger = slog.New(slog.NewTextHandler(&log, nil))
				})
				loop.Start()
				pass(t, 32*time.Minute)
				loop.Stop()
				if lost < 0 || !errors.Is(of.asked[lost].err, ErrTokenLost) {
					t.Fatalf("the token wasn't lost at request %d of %d", lost, len(of.asked))
				}
				next := of.asked[lost+1]
				if wait := next.at.Sub(of.asked[lost].at); next.token != "" || wait > time.Second {
					t.Errorf("the next request has the token %q and comes %s later", next.token, wait)
				}
				if !near(next.from, watermark.Add(-c.want)) {
					t.Errorf("it begins %s before the watermark, want %s", watermark.Sub(next.from), c.want)
				}
				if len(of.counted) != len(of.rows) || len(of.broken) > 0 {
					t.Errorf("%d of %d calls are counted; %v", len(of.counted), len(of.rows), of.broken)
				}
				if n := strings.Count(log.String(), "no longer knows"); n != 1 || strings.Contains(log.String(), next.token+"0 after ") {
					t.Errorf("logged %d times: %s", n, log.String())
				}
			})
		})
	}
}

// TestRule11_ATokenLostAgainAndAgain is begun anew ever more slowly, while ranges
// keep the bound.
func TestRule11_ATokenLostAgainAndAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		of := newChanging(quiet(t, minutely, time.Now()))
		traffic(of.model, time.Now().Add(30*time.Hour), 30*time.Second, 48*time.Hour)
		began := time.Now()
		of.answer = func(token string) error {
			if token != "" {
				of.epoch++ // each token is good for nothing
			}
			return nil
		}
		loop := syncLoop(of, minutely)
		loop.Start()
		pass(t, 12*time.Hour)
		if s := loop.Status(); s.State != StateError || !strings.Contains(s.LastError, ErrTokenLost.Error()) {
			t.Errorf("the state is %s: %s", s.State, s.LastError)
		}
		pass(t, 12*time.Hour)
		var anew []time.Time
		for _, r := range of.requests() {
			if r.token == "" {
				anew = append(anew, r.at)
			}
		}
		if n := len(anew); n < 20 || n > 60 {
			t.Errorf("it began anew %d times in a day", n)
		}
		if last := anew[len(anew)-1].Sub(anew[len(anew)-2]); (last - time.Hour).Abs() > 3*time.Minute {
			t.Errorf("the last two times are %s apart, want an hour", last)
		}
		of.mu.Lock()
		of.answer = nil
		of.mu.Unlock()
		pass(t, 2*time.Hour)
		if s := loop.Status(); s.State != StateOK || s.Reads != "changes" {
			t.Errorf("once tokens are good the state is %s, and %s are read", s.State, s.Reads)
		}
		loop.Stop()
		of.seenInTime(t, began, func(late time.Duration) time.Duration { return max(late/4, time.Minute) })
	})
}

// TestRule11_WhatTheTokenMissedIsCounted: ranges beside the token find it, within 8
// intervals or a quarter of its delay.
func TestRule11_WhatTheTokenMissedIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		of := newChanging(quiet(t, minutely, time.Now()))
		of.latency = 200 * time.Millisecond
		began := time.Now()
		traffic(of.model, began.Add(3*24*time.Hour), 2*time.Minute, 48*time.Hour)
		for i := range of.rows { // what is published at once is what the watermark is held against
			if i%5 == 0 && of.rows[i].published.Equal(of.rows[i].start) {
				of.rows[i].published = of.rows[i].start.Add(time.Millisecond)
			}
		}
		hidden := make(map[string]bool)
		for i, row := range of.rows {
			hidden[row.id] = i%5 == 0
		}
		of.hides = func(row modelRow) bool { return hidden[row.id] }
		loop := syncLoop(of, minutely)
		loop.Start()
		pass(t, 3*24*time.Hour)
		loop.Stop()
		of.seenInTime(t, began, func(late time.Duration) time.Duration { return max(late/4, 8*time.Minute) })
		of.rows = slices.DeleteFunc(of.rows, func(r modelRow) bool { return hidden[r.id] })
		of.seenInTime(t, began, func(time.Duration) time.Duration { return time.Minute })
		short := 0
		for _, r := range of.reads[3:] {
			if r.to.Sub(r.from) < 70*time.Minute {
				short++
			}
		}
		if short > 3 || len(of.reads) > 8*82 {
			t.Errorf("of %d ranges in three days %d are of levels that the token stands in for", len(of.reads), short)
		}
	})
}

// TestRule11_TheTokenIsCommittedWithItsRows: whatever commit the process dies at,
// before it or after, what the next one reads makes the same totals.
func TestRule11_TheTokenIsCommittedWithItsRows(t *testing.T) {
	if testing.Short() {
		return
	}
	crash := errors.New("the process dies")
	total, died := 0, 1
	for at := 0; died == 1 || at%2 == 1; at++ { // before commit at/2, or after it
		synctest.Test(t, func(t *testing.T) {
			l := plan.Ladder{Interval: time.Minute, Lookback: 30 * time.Minute}
			of := newChanging(newModel(time.Now().Add(-time.Hour)))
			traffic(of.model, time.Now().Add(time.Hour), 20*time.Second, l.Lookback)
			of.size = 7
			of.answer = func(string) error {
				if len(of.asked) == 20 {
					of.epoch++
				}
				return nil
			}
			commits, after := 0, false
			of.refuse = func(page *ledger.Page) error {
				commits++
				after = commits == at/2+1 && at%2 == 1
				if commits == at/2+1 && at%2 == 0 {
					return crash
				}
				return nil
			}
			dies := func(s *FeedSettings) {
				s.Ledger = fails{Ledger: of, after: func() error {
					if after {
						return crash
					}
					return nil
				}}
			}
			loop := syncLoop(of, l, dies)
			died = 0
			for end := time.Now().Add(30 * time.Minute); time.Now().Before(end); {
				err := loop.feed.Poll(t.Context())
				if errors.Is(err, crash) {
					died++
					loop, after = syncLoop(of, l, dies), false
				} else if err != nil {
					t.Fatal(err)
				}
				pass(t, max(loop.feed.Wait(t.Context()), time.Millisecond))
			}
			if missing := of.missing(time.Now().Add(-2 * time.Minute)); len(missing) > 0 || len(of.broken) > 0 {
				t.Fatalf("death %d: %d calls are missing; %v", at, len(missing), of.broken)
			}
			total++
		})
	}
	if total < 100 {
		t.Errorf("the process died %d times only: this shows nothing", total)
	}
}

// TestRule11_RowsAndTokenAreOnePage: what a step brought is never committed apart
// from its token.
func TestRule11_RowsAndTokenAreOnePage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		of, loop := syncing(t)
		tokens := make(map[string]bool)
		of.mu.Lock()
		asked := len(of.asked)
		of.rows = nil
		for i := range 30 {
			at := time.Now().Add(time.Duration(i) * 10 * time.Second)
			of.rows = append(of.rows, modelRow{id: fmt.Sprint(i), start: at, published: at})
		}
		of.size = 2
		of.refuse = func(page *ledger.Page) error {
			if len(page.Records) == 0 || page.Position == nil {
				return nil
			}
			p, err := plan.Decode(page.Position.Plan, minutely)
			if err != nil || tokens[p.Changes.Token] {
				t.Errorf("%v; %d rows with a token that others came with", err, len(page.Records))
			}
			tokens[p.Changes.Token] = true
			return nil
		}
		of.mu.Unlock()
		pass(t, 6*time.Minute)
		loop.Stop()
		brought := 0
		for _, r := range of.asked[asked:] {
			if r.rows > 0 {
				brought++
			}
		}
		if len(tokens) < 15 || len(tokens) != brought || len(of.counted) != 30 {
			t.Errorf("%d answers had rows, %d commits a token with them; %d calls are counted", brought, len(tokens), len(of.counted))
		}
	})
}

// counting.md 1: after another writer's commit reading goes on from the token in the
// ledger.
func TestRule01_AnotherWritersTokenCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		of, loop := syncing(t)
		of.mu.Lock()
		p, err := plan.Decode(of.state.Plan, minutely)
		if err != nil {
			t.Fatal(err)
		}
		p.Changes.Token = "0 after 7 in 7"
		of.state.Plan = mustEncode(t, p)
		asked := len(of.asked)
		of.mu.Unlock()
		pass(t, time.Minute)
		loop.Stop()
		if got := of.asked[asked].token; got != p.Changes.Token {
			t.Errorf("the next request has token %q", got)
		}
	})
}
