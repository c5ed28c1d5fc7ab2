package ledger

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

const sbc1Peak = "cdr_call_peak_concurrency{sbc1.example.com}"

// lasting makes a call connected for a length of time, from a time after epoch.
func lasting(from, length time.Duration) func(*cdr.Record) {
	return func(r *cdr.Record) { r.Start, r.Duration, r.End = epoch.Add(from), length, epoch.Add(from+length) }
}

func over(trunk string) func(*cdr.Record) { return func(r *cdr.Record) { r.Trunk = trunk } }

// onto makes a call that came over another trunk occupy sbc1.example.com too.
func onto(r *cdr.Record) {
	second := new(r.Leg())
	second.Direction, second.Trunk, second.Implied = cdr.Outbound, "sbc1.example.com", true
	r.Second = second
}

// newPeakRig is a rig whose watermark is at 14:00: the hour begins at epoch, 12:00, and
// ends at 13:00.
func newPeakRig(t *testing.T, options ...func(*FeedSpec)) *rig {
	r := newRig(t)
	r.spec.Feed, r.spec.History = "other", 48*time.Hour
	for _, o := range options {
		o(&r.spec)
	}
	r.reopen()
	r.clock.at = epoch.Add(150 * time.Minute)
	r.commit(&counting.Page{Position: &counting.Position{HistoryDone: true, Watermark: epoch.Add(2 * time.Hour)}})
	return r
}

// peakCalls reads pages of calls: `a 1m 2m busy; b 3m 1m | a 1m 3m`. A call has an id, how long after epoch it begins,
// how long it lasts, and words of peakWords.
func peakCalls(t *testing.T, text string) (pages [][]*cdr.Record) {
	for page := range strings.SplitSeq(text, "|") {
		var records []*cdr.Record
		for one := range strings.SplitSeq(page, ";") {
			words := strings.Fields(one)
			if len(words) == 0 {
				continue
			}
			from, err := time.ParseDuration(words[1])
			length, err2 := time.ParseDuration(words[2])
			require.NoError(t, errors.Join(err, err2))
			r := call(words[0], lasting(from, length))
			for _, word := range words[3:] {
				peakWords[word](r)
			}
			records = append(records, r)
		}
		pages = append(pages, records)
	}
	return pages
}

var peakWords = map[string]func(*cdr.Record){
	"busy": outcome(cdr.Busy), "failed": outcome(cdr.Failed), "voicemail": outcome(cdr.Voicemail),
	"unclear": outcome(cdr.NotConnected), "v1": version(1), "v2": version(2), "leg": inGroup("g"),
	"on-x": over("x"), "onto": onto,
	"no-length": func(r *cdr.Record) { r.NoDuration = true },
	"no-end":    func(r *cdr.Record) { r.End = time.Time{} },
	"ends-4m":   func(r *cdr.Record) { r.End = epoch.Add(4 * time.Minute) },
	"wrong-end": func(r *cdr.Record) { r.End = epoch.Add(1000 * time.Hour) },
	"answer-3m": func(r *cdr.Record) { r.Answer = epoch.Add(3 * time.Minute) },
	"rings-2m":  func(r *cdr.Record) { r.Ringing = cdr.KnownLength(2 * time.Minute) },
}

// Contract 3: the most calls connected at once in the hour that ends at the watermark minus
// late_after: edges and oddities of times, trunks and legs. TestPeakModel has the usual calls.
func TestPeakConcurrency(t *testing.T) {
	for _, c := range []struct{ name, pages, want string }{
		{"no call", "", ""},
		{"one ends in the instant in which the other begins", "b 2m 1m; a 1m 1m", "1"},
		{"and a microsecond later", "b 2m 1m; a 1m 1m1us", "2"},
		{"across the beginning and the end", "a -30h 40h; b -1m 2m; c 59m 2m", "2"},
		{"before the hour", "a -2m 1m; b -2m 1m", ""},
		{"after the hour", "a 90m 1m; b 90m 1m", "0"},
		{"up to its first instant", "a -1m 1m; b 1m 1m", "1"},
		{"from its end on", "a 1h 1m; b 1h 1m; c 0 1m", "1"},
		{"just within its end", "a 59m59.999999s 1m; b 59m59.999999s 1m", "2"},
		{"more before the hour than in it", "a -1m 30s; b -1m 90s", "1"},
		{"not connected", "a 1m 1m busy", ""},
		{"voicemail", "a 1m 1m voicemail", "1"},
		{"no length", "a 1m 0", ""},
		{"a length that isn't told", "a 1m 1m no-length", ""},
		{"an end that isn't told", "a 1m 1m no-end; b 90s 1m", "2"},
		{"an end that can't be", "a -3m 1m wrong-end; b 1m 1m", "1"},
		{"a length that can't be", "a 1m 1000h", ""},
		{"from the answer", "a 1m 3m answer-3m; b 1m 2m", "1"},
		{"from the end of its ringing", "a 1m 1m rings-2m; b 1m 2m", "1"},
		{"as long as it was connected", "a 1m 1m ends-4m; b 3m 1m", "1"},
		{"as a leg is", "a 1m 1m ends-4m leg; b 3m 1m", "1"},
		{"a wrong end after an answer", "a 1m 1m answer-3m wrong-end; b 3m 30s", "2"},
		{"versions on one page", "a 1m 3m v2; a 1m 1m v1; b 3m 1m", "2"},
		{"a trunk that is revised", "a 1m 1m on-x | a 1m 2m", ""},
		{"a duration that isn't told any more", "a 1m 1m | a 1m 0 no-length unclear", "1"},
		{"the second trunk of a call", "a 1m 1m on-x onto; b 1m 1m", "2"},
		{"a longer duration on the second trunk", "a 1m 1m on-x onto; b 3m 1m | a 1m 3m on-x onto", "2"},
		{"a second trunk that wasn't connected after all", "a 1m 1m on-x onto | a 1m 1m on-x onto failed", "0"},
		{"two legs of a call", "a 1m 1m leg; b 1m 1m leg", "1"},
		{"legs of a call one after the other", "a 1m 1m leg; b 3m 1m leg; x 3m 1m", "2"},
		{"a late leg that connects its call", "a 1m 1m leg busy; x 2m 1m | b 2m 1m leg", "2"},
		{"a late leg at the same time", "a 1m 3m leg | b 2m 1m leg", "1"},
		{"a leg that is longer", "a 1m 1m leg; x 5m 1m | a 1m 5m leg", "2"},
		{"a leg that isn't connected after all", "a 1m 1m leg | a 1m 1m leg busy", "0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newPeakRig(t, ofLegs)
			for _, p := range peakCalls(t, c.pages) {
				r.records(p...)
			}
			wantValues(t, r.values(), map[string]string{sbc1Peak: c.want})
			r.reopen()
			wantValues(t, r.values(), map[string]string{sbc1Peak: c.want})
		})
	}
}

// The hour moves with the watermark, and with late_after.
func TestPeakOfTheHour(t *testing.T) {
	r := newPeakRig(t)
	r.records(
		call("a", lasting(0, 10*time.Minute)), call("b", lasting(time.Minute, 10*time.Minute)),
		call("c", lasting(50*time.Minute, 30*time.Minute)))
	for _, step := range []struct {
		watermark, late time.Duration
		want            string
	}{
		{2 * time.Hour, time.Hour, "2"},
		{130*time.Minute - 1, time.Hour, "2"},
		{130 * time.Minute, time.Hour, "1"},    // 12:10: a has ended
		{120 * time.Minute, time.Hour, "1"},    // it never goes back
		{131 * time.Minute, 2 * time.Hour, ""}, // what ended before 12:10 is deleted
		{131 * time.Minute, time.Hour, "1"},
		{200*time.Minute - 1, time.Hour, "1"},
		{200 * time.Minute, time.Hour, "0"},
		{1000 * time.Minute, time.Hour, "0"},
	} {
		if at := epoch.Add(step.watermark); at.After(r.clock.at) {
			r.clock.at = at
		}
		r.spec.LateAfter = step.late
		r.openFeed()
		r.readTo(epoch.Add(step.watermark))
		if got := r.values()[sbc1Peak]; got != step.want {
			t.Errorf("watermark %v, late after %v: %q, want %q", step.watermark, step.late, got, step.want)
		}
	}
	if n := r.count("connected"); n != 0 {
		t.Errorf("%d minutes are left over", n)
	}
}

// While the watermark stands, what is kept doesn't grow without bound; when it moves on, the peak is shown again.
func TestPeakOfAStandingWatermark(t *testing.T) {
	r := newPeakRig(t)
	at := 2 * time.Hour
	for range 120 {
		at += time.Hour
		r.clock.at = epoch.Add(at)
		r.records(call(at.String(), lasting(at-time.Minute, 30*time.Second)))
	}
	if n := r.count("connected"); n > 80 {
		t.Errorf("%d minutes are kept", n)
	}
	wantValues(t, r.values(), map[string]string{sbc1Peak: ""})
	r.readTo(r.clock.at)
	wantValues(t, r.values(), map[string]string{sbc1Peak: "1"})
}

// counting.md 20: nothing of a first history is shown until it is done.
func TestPeakOfAFirstHistory(t *testing.T) {
	r := newRig(t)
	r.clock.at = epoch.Add(3 * time.Hour)
	r.commit(&counting.Page{
		Records:  []*cdr.Record{call("a", lasting(time.Minute, time.Minute))},
		Position: &counting.Position{Watermark: epoch.Add(2 * time.Hour)},
	})
	wantValues(t, r.values(), map[string]string{sbc1Peak: ""})
	r.reopen()
	r.commit(&counting.Page{Position: &counting.Position{HistoryDone: true}})
	wantValues(t, r.values(), map[string]string{sbc1Peak: "1"})
}

// A trunk's name may have a character that PostgreSQL doesn't take.
func TestTrunkWithNUL(t *testing.T) {
	r := newLiveRig(t)
	r.records(call("a", over("sbc\x00")))
	wantValues(t, r.values(), map[string]string{"cdr_calls_total{inbound,byot_in,answered,sbc\uFFFD,false}": "1"})
}

// counting.md 22: past the limit trunks are folded into one.
func TestPeakOverflow(t *testing.T) {
	r := newPeakRig(t)
	r.opts.SeriesLimit = 2
	r.reopen()
	page := func(name string) []*cdr.Record {
		var all []*cdr.Record
		for i, trunk := range []string{"t1", "t2", "t3", "t4"} {
			all = append(all, call(name+trunk, over(trunk), lasting(time.Duration(i)*time.Second, time.Minute)))
		}
		return all
	}
	r.records(page("a")...)
	r.records(page("b")...)
	r.opts.SeriesLimit = 100
	r.reopen()
	r.records(page("c")...)
	want := func(t1, t2, t3, overflow string) {
		t.Helper()
		wantValues(t, r.values(), map[string]string{
			"cdr_call_peak_concurrency{t1}": t1, "cdr_call_peak_concurrency{t2}": t2,
			"cdr_call_peak_concurrency{t3}": t3, "cdr_call_peak_concurrency{overflow}": overflow,
		})
	}
	want("3", "3", "1", "4")
	r.records(call("at3", over("t3"), lasting(2*time.Second, 0)),
		call("bt4", over("t4"), lasting(3*time.Second, time.Minute), outcome(cdr.Failed)))
	want("3", "3", "1", "2")
}

// peakModel is every call that is connected, by its id.
type peakModel map[string]peakCall

type peakCall struct {
	trunk      string
	start, end time.Time
}

// peak is the most calls of a trunk at once in the hour before a time: at its begin or
// where one of them starts.
func (m peakModel) peak(trunk string, end time.Time) int {
	instants := []time.Time{end.Add(-time.Hour)}
	for _, c := range m {
		if c.start.After(instants[0]) && c.start.Before(end) {
			instants = append(instants, c.start)
		}
	}
	most := 0
	for _, at := range instants {
		n := 0
		for _, c := range m {
			if c.trunk == trunk && !c.start.After(at) && c.end.After(at) {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

// The peak is exact after any sequence of new, late, repeated and revised records,
// failures, crashes and restarts, as the hour moves on.
func TestPeakModel(t *testing.T) {
	for seed := range seeds(2) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			d := &peakDrive{
				rig: newPeakRig(t, func(s *FeedSpec) { s.Rules = moving(seed%2 == 1); s.Lookback = 240 * time.Hour }),
				rng: rand.New(rand.NewPCG(seed, 7)), model: make(peakModel),
			}
			for range 120 {
				d.step()
			}
		})
	}
}

type peakDrive struct {
	*rig
	rng   *rand.Rand
	model peakModel
	calls int
}

var peakTrunks = []string{"", "sbc1.example.com", "sbc2.example.com"}

func (d *peakDrive) step() {
	d.clock.add(time.Duration(d.rng.IntN(1200)) * time.Second)
	page, then := d.page()
	durable := true
	switch d.rng.IntN(6) {
	case 0:
		d.reopen()
		return
	case 1:
		durable = d.failing(d.rng, page)
	case 2:
		durable = d.crashing(d.rng, page)
	default:
		d.commit(page)
	}
	if durable {
		d.model = then
	}
	end := d.feed.State().Watermark.Add(-time.Hour)
	got := d.values()
	for _, trunk := range peakTrunks {
		want := fmt.Sprint(d.model.peak(trunk, end))
		if v := got["cdr_call_peak_concurrency{"+trunk+"}"]; v != want && (v != "" || want != "0") {
			d.t.Fatalf("%q has a peak of %q in the hour before %v, want %s", trunk, v, end, want)
		}
	}
}

// page is a random page with what the calls are after it.
func (d *peakDrive) page() (*counting.Page, peakModel) {
	page, then := &counting.Page{ObservedAt: d.clock.at}, maps.Clone(d.model)
	for range d.rng.IntN(30) {
		n := d.calls
		if n > 0 && d.rng.IntN(3) == 0 {
			n = max(0, n-1-d.rng.IntN(40)) // a revision, or the same again
		} else {
			d.calls++
		}
		id := fmt.Sprint("id", n)
		r := d.call(id, n)
		page.Records = append(page.Records, r)
		delete(then, id)
		if r.Outcome.Connected() && r.Duration > 0 {
			then[id] = peakCall{trunk: r.Trunk, start: r.Start, end: r.Start.Add(r.Duration)}
		}
	}
	if d.rng.IntN(3) > 0 {
		page.Position = &counting.Position{Watermark: d.clock.at.Add(-time.Duration(d.rng.IntN(600)) * time.Second)}
	}
	return page, then
}

// call is a random version of a call. Its start and trunk follow from its number; of a feed
// without hours its start moves. One in a few begins and ends on a full minute.
func (d *peakDrive) call(id string, n int) *cdr.Record {
	own := rand.New(rand.NewPCG(uint64(n), 3))
	begin := d.clock.at
	if c, known := d.model[id]; known {
		begin = c.start
	} else {
		begin = begin.Add(-time.Duration(own.IntN(5*3600*1000)) * time.Millisecond)
	}
	length := time.Duration(d.rng.IntN(600*1000)) * time.Millisecond
	switch d.rng.IntN(8) {
	case 0:
		length *= 20
	case 1:
		length = 0
	case 2, 3, 4:
		begin, length = begin.Truncate(time.Minute), length.Truncate(time.Minute)
	}
	r := call(id, start(begin), over(peakTrunks[n%len(peakTrunks)]))
	r.Duration = length
	if length == 0 || d.rng.IntN(10) == 0 {
		r.Outcome = cdr.Busy
	}
	return r
}

// If an hour begins before the feed's origin, not all of its calls are counted. So the
// ledger shows no peak for it, neither 0 nor the peak of a part.
func TestPeakOfAnHourBeforeTheOrigin(t *testing.T) {
	for _, history := range []time.Duration{0, time.Hour} {
		t.Run(history.String(), func(t *testing.T) {
			r := newLiveRig(t, func(r *rig) { r.spec.Feed, r.spec.History = "other", history })
			origin := r.feed.State().Origin
			r.clock.add(4 * time.Hour)
			r.records(call("a", start(origin.Add(20*time.Minute))))
			for _, step := range []struct {
				after time.Duration // of the hour's beginning after the origin
				want  string
			}{
				{-time.Hour, ""}, {-30 * time.Minute, ""}, {-time.Second, ""}, {0, "1"}, {30 * time.Minute, "0"},
			} {
				r.readTo(origin.Add(step.after + counting.PeakWindow + r.spec.LateAfter))
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
	r := newRig(t, func(r *rig) { r.spec.LateAfter = 0 })
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
	wantValues(t, r.values(), map[string]string{sbc1Peak: "1"})
}
