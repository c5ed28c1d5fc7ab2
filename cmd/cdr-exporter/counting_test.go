package main_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	rcsim "github.com/cdr-exporter/cdr-exporter/collector/ringcentral/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator/otlpsink"
)

// counted says how what a feed has counted differs from what there was in these
// instants.
func (x *exporter) counted(p place, feed string, at ...time.Time) error {
	return diff(x.scrape().tables(p.source(), feed), p.tables(feed, at...))
}

// shows waits until the series of a metric that hold the labels add up to a value, showsSome until they aren't 0.
func (x *exporter) shows(want float64, metric string, labels ...string) {
	x.t.Helper()
	x.showsSum(fmt.Sprint(want), func(sum float64) bool { return sum == want }, metric, labels...)
}

func (x *exporter) showsSome(metric string, labels ...string) {
	x.t.Helper()
	x.showsSum("some", func(sum float64) bool { return sum != 0 }, metric, labels...)
}

func (x *exporter) showsSum(want string, is func(sum float64) bool, metric string, labels ...string) {
	x.t.Helper()
	eventually(x.t, fmt.Sprint("show ", want, " of ", metric, labels), func() error {
		x.running()
		if got := x.scrape().sum(metric, labels...); !is(got) {
			return fmt.Errorf("it shows %g", got)
		}
		return nil
	})
}

// counts waits until the metrics of every feed are what there was in these instants.
func (x *exporter) counts(p place, at ...time.Time) {
	x.t.Helper()
	for _, feed := range p.feeds() {
		x.countsFeed(p, p.source(), feed, at...)
	}
}

// countsFeed is counts for one feed, of a source that may have another name.
func (x *exporter) countsFeed(p place, source, feed string, at ...time.Time) {
	x.t.Helper()
	want := p.tables(feed, at...)
	eventually(x.t, fmt.Sprintf("count %s/%s exactly", source, feed), func() error {
		x.running()
		return diff(x.scrape().tables(source, feed), want)
	})
}

// earlierNow is the present by the earlier clock, a provider's or this machine's: no watermark goes further.
func earlierNow(p interface{ Now() time.Time }) time.Time {
	now := p.Now()
	if local := time.Now(); local.Before(now) {
		return local
	}
	return now
}

// reaches says by how much a feed's watermark is before a time.
func (f families) reaches(now time.Time, source, feed string) error {
	at, err := f.one("cdr_exporter_watermark_timestamp_seconds", "source="+source, "feed="+feed)
	if want := float64(now.UnixMilli()) / 1000; err == nil && at < want {
		err = fmt.Errorf("the watermark of %s/%s is %gs behind", source, feed, want-at)
	}
	return err
}

// unfold moves time ahead until everything was published, and expects exact totals at
// each step. It begins with publication held.
func (x *exporter) unfold(e *estate) {
	x.t.Helper()
	x.countsAll(e)
	for range 3 {
		e.pass(12 * time.Hour)
		x.countsAll(e)
	}
}

// TestFairWeather (guarantees 1, 3, 5): the counted and delivered calls are the simulators' calls,
// and both exports agree. RingCentral's limit isn't overrun; its minute is shortened.
func TestFairWeather(t *testing.T) {
	t.Parallel()
	e := newEstate(t, estateSettings{
		seed: 1, calls: 800, era: presentEra,
		ringcentral: rcsim.Settings{Heavy: 10, Auth: 5, Window: 2 * time.Second},
	})
	e.hold()
	r := newReceiver(t, e.vault, otlpsink.Settings{})
	x := e.start(settings{OTLP: r.overHTTP("")}).ready()
	for _, p := range e.places() {
		for _, feed := range p.feeds() {
			if err := x.counted(p, feed, e.at(p)...); err != nil {
				t.Errorf("%s/%s once it is ready: %v", p.source(), feed, err)
			}
		}
	}
	x.rowsAll(e)
	x.inProgress(e)
	for _, p := range []place{e.office, e.desk, e.carrier} {
		if found := x.scrape().sum("cdr_active_calls", "source="+p.source()); found == 0 {
			t.Errorf("no call of %s is in progress", p.source())
		}
	}
	x.reconciled(e.carrier)
	r.completeAll(e)
	r.agrees(x)
	// All ended days before they were first seen.
	if found := x.scrape().series("cdr_calls_total", "source=contoso", "late=false"); len(found) != 0 {
		t.Errorf("old calls aren't late: %v", found)
	}
	x.stop()
	if n := e.office.Requests().Count("")[http.StatusTooManyRequests]; n != 0 {
		t.Errorf("RingCentral throttled %d requests", n)
	}
	if n := r.Repeats(); n != 0 {
		t.Errorf("%d log records came twice though nothing failed", n)
	}
	if got := e.office.Sessions(); got != 0 {
		t.Errorf("%d sessions are open after the end", got)
	}
	x = e.start(settings{}).ready()
	x.countsAll(e)
	x.stop()
}

// rows checks the row counts of a process that has read a place from the beginning: each row is new
// or set aside once.
func (x *exporter) rows(p place, at ...time.Time) {
	x.t.Helper()
	for _, feed := range p.feeds() {
		want, m := p.tally(feed, at...), x.scrape()
		for result, rows := range map[string]int{
			"new": want.records, "revised": want.revised, "invalid": want.invalid, "ignored": want.ignored,
			"too_old": 0,
		} {
			if err := m.is(float64(rows), "cdr_exporter_rows_total", "source="+p.source(), "feed="+feed,
				"result="+result); err != nil {
				x.t.Error(err)
			}
		}
		if got := x.feed(p.source(), feed).Records; got != int64(want.calls) {
			x.t.Errorf("the status tells %d calls of %s/%s, want %d", got, p.source(), feed, want.calls)
		}
	}
}

// rowsAll is rows for all sources.
func (x *exporter) rowsAll(e *estate) {
	x.t.Helper()
	for _, p := range e.places() {
		x.rows(p, e.at(p)...)
	}
}

// inProgress waits until cdr_active_calls of every source is what the provider says.
// Publication is held.
func (x *exporter) inProgress(e *estate) {
	x.t.Helper()
	for _, p := range e.places() {
		want := p.active(p.Visible())
		eventually(x.t, "show the calls of "+p.source()+" that are in progress", func() error {
			m := x.scrape()
			for _, d := range []cdr.Direction{cdr.Inbound, cdr.Outbound, cdr.Internal, cdr.DirectionUnknown} {
				if got := m.sum("cdr_active_calls", "source="+p.source(),
					"direction="+d.String()); int(got) != want[d] {
					return fmt.Errorf("%g are %s, want %d", got, d, want[d])
				}
			}
			if n := len(m.series("cdr_active_calls", "source="+p.source())); want == nil && n > 0 {
				return fmt.Errorf("%d series though nobody asks", n)
			}
			return nil
		})
	}
}

// reconciled waits until the provider's totals of today and yesterday are shown, and
// agree with ours.
func (x *exporter) reconciled(c *carrier) {
	x.t.Helper()
	eventually(x.t, "show the provider's totals", func() error {
		m, at := x.scrape(), c.Visible()
		var wrong []error
		for day, before := range map[string]int{"today": 0, "yesterday": -1} {
			date := time.Now().UTC().AddDate(0, 0, before)
			want := c.DayTotals(date, at)
			wrong = append(wrong,
				m.is(float64(want), "cdr_exporter_provider_records", "source=wave", "feed=call_log", "day="+day),
				m.is(0, "cdr_exporter_reconciliation_difference", "source=wave", "feed=call_log", "day="+day))
		}
		return errors.Join(wrong...)
	})
}
