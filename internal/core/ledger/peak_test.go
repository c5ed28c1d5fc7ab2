package ledger

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
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

// Contract 3: the most calls connected at once in the hour that ends at the watermark
// minus late_after.
func TestPeakConcurrency(t *testing.T) {
	type pages = [][]*cdr.Record
	const minute, hour = time.Minute, time.Hour
	absent := func(r *cdr.Record) { r.NoDuration = true }
	for _, c := range []struct {
		name  string
		pages pages
		want  string
	}{
		{"no call", nil, ""},
		{"one call", pages{{call("a", lasting(minute, minute))}}, "1"},
		{"two at once", pages{{
			call("a", lasting(minute, minute)),
			call("b", lasting(minute+time.Microsecond, minute)),
		}}, "2"},
		{"one after the other", pages{{call("a", lasting(minute, minute)), call("b", lasting(3*minute, minute))}}, "1"},
		{
			"one ends in the instant in which the other begins",
			pages{{call("b", lasting(2*minute, minute)), call("a", lasting(minute, minute))}},
			"1",
		},
		{"and a microsecond later", pages{{
			call("b", lasting(2*minute, minute)),
			call("a", lasting(minute, minute+time.Microsecond)),
		}}, "2"},
		{
			"another trunk",
			pages{{call("a", lasting(minute, minute)), call("b", lasting(minute, minute), over("x"))}},
			"1",
		},
		{"across the beginning and the end", pages{{
			call("a", lasting(-30*hour, 40*hour)),
			call("b", lasting(-minute, 2*minute)), call("c", lasting(59*minute, 2*minute)),
		}}, "2"},
		{"before the hour", pages{{call("a", lasting(-2*minute, minute)), call("b", lasting(-2*minute, minute))}}, ""},
		{"before the hour, with another in it", pages{{
			call("a", lasting(-2*minute, minute)),
			call("b", lasting(-2*minute, minute)), call("c", lasting(minute, minute)),
		}}, "1"},
		{"after the hour", pages{{call("a", lasting(90*minute, minute)), call("b", lasting(90*minute, minute))}}, "0"},
		{
			"up to its first instant",
			pages{{call("a", lasting(-minute, minute)), call("b", lasting(minute, minute))}},
			"1",
		},
		{"from its end on", pages{{
			call("a", lasting(hour, minute)), call("b", lasting(hour, minute)),
			call("c", lasting(0, minute)),
		}}, "1"},
		{"just within its end", pages{{
			call("a", lasting(hour-time.Microsecond, minute)),
			call("b", lasting(hour-time.Microsecond, minute)),
		}}, "2"},
		{
			"more before the hour than in it",
			pages{{call("a", lasting(-minute, 30*time.Second)), call("b", lasting(-minute, 90*time.Second))}},
			"1",
		},
		{"not connected", pages{{call("a", lasting(minute, minute), outcome(cdr.Busy))}}, ""},
		{"voicemail", pages{{call("a", lasting(minute, minute), outcome(cdr.Voicemail))}}, "1"},
		{"no length", pages{{call("a", lasting(minute, 0))}}, ""},
		{"a length that isn't told", pages{{call("a", lasting(minute, minute), absent)}}, ""},
		{"an end that isn't told", pages{{call("a", lasting(minute, minute),
			func(r *cdr.Record) { r.End = time.Time{} }), call("b", lasting(90*time.Second, minute))}}, "2"},
		{"an end that can't be", pages{{call("a", lasting(-3*minute, minute),
			func(r *cdr.Record) { r.End = epoch.Add(1000 * hour) }), call("b", lasting(minute, minute))}}, "1"},
		{"a length that can't be", pages{{call("a", lasting(minute, 1000*hour))}}, ""},
		{"from the answer", pages{{call("a", lasting(minute, 3*minute),
			func(r *cdr.Record) { r.Answer = epoch.Add(3 * minute) }), call("b", lasting(minute, 2*minute))}}, "1"},
		{"the same again", pages{
			{call("a", lasting(minute, minute)), call("a", lasting(minute, minute))},
			{call("a", lasting(minute, minute))},
		}, "1"},
		{"a late record", pages{{call("a", lasting(minute, minute))}, nil, {call("b", lasting(minute, minute))}}, "2"},
		{"a longer duration", pages{
			{call("a", lasting(minute, minute)), call("b", lasting(3*minute, minute))},
			{call("a", lasting(minute, 3*minute))},
		}, "2"},
		{"a shorter duration", pages{
			{call("a", lasting(minute, 3*minute)), call("b", lasting(3*minute, minute))},
			{call("a", lasting(minute, minute))},
		}, "1"},
		{"longer, into the hour", pages{
			{call("a", lasting(-3*minute, minute)), call("b", lasting(-30*hour, minute))},
			{call("a", lasting(-3*minute, 5*minute)), call("b", lasting(-30*hour, 31*hour))},
		}, "2"},
		{"shorter, out of the hour", pages{
			{call("a", lasting(-3*minute, 5*minute))},
			{call("a", lasting(-3*minute, minute))},
		}, "0"},
		{"a call that becomes connected", pages{
			{call("a", lasting(minute, minute), outcome(cdr.Busy))},
			{call("a", lasting(minute, minute))},
		}, "1"},
		{
			"a call that isn't connected after all",
			pages{{call("a", lasting(minute, minute))}, {call("a", lasting(minute, minute), outcome(cdr.Failed))}},
			"0",
		},
		{"versions on one page", pages{{
			call("a", lasting(minute, 3*minute), version(2)),
			call("a", lasting(minute, minute), version(1)), call("b", lasting(3*minute, minute)),
		}}, "2"},
		{"a trunk that is revised", pages{
			{call("a", lasting(minute, minute), over("x"))},
			{call("a", lasting(minute, 2*minute))},
		}, ""},
		{"a duration that isn't told any more", pages{
			{call("a", lasting(minute, minute))},
			{call("a", lasting(minute, 0), absent, func(r *cdr.Record) { r.Outcome = cdr.NotConnected })},
		}, "1"},
		{"the second trunk of a call", pages{{
			call("a", lasting(minute, minute), over("x"), onto),
			call("b", lasting(minute, minute)),
		}}, "2"},
		{"a longer duration on the second trunk", pages{
			{call("a", lasting(minute, minute), over("x"), onto), call("b", lasting(3*minute, minute))},
			{call("a", lasting(minute, 3*minute), over("x"), onto)},
		}, "2"},
		{"a second trunk that wasn't connected after all", pages{
			{call("a", lasting(minute, minute), over("x"), onto)},
			{call("a", lasting(minute, minute), over("x"), onto, outcome(cdr.Failed))},
		}, "0"},
		{"two legs of a call", pages{{
			call("a", lasting(minute, minute), inGroup("g")),
			call("b", lasting(minute, minute), inGroup("g")),
		}}, "1"},
		{"legs of a call one after the other", pages{{
			call("a", lasting(minute, minute), inGroup("g")), call("b", lasting(3*minute, minute), inGroup("g")),
			call("x", lasting(3*minute, minute)),
		}}, "2"},
		{"a late leg that connects its call", pages{
			{call("a", lasting(minute, minute), inGroup("g"), outcome(cdr.Busy)), call("x", lasting(2*minute, minute))},
			{call("b", lasting(2*minute, minute), inGroup("g"))},
		}, "2"},
		{"a late leg at the same time", pages{
			{call("a", lasting(minute, 3*minute), inGroup("g"))},
			{call("b", lasting(2*minute, minute), inGroup("g"))},
		}, "1"},
		{"a leg that is longer", pages{
			{call("a", lasting(minute, minute), inGroup("g")), call("x", lasting(5*minute, minute))},
			{call("a", lasting(minute, 5*minute), inGroup("g"))},
		}, "2"},
		{"a leg that isn't connected after all", pages{
			{call("a", lasting(minute, minute), inGroup("g"))},
			{call("a", lasting(minute, minute), inGroup("g"), outcome(cdr.Busy))},
		}, "0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newPeakRig(t, ofLegs)
			for _, p := range c.pages {
				r.records(p...)
				wantPeak := r.values()[sbc1Peak]
				r.reopen()
				if got := r.values()[sbc1Peak]; got != wantPeak {
					t.Fatalf("%q, after a restart %q", wantPeak, got)
				}
			}
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
		if _, err := r.ledger.Feed(t.Context(), r.spec); err != nil {
			t.Fatal(err)
		}
		r.commit(&counting.Page{Position: &counting.Position{Watermark: epoch.Add(step.watermark)}})
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
	for range 240 {
		at += time.Hour
		r.clock.at = epoch.Add(at)
		r.records(call(at.String(), lasting(at-time.Minute, 30*time.Second)))
	}
	if n := r.count("connected"); n > 80 {
		t.Errorf("%d minutes are kept", n)
	}
	wantValues(t, r.values(), map[string]string{sbc1Peak: ""})
	r.commit(&counting.Page{Position: &counting.Position{Watermark: r.clock.at}})
	wantValues(t, r.values(), map[string]string{sbc1Peak: "1"})
}

// count is how many rows a table has.
func (r *rig) count(table string) (n int) {
	r.t.Helper()
	if err := r.ledger.engine.ScanRow(`SELECT count(*) FROM `+table, nil, &n); err != nil {
		r.t.Fatal(err)
	}
	return n
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
	r := newRig(t)
	r.live()
	r.records(call("a", func(c *cdr.Record) { c.Trunk = "sbc\x00" }))
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
	for seed := range seeds(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			d := &peakDrive{
				rig: newPeakRig(t, func(s *FeedSpec) { s.Rules = moving(seed%2 == 1); s.Lookback = 240 * time.Hour }),
				rng: rand.New(rand.NewPCG(seed, 7)), model: make(peakModel), seen: make(map[string]bool),
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
	seen  map[string]bool // trunks that had a call that counts
	calls int
}

var peakTrunks = []string{"", "sbc1.example.com", "sbc2.example.com"}

func (d *peakDrive) step() {
	d.clock.add(time.Duration(d.rng.IntN(1200)) * time.Second)
	page, then := d.page()
	switch d.rng.IntN(6) {
	case 0:
		d.reopen()
		return
	case 1:
		d.failing(page, then)
	case 2:
		d.crashing(page, then)
	default:
		d.commit(page)
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

// failing commits a page of which one write fails, unless it is durable before that write.
func (d *peakDrive) failing(page *counting.Page, then peakModel) {
	left := 2 + d.rng.IntN(12)
	d.probe = func(point string) error {
		if left--; left <= 0 && point != "committed" {
			return errInjected
		}
		return nil
	}
	_, err := d.feed.Commit(d.t.Context(), page)
	d.probe = nil
	if err == nil {
		d.model = then
	}
}

// crashing commits a page and goes on with the files as they were just before or after.
func (d *peakDrive) crashing(page *counting.Page, then peakModel) {
	point := []string{"COMMIT", "committed"}[d.rng.IntN(2)]
	image := Storage{}
	d.probe = func(at string) error {
		if at == point {
			image = d.image()
		}
		return nil
	}
	d.commit(page)
	d.crash(image)
	if point == "committed" {
		d.model = then
	}
}
