package ledger

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// activity is all that the ledger tells, as `start calls/failures`, the start from epoch.
func (r *rig) activity() string {
	r.t.Helper()
	all, err := r.ledger.Activity(r.t.Context(), time.Time{})
	require.NoError(r.t, err)
	var lines []string
	for _, a := range all {
		lines = append(lines, fmt.Sprintf("%dm %d/%d", a.Start.Sub(epoch)/time.Minute, a.Calls, a.Failures))
	}
	return strings.Join(lines, ", ")
}

func wantActivity(t *testing.T, r *rig, want string) {
	t.Helper()
	if got := r.activity(); got != want {
		t.Errorf("activity %q, want %q", got, want)
	}
}

// before is a start that long before epoch.
func before(d time.Duration) func(*cdr.Record) { return start(epoch.Add(-d)) }

// ofLegs makes a feed of one whose calls have several records. They count at once.
func ofLegs(s *FeedSpec) { s.Legs, s.WholeAfter = true, 4*time.Hour }

// Every call is in the activity once, where it began and as it was first read.
func TestActivity(t *testing.T) {
	type pages = [][]*cdr.Record
	failed := outcome(cdr.Failed)
	at := func(id string, ago time.Duration, options ...func(*cdr.Record)) *cdr.Record {
		return call(id, append(options, before(ago))...)
	}
	leg := func(id string, ago time.Duration) *cdr.Record { return at(id, ago, inGroup("g"), failed) }
	const minute, hour = time.Minute, time.Hour
	waits := func(s *FeedSpec) { ofLegs(s); s.Settle = minute }
	five := pages{{at("a", 5*minute), at("b", time.Second), at("c", 0)}}
	others := pages{{call("a", failed), call("b", outcome(cdr.Busy)), call("c", outcome(cdr.NotConnected))}}
	for _, c := range []struct {
		name  string
		spec  func(*FeedSpec)
		pages pages
		want  string
	}{
		{"by five minutes", nil, five, "-5m 2/0, 0m 1/0"},
		{"only failed is a failure", nil, others, "-10m 3/1"},
		{"a failure that becomes one", nil, pages{{call("a", outcome(cdr.Unknown))}, {call("a", failed)}}, "-10m 1/0"},
		{"a failure that is none", nil, pages{{call("a", failed)}, {call("a", outcome(cdr.Answered))}}, "-10m 1/1"},
		{"the last hours", nil, pages{{at("a", 25*hour), at("b", 25*hour+time.Microsecond)}}, "-1500m 1/0"},
		{"a clock that is wrong", nil, pages{{at("a", -2*hour, failed)}, {at("a", -2*hour)}}, ""},
		{
			"a call of two legs, once it counts", ofLegs,
			pages{{leg("a", 10*minute), leg("b", 0)}, {leg("b", 0)}},
			"-10m 1/1",
		},
		{"a call that waits", waits, pages{{leg("a", 10*minute)}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.spec.Feed, r.spec.History = "other", 100*time.Hour
			if c.spec != nil {
				c.spec(&r.spec)
			}
			r.reopen()
			for _, p := range c.pages {
				r.records(p...) // its first history isn't read to the end
			}
			r.reopen()
			wantActivity(t, r, c.want)
		})
	}
}

// Which feeds, from when, and in which order.
func TestActivityOfFeeds(t *testing.T) {
	r := newRig(t)
	r.records(call("a", before(time.Hour)), call("b", before(time.Minute)))
	r.spec.Source = "fabrikam"
	r.reopen()
	r.records(call("a", before(30*time.Minute)))
	get := func(from time.Time) string {
		t.Helper()
		all, err := r.ledger.Activity(t.Context(), from)
		require.NoError(t, err)
		var lines []string
		for _, a := range all {
			lines = append(lines, fmt.Sprintf("%s/%s %s", a.Source, a.Feed, a.Start.Format("15:04")))
		}
		return strings.Join(lines, " ")
	}
	const fabrikam = "fabrikam/direct_routing 11:30"
	if got, want := get(time.Time{}), "contoso/direct_routing 11:00 "+fabrikam+
		" contoso/direct_routing 11:55"; got != want {
		t.Errorf("all: %s, want %s", got, want)
	}
	if got, want := get(epoch.Add(-26*time.Minute)), fabrikam+" contoso/direct_routing 11:55"; got != want {
		t.Errorf("from 11:34: %s, want %s", got, want)
	}
	r.close()
	if _, err := r.ledger.Activity(t.Context(), epoch); !errors.Is(err, ErrClosed) {
		t.Errorf("a ledger that is closed: %v", err)
	}
}

// What is older than 25 hours is pruned.
func TestActivityIsPruned(t *testing.T) {
	r := newLiveRig(t, func(r *rig) { r.spec.Lookback = 1000 * time.Hour })
	r.records(call("a", outcome(cdr.Failed)), call("b", before(-30*time.Minute), outcome(cdr.Failed)))
	r.clock.at = epoch.Add(25 * time.Hour)
	r.readTo(r.clock.at)
	wantActivity(t, r, "30m 1/1") // not told already
	r.prune()
	if n := r.count("activity"); n != 1 {
		t.Errorf("%d rows are left, want 1", n)
	}
}
