package ledger

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// due is the work that is due at the rig's time, as `kind key version`.
func (r *rig) due() []string {
	r.t.Helper()
	work, err := r.feed.Due(r.t.Context(), r.clock.at, 100)
	require.NoError(r.t, err)
	var all []string
	for _, w := range work {
		all = append(all, fmt.Sprint(w.Kind, " ", w.Key, " ", w.Version))
	}
	return all
}

func (r *rig) wantDue(when, want string) {
	r.t.Helper()
	if got := strings.Join(r.due(), ", "); got != want {
		r.t.Errorf("%s: due %q, want %q", when, got, want)
	}
}

func (r *rig) enqueue(work ...work.Item) int {
	r.t.Helper()
	return r.commit(&counting.Page{Enqueue: work}).Queued
}

func (r *rig) wantWaiting(waiting, setAside int) {
	r.t.Helper()
	if w, p, err := r.feed.Waiting(r.t.Context()); err != nil || w != waiting || p != setAside {
		r.t.Errorf("%d wait, %d set aside, %v; want %d and %d", w, p, err, waiting, setAside)
	}
}

// counting.md 4: pending work.
func TestRule04PendingTasks(t *testing.T) {
	r := newRig(t)
	if queued := r.enqueue(work.Item{Kind: "record", Key: "a", Version: 1, Due: epoch.Add(time.Hour)},
		work.Item{Kind: "record", Key: "b", Version: 1, Due: epoch.Add(time.Hour)},
		work.Item{Kind: "record", Key: "a", Version: 2, Due: epoch},
		work.Item{Kind: "record", Key: "c", Version: 1, Due: epoch, Attempts: 3, SetAside: true}); queued != 2 {
		t.Errorf("%d queued", queued)
	}
	r.reopen()
	r.wantDue("at first", "record a 2")
	r.wantWaiting(2, 1)
	if aside, err := r.feed.SetAside(t.Context(), epoch, 10); err != nil || len(aside) != 1 || aside[0].Key != "c" ||
		aside[0].Attempts != 3 || !aside[0].SetAside {
		t.Errorf("set aside: %+v, %v", aside, err)
	}
	if aside, err := r.feed.SetAside(t.Context(), epoch.Add(-time.Second), 10); err != nil || len(aside) != 0 {
		t.Errorf("set aside, a second before: %+v, %v", aside, err)
	}
	r.commit(&counting.Page{Done: []work.Item{{Kind: "record", Key: "a", Version: 1}}})
	r.wantDue("an older version is done", "record a 2")
	r.enqueue(work.Item{Kind: "record", Key: "a", Version: 1, Due: epoch.Add(-time.Hour)})
	r.wantDue("an older demand", "record a 2")
	r.commit(&counting.Page{Done: []work.Item{{Kind: "record", Key: "a", Version: 2}}})
	r.wantDue("done", "")
}

// counting.md 4, 12, 32: a record that is named again waits once, and that changes nothing of what is being
// tried again; a newer version makes it as new. A list that names a record which was set aside has it tried
// an hour later, however often that is.
func TestRule32NamedAgain(t *testing.T) {
	r := newRig(t)
	listed := func(version int64, after time.Duration) work.Item {
		return work.Item{Kind: "record", Key: "a", Version: version, Due: epoch.Add(after)}
	}
	failed, aside := listed(1, time.Minute), listed(3, 24*time.Hour)
	failed.Attempts = 2
	aside.Attempts, aside.SetAside = 7, true
	for _, step := range []struct {
		name   string
		work   work.Item
		queued int
		want   string
	}{
		{"new", listed(1, 0), 1, "0s 0 false"},
		{"failed: tried again later", failed, 0, "1m0s 2 false"},
		{"listed meanwhile", listed(1, 0), 0, "1m0s 2 false"},
		{"a newer version meanwhile", listed(3, 0), 0, "0s 0 false"},
		{"set aside", aside, 0, "24h0m0s 7 true"},
		{"an older version", listed(2, 0), 0, "24h0m0s 7 true"},
		{"listed", listed(3, 5*time.Minute), 0, "1h5m0s 0 true"},
		{"listed again", listed(3, 10*time.Minute), 0, "1h5m0s 0 true"},
		{"tried in vain", aside, 0, "24h0m0s 7 true"},
		{"listed shortly before", listed(3, 23*time.Hour+30*time.Minute), 0, "24h0m0s 0 true"},
		{"a newer version", listed(4, 24*time.Hour), 1, "24h0m0s 0 false"},
	} {
		if queued := r.enqueue(step.work); queued != step.queued {
			t.Errorf("%s: %d queued, want %d", step.name, queued, step.queued)
		}
		r.reopen()
		var got string
		for _, due := range []func(context.Context, time.Time, int) ([]work.Item, error){r.feed.Due, r.feed.SetAside} {
			all, err := due(t.Context(), epoch.Add(48*time.Hour), 10)
			require.NoError(t, err)
			for _, w := range all {
				got += fmt.Sprint(w.Due.Sub(epoch), " ", w.Attempts, " ", w.SetAside)
			}
		}
		if got != step.want {
			t.Errorf("%s: %s, want %s", step.name, got, step.want)
		}
	}
}

// counting.md 4, 12: listing a record again costs nothing once its version is known.
func TestRule04KnownRecords(t *testing.T) {
	listed := func(version int64) work.Item {
		return work.Item{Kind: work.Record, Key: "a", Version: version, Due: epoch}
	}
	for _, c := range []struct {
		name   string
		known  *cdr.Record
		work   work.Item
		queued int
	}{
		{"the version that is known", call("a", version(3)), listed(3), 0},
		{"an older one", call("a", version(3)), listed(2), 0},
		{"a newer one", call("a", version(3)), listed(4), 1},
		{"a version that nobody says", call("a", version(3)), listed(0), 1},
		{"a record without a version", call("a"), listed(1), 1},
		{"by another of its ids", call("n", alts("a"), version(3)), listed(3), 0},
		{"long before", call("a", version(3), start(epoch.Add(-239*time.Hour))), listed(3), 0},
		{"another record", call("b", version(3)), listed(3), 1},
		{"not final", call("a", version(3), provisional), listed(3), 1},
		{"another kind", call("a", version(3)), work.Item{Kind: "settle", Key: "a", Version: 1, Due: epoch}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newMovingStartRig(t)
			r.records(c.known)
			r.reopen()
			if got := r.enqueue(c.work); got != c.queued || len(r.due()) != c.queued {
				t.Errorf("%d queued, due %v, want %d", got, r.due(), c.queued)
			}
		})
	}
	t.Run("known by the same page", func(t *testing.T) {
		r := newMovingStartRig(t)
		got := r.commit(&counting.Page{Records: []*cdr.Record{call("a", version(3))}, Enqueue: []work.Item{listed(3)}})
		if got.New != 1 || got.Queued != 0 {
			t.Errorf("%+v", got)
		}
	})
	t.Run("what waits for it is done", func(t *testing.T) {
		r := newMovingStartRig(t)
		again := listed(3)
		again.Attempts = 1
		r.enqueue(listed(3))
		r.records(call("a", version(4)))
		if got := r.enqueue(again); got != 0 || len(r.due()) != 0 {
			t.Errorf("%d queued, due %v", got, r.due())
		}
	})
	t.Run("of a feed with hours", func(t *testing.T) {
		r := newRig(t)
		r.records(call("a", version(3)))
		if got := r.enqueue(listed(3)); got != 1 {
			t.Errorf("%d queued: it isn't known where the record is", got)
		}
	})
}

// counting.md 5, 32: the floor stays below a record that is still tried, so that it is
// counted, once, when it comes in the end.
func TestRule32WhatComesInTheEndIsCounted(t *testing.T) {
	for name, refused := range map[string]work.Item{
		"set aside":     {Kind: "record", Key: "a", Version: 1, Due: epoch, SetAside: true},
		"tried in vain": {Kind: "record", Key: "a", Version: 1, Due: epoch, Attempts: 1},
	} {
		t.Run(name, func(t *testing.T) {
			r := newMovingStartRig(t)
			r.enqueue(refused)
			r.records(call("known", version(1)))
			r.raiseFloor(epoch.Add(30 * 24 * time.Hour))
			r.reopen()
			if got := r.records(call("a", version(1)), call("known", version(1))); got.New != 1 || got.Duplicate != 1 {
				t.Errorf("%+v", got)
			}
			r.commit(&counting.Page{Done: []work.Item{refused}})
			r.raiseFloor(epoch.Add(30 * 24 * time.Hour))
			if got := r.records(call("b", version(1)), call("a", version(1))); got.TooOld != 2 {
				t.Errorf("when nothing is tried any more: %+v", got)
			}
		})
	}
}

// counting.md 4, 10, 32: an item that was set aside is kept for long when nobody tries it, by the watermark's time too,
// when our clock leaps ahead. One that waits isn't dropped at all.
func TestRule04SetAsideTasksArePruned(t *testing.T) {
	r := newMovingStartRig(t)
	r.enqueue(work.Item{Kind: "record", Key: "a", Version: 1, Due: epoch, SetAside: true},
		work.Item{Kind: "record", Key: "b", Version: 1, Due: epoch})
	r.clock.add(200 * 24 * time.Hour)
	r.prune()
	r.wantWaiting(1, 1)
	r.raiseFloor(epoch.Add(setAsideFor - time.Hour))
	r.wantWaiting(1, 1)
	r.raiseFloor(epoch.Add(setAsideFor + 2*time.Hour))
	r.wantWaiting(1, 0)
}

// Why work was refused may repeat what a proxy or an operating system says, in whichever encoding:
// PostgreSQL takes only UTF-8 without zeros.
func TestProblemsAreUTF8(t *testing.T) {
	r := newRig(t)
	r.enqueue(work.Item{
		Kind: "record", Key: "a", Version: 1, Due: epoch, Attempts: 1,
		Problem: "acc\xe8s refus\xe9\x00",
	})
	due, err := r.feed.Due(t.Context(), epoch, 10)
	if err != nil || len(due) != 1 || due[0].Problem != "acc\uFFFDs refus\uFFFD\uFFFD" {
		t.Fatalf("due: %+v, %v", due, err)
	}
}

// TestPostedInOrder (counting.md 4): posted records wait in the order in which the ledger received
// them, whatever their names, the clocks and repeats.
func TestPostedInOrder(t *testing.T) {
	r := newRig(t)
	post := func(key string) {
		t.Helper()
		if _, err := r.ledger.Enqueue(t.Context(), r.spec,
			[]work.Item{{Kind: work.Posted, Key: key, Data: key}}); err != nil {
			t.Fatal(err)
		}
	}
	waiting := func() (tasks []work.Item, keys string) {
		t.Helper()
		tasks, err := r.feed.Due(t.Context(), time.Now().Add(100*365*24*time.Hour), 100)
		require.NoError(t, err)
		for _, w := range tasks {
			keys += w.Key
		}
		return tasks, keys
	}
	for i, key := range []string{"d", "a", "c", "b"} {
		r.clock.add(time.Duration(1-i) * time.Minute) // it is set back
		post(key)
	}
	read, keys := waiting()
	if keys != "dacb" {
		t.Errorf("they are counted in the order %s", keys)
	}
	post("a") // again, as the newest one
	if _, keys = waiting(); keys != "dcba" {
		t.Errorf("after a repeat in the order %s", keys)
	}
	r.commit(&counting.Page{Done: read}) // as it was read before
	if _, keys = waiting(); keys != "a" {
		t.Errorf("%q wait", keys)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.ledger.Enqueue(ctx, r.spec, []work.Item{{Kind: work.Posted, Key: "e"}}); !errors.Is(err,
		context.Canceled) {
		t.Errorf("a post that was given up: %v", err)
	}
}

// TestRule04_SpansAreState: the spans that a feed reads again are in its state, in order, after each commit and after a
// restart.
func TestRule04_SpansAreState(t *testing.T) {
	r := newRig(t)
	span := func(hour int) work.Item {
		at := epoch.Add(time.Duration(hour) * time.Hour).UTC()
		key := at.Format(time.RFC3339) + "/" + at.Add(time.Hour).Format(time.RFC3339)
		return work.Item{Kind: work.Span, Key: key, Due: at, Attempts: 1, SetAside: hour%2 == 0, Data: "1 of 2 rows"}
	}
	want := func(hours ...int) {
		t.Helper()
		var all []work.Item
		for _, hour := range hours {
			all = append(all, span(hour))
		}
		if got := r.feed.State().Spans; !reflect.DeepEqual(got, all) {
			t.Errorf("the spans are %v, want %v", got, all)
		}
	}
	r.commit(&counting.Page{Enqueue: []work.Item{span(2), span(1), {Kind: "record", Key: "a", Due: epoch}}})
	want(1, 2)
	before := r.feed.State().Spans
	r.commit(&counting.Page{Done: []work.Item{span(1)}, Enqueue: []work.Item{span(3)}})
	want(2, 3)
	if len(before) != 2 || before[0].Key != span(1).Key {
		t.Errorf("a state that was handed out changed: %v", before)
	}
	r.reopen()
	want(2, 3)
	if due := r.due(); len(due) != 1 || due[0] != "record a 0" {
		t.Errorf("due are %v", due)
	}
	r.commit(&counting.Page{Done: []work.Item{span(2)}, Enqueue: []work.Item{span(2)}}) // it was tried and failed
	want(2, 3)
	r.reopen()
	want(2, 3)
}
