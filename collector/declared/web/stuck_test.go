package web_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/declaredtest"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// bySpan is a list whose requests have the ends of the span, up to its filter.
const bySpan = "    request: {path: /calls, query: {from: '{from|rfc3339}', to: '{to|rfc3339}'}}\n    filter: "

// askedSpan is the span that a request asks for.
func askedSpan(r *http.Request) (from, to time.Time) {
	from, _ = time.Parse(time.RFC3339, r.URL.Query().Get("from"))
	to, _ = time.Parse(time.RFC3339, r.URL.Query().Get("to"))
	return from, to
}

// poller polls a list by insertion again and again.
type poller struct {
	*declaredtest.API

	t    *testing.T
	info *collector.FeedInfo
	from collector.StreamPosition
}

// newPoller opens a list with a filter, whose history begins some time before noon.
func newPoller(t *testing.T, f *declaredtest.API, filter string, history time.Duration) *poller {
	t.Helper()
	return &poller{f, t, f.Open(t, "", filter+"\n"), collector.StreamPosition{Origin: declaredtest.Noon.Add(-history)}}
}

// poll reads what is new some time after noon.
func (p *poller) poll(after time.Duration) (ids []string, err error) {
	p.t.Helper()
	p.Now, p.Asked = declaredtest.Noon.Add(after), nil
	p.from.Now = p.Now
	p.from.Resume, ids, err = declaredtest.Poll(p.t, p.info, p.from)
	return ids, err
}

// TestInsertedSpanThatCantBeRead: an instant that the provider can't give doesn't stop the rows that a list by
// insertion has behind it (rule 31). The reader reads the instant once the provider gives it. While nothing is
// served, a poll asks four times at most.
func TestInsertedSpanThatCantBeRead(t *testing.T) {
	bad, healed := declaredtest.Noon.Add(-30*time.Minute), declaredtest.Noon.Add(5*time.Hour)
	outage := declaredtest.Noon.Add(2 * time.Hour) // for an hour
	f := new(declaredtest.API)
	newest, overlap, behind, served := time.Time{}, false, false, false
	f.Answer = func(r *http.Request) (string, http.Header) {
		from, to := askedSpan(r)
		isBad := !bad.Before(from) && bad.Before(to)
		switch {
		case isBad && f.Now.Before(healed), !f.Now.Before(outage) && f.Now.Before(outage.Add(time.Hour)):
			return "!404", nil
		case isBad:
			served = true
		default:
			overlap = overlap || from.Before(declaredtest.Noon.Add(-time.Hour))
			behind = behind || from.After(bad) && from.Before(bad.Add(2*time.Minute))
			if to.After(newest) {
				newest = to
			}
		}
		return declaredtest.Rows(5), nil
	}
	p := newPoller(t, f, bySpan+"{by: inserted, max_range: 2h, retention: 12h, overlap: 5m}", time.Hour)
	for poll := range 60 {
		_, err := p.poll(time.Duration(10*poll) * time.Minute)
		asked := len(f.Asked)
		switch since := f.Now.Sub(outage); {
		case since >= 0 && since < time.Hour:
			if err == nil || asked > 4 {
				t.Errorf("poll %d, in an outage: asked %d times, %v", poll, asked, err)
			}
		case f.Now.Before(healed):
			if err == nil || asked > 20 {
				t.Errorf("poll %d: asked %d times, %v", poll, asked, err)
			}
			if late := f.Now.Sub(newest); poll > 5 && (late > 10*time.Minute || !behind) {
				t.Errorf("poll %d: the newest %s weren't asked for; behind the bad instant: %t", poll, late, behind)
			}
		case err != nil || !served:
			t.Errorf("poll %d, healed: %v", poll, err)
		}
	}
	if !overlap { // rows may have appeared there later
		t.Error("a list that was halved was read without the overlap")
	}
}

// TestInsertedOverlapOfABadMinute: rows that appear late, shortly before a minute that can't be read, are read, and
// so is the minute once it can be, also if it became unreadable after the position had passed it.
func TestInsertedOverlapOfABadMinute(t *testing.T) {
	noon := declaredtest.Noon
	for _, c := range []struct {
		name                   string
		bad, since, late, seen time.Duration // after noon
	}{
		{"behind the position", 30 * time.Second, 0, -3 * time.Minute, 10 * time.Minute},
		{"in the overlap", 17*time.Minute + 30*time.Second, 20 * time.Minute, 16 * time.Minute, 20 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			bad, healed := noon.Add(c.bad), noon.Add(5*time.Hour)
			f := new(declaredtest.API)
			f.Answer = func(r *http.Request) (string, http.Header) {
				from, to := askedSpan(r)
				has := func(at time.Time) bool { return !at.Before(from) && at.Before(to) }
				if has(bad) && !f.Now.Before(noon.Add(c.since)) && f.Now.Before(healed) {
					return "!404", nil
				}
				var rows []int
				if has(noon.Add(c.late)) && !f.Now.Before(noon.Add(c.seen)) {
					rows = append(rows, 1)
				}
				if has(bad) && !f.Now.Before(healed) {
					rows = append(rows, 2)
				}
				return declaredtest.Rows(rows...), nil
			}
			p := newPoller(t, f, bySpan+"{by: inserted, max_range: 2h, retention: 12h, overlap: 5m}", time.Hour)
			read := map[string]time.Duration{}
			for minute := range 330 {
				ids, err := p.poll(time.Duration(minute) * time.Minute)
				for _, id := range ids {
					if _, is := read[id]; !is {
						read[id] = f.Now.Sub(noon)
					}
				}
				if len(f.Asked) > 40 {
					t.Errorf("minute %d: asked %d times", minute, len(f.Asked))
				}
				if err == nil && minute > int(c.since.Minutes())+1 && f.Now.Before(healed) {
					t.Errorf("minute %d: no error", minute)
				}
			}
			if at, is := read["1"]; !is || at > c.seen+10*time.Minute {
				t.Errorf("the row that appeared late was read: %t, %s", is, at)
			}
			if at, is := read["2"]; !is {
				t.Errorf("the row of the bad minute was read: %t, %s", is, at)
			}
		})
	}
}

// TestInsertedProbeIsNotCommitted: a consumer may stop at a page of the newest minute, such as one on a full disk.
func TestInsertedProbeIsNotCommitted(t *testing.T) {
	noon := declaredtest.Noon
	f := new(declaredtest.API)
	f.Answer = func(r *http.Request) (string, http.Header) {
		if from, _ := askedSpan(r); from.Before(noon.Add(-2 * time.Minute)) {
			return "!404", nil
		}
		return declaredtest.Rows(5), nil
	}
	info := f.Open(t, "", bySpan+"{by: inserted, max_range: 2h, retention: 12h, overlap: 5m}\n")
	f.Now = noon
	probed := false
	for range 5 {
		from := collector.StreamPosition{Origin: noon.Add(-time.Hour), Now: noon}
		for page, err := range info.Stream.Pages(t.Context(), from) {
			probed = probed || page != nil && err == nil
			break
		}
	}
	if !probed {
		t.Error("the newest minute wasn't asked for")
	}
}

// TestInsertedManyBadMinutes: rows behind any number of minutes that can't be read are read, and a poll asks for
// each of these once or twice as soon as it knows them.
func TestInsertedManyBadMinutes(t *testing.T) {
	noon := declaredtest.Noon
	f := new(declaredtest.API)
	newest := time.Time{}
	f.Answer = func(r *http.Request) (string, http.Header) {
		from, to := askedSpan(r)
		for n := range 6 {
			if bad := noon.Add(-time.Duration(5+9*n) * time.Minute); !bad.Before(from) && bad.Before(to) {
				return "!404", nil
			}
		}
		if to.After(newest) && from.Before(to.Add(-90*time.Second)) { // not the newest minute alone
			newest = to
		}
		return declaredtest.Rows(5), nil
	}
	p := newPoller(t, f, bySpan+"{by: inserted, max_range: 2h, retention: 12h}", time.Hour)
	for poll := range 20 {
		_, err := p.poll(time.Duration(10*poll) * time.Minute)
		if late := f.Now.Sub(newest); err == nil || poll > 6 && late > 10*time.Minute {
			t.Errorf("poll %d: the newest %s weren't asked for, %v", poll, late, err)
		}
		if len(f.Asked) > 60 || poll > 6 && len(f.Asked) > 20 {
			t.Errorf("poll %d: asked %d times", poll, len(f.Asked))
		}
	}
}

// TestInsertedMinutesThatHeal: what the provider can give again is read soon, however much it couldn't give, and
// however long ago that was.
func TestInsertedMinutesThatHeal(t *testing.T) {
	noon := declaredtest.Noon
	type minutes struct{ from, to, until time.Duration } // after noon
	for _, c := range []struct {
		name, filter  string
		history       time.Duration
		bad           []minutes
		polls, asking int
	}{
		{
			"a day of a history, for ten minutes", "{by: inserted, max_range: 2h, overlap: 5m}", 7 * 24 * time.Hour,
			[]minutes{{-7 * 24 * time.Hour, -6 * 24 * time.Hour, 10 * time.Minute}},
			30, 100,
		},
		{
			"nine of ten minutes, after an hour", "{by: inserted, max_range: 2h, retention: 12h}", time.Hour,
			[]minutes{
				{-30 * time.Minute, -20 * time.Minute, time.Hour},
				{-30 * time.Minute, -29 * time.Minute, 24 * time.Hour},
			},
			90, 45,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := new(declaredtest.API)
			since := func() time.Duration { return f.Now.Sub(noon) }
			served := make(map[time.Time]bool)
			f.Answer = func(r *http.Request) (string, http.Header) {
				from, to := askedSpan(r)
				for _, b := range c.bad {
					if from.Before(noon.Add(b.to)) && noon.Add(b.from).Before(to) && since() < b.until {
						return "!404", nil
					}
				}
				for at := from; at.Before(to); at = at.Add(time.Minute) {
					served[at.Truncate(time.Minute)] = true
				}
				return declaredtest.Rows(5), nil
			}
			p := newPoller(t, f, bySpan+c.filter, c.history)
			for minute := range c.polls {
				_, _ = p.poll(time.Duration(minute) * time.Minute)
				if len(f.Asked) > c.asking {
					t.Errorf("minute %d: asked %d times", minute, len(f.Asked))
				}
			}
			missing := 0
			for at := -c.history; at < 0; at += time.Minute {
				last := c.bad[len(c.bad)-1]
				isBad := at >= last.from && at < last.to && since() < last.until
				if !isBad && !served[noon.Add(at)] {
					missing++
				}
			}
			if missing > 0 {
				t.Errorf("%d minutes were never read", missing)
			}
		})
	}
}

// TestInsertedLossAfterARestart: what a long outage lost is shown after a restart too, and by another replica.
func TestInsertedLossAfterARestart(t *testing.T) {
	for name, process := range map[string][]int{"restarts": {0, 1, 2}, "another replica between": {0, 1, 0}} {
		t.Run(name, func(t *testing.T) {
			p := newPoller(t, declaredtest.Always(declaredtest.Rows(600)), inserted, 24*time.Hour)
			processes := []*collector.FeedInfo{p.info, p.Open(t, "", inserted), p.Open(t, "", inserted)}
			var lost time.Duration
			for i, after := range []time.Duration{0, 8 * time.Hour, 8*time.Hour + time.Minute} {
				p.info = processes[process[i]]
				_, err := p.poll(after)
				require.NoError(t, err)
				if got := p.info.Unread(); got < lost || i > 0 && got < 3*time.Hour {
					t.Errorf("after %s: %s are unread, %s before", after, got, lost)
				}
				lost = p.info.Unread()
			}
		})
	}
}

// unreadable is a provider that can't give what was inserted in a span.
func unreadable(from, to time.Time) *declaredtest.API {
	f := new(declaredtest.API)
	f.Answer = func(r *http.Request) (string, http.Header) {
		if first, last := askedSpan(r); first.Before(to) && from.Before(last) {
			return "!404", nil
		}
		return declaredtest.Rows(5), nil
	}
	return f
}

// TestInsertedHourThatIsDeleted: an hour that the provider couldn't give until it deleted it is lost once.
func TestInsertedHourThatIsDeleted(t *testing.T) {
	noon := declaredtest.Noon
	f := unreadable(noon.Add(-12*time.Hour), noon.Add(-11*time.Hour))
	p := newPoller(t, f, bySpan+"{by: inserted, max_range: 2h, retention: 12h}", 13*time.Hour)
	_, _ = p.poll(-12 * time.Hour)
	for minute := range 74 {
		_, _ = p.poll(time.Duration(minute) * time.Minute)
		if got := p.info.Unread(); got > time.Hour+2*time.Minute {
			t.Fatalf("after %d minutes %s are unread", minute, got)
		}
	}
	if got := p.info.Unread(); got < time.Hour {
		t.Errorf("%s are unread, want an hour", got)
	}
}

// TestInsertedMinuteThatIsGivenUp: without a retention the reader asks for a bad minute until two days after the
// lookback, and for all behind it.
func TestInsertedMinuteThatIsGivenUp(t *testing.T) {
	noon := declaredtest.Noon
	f := unreadable(noon, noon.Add(time.Minute))
	p := newPoller(t, f, bySpan+"{by: inserted, max_range: 2h, overlap: 5m}", time.Hour)
	for _, c := range []struct {
		after time.Duration
		polls int
		held  bool
	}{{time.Hour, 6, true}, {p.info.Lookback + 47*time.Hour, 1, true}, {p.info.Lookback + 49*time.Hour, 2, false}} {
		var err error
		for range c.polls {
			_, err = p.poll(c.after)
		}
		held, unread := err != nil, p.info.Unread()
		if held != c.held || !held && len(f.Asked) > 1 || unread < time.Minute || unread > 2*time.Minute {
			t.Errorf("after %s: %v, asked %d times, %s unread", c.after, err, len(f.Asked), unread)
		}
	}
}

// TestInsertedMinutesThatAreGivenUp: minutes that follow each other are given up one after the other, each once.
func TestInsertedMinutesThatAreGivenUp(t *testing.T) {
	noon := declaredtest.Noon
	f := unreadable(noon, noon.Add(10*time.Minute))
	p := newPoller(t, f, bySpan+"{by: inserted, max_range: 2h, overlap: 5m}", time.Hour)
	var err error
	begin := p.info.Lookback + 48*time.Hour - 10*time.Minute
	for _, since := range []time.Duration{time.Hour, begin} {
		for minute := range 60 {
			_, err = p.poll(since + time.Duration(minute)*time.Minute)
		}
	}
	if unread := p.info.Unread(); err != nil || unread < 10*time.Minute || unread > 12*time.Minute {
		t.Errorf("%v, %s unread", err, unread)
	}
}
