package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// fakeReader lists records in pages of two, whose memory it uses again, and fails as often as it is to.
type fakeReader struct {
	records []cdr.Record
	fails   int
	reads   int
	asked   func() // unless nil, called during the request for a page
}

// Pages implements collector.RangeReader.
func (f *fakeReader) Pages(_ context.Context, from, to time.Time) iter.Seq2[*collector.Page, error] {
	return func(yield func(*collector.Page, error) bool) {
		f.reads++
		ask := func() {
			if f.asked != nil {
				f.asked()
			}
		}
		ask()
		page := &collector.Page{Invalid: []collector.BadRow{{Content: []byte("bad")}}}
		for _, r := range f.records {
			if r.Start.Before(from) || !r.Start.Before(to) {
				continue
			}
			page.Records = append(page.Records, &r)
			if len(page.Records) == 2 {
				if !yield(page, nil) {
					return
				}
				ask()
				*page.Records[0], page.Records = cdr.Record{}, page.Records[:0]
			}
		}
		if f.fails--; f.fails >= 0 {
			yield(nil, errors.New("cut"))
			return
		}
		yield(page, nil)
	}
}

func record(id string, start time.Time, amount string) cdr.Record {
	r := cdr.Record{ID: id, Start: start, Outcome: cdr.Answered}
	if id == "" {
		r.Synthetic = "same"
	}
	money, err := cdr.ParseMoney(amount)
	if err != nil {
		panic(err)
	}
	r.Charges = []cdr.Charge{{Component: "usage", Amount: money, Currency: "EUR"}}
	return r
}

// openLedger opens a ledger in a new folder, with a feed that is read with a lookback.
func openLedger(t *testing.T, lookback time.Duration, now func() time.Time) (
	l *ledger.Ledger, feed *ledger.Feed, read Feed, where ledger.Storage,
) {
	t.Helper()
	read.Info = &collector.FeedInfo{Name: "call_log", Interval: time.Minute, Lookback: lookback, Currency: "EUR"}
	read.Spec = ledger.FeedSpec{Settings: counting.Settings{
		Source: "acme", Provider: "acme", Feed: "call_log", Currency: "EUR", History: 72 * time.Hour,
		Lookback: lookback,
	}}
	where.Folder = t.TempDir()
	l, err := ledger.Open(t.Context(), ledger.Settings{
		Storage: where, Now: now, Options: metrics.Options{SeriesLimit: 10},
	})
	if err == nil {
		feed, err = l.Feed(t.Context(), read.Spec)
	}
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return l, feed, read, where
}

// TestRun: the daily audit reads the ledger that is open, and the command one that another process has open.
func TestRun(t *testing.T) {
	t.Run("the ledger that is open", func(t *testing.T) {
		testRun(t, func(l *ledger.Ledger, _ ledger.Storage) Ledger { return l })
	})
	t.Run("the ledger of another process", func(t *testing.T) {
		testRun(t, func(_ *ledger.Ledger, where ledger.Storage) Ledger { return where })
	})
}

// testRun: an audit separates days, counts each record once however often it is listed, retries a
// read that fails, and reads a day twice only if something differs.
func testRun(t *testing.T, on func(*ledger.Ledger, ledger.Storage) Ledger) {
	now := noon.Add(10 * time.Hour)
	l, feed, read, where := openLedger(t, time.Hour, func() time.Time { return now })
	yesterday := noon.Add(-24 * time.Hour)
	counted := []cdr.Record{
		record("a", yesterday, "1"), record("b", yesterday.Add(time.Hour), "2.50"),
		record("gone", yesterday.Add(2*time.Hour), "1"),
		record("", yesterday, "0"), record("", yesterday, "0"), record("c", noon, "4"), record("d", noon, "5"),
	}
	counted[4].Twin = 1
	page := &counting.Page{ObservedAt: now, Position: &counting.Position{Watermark: now, HistoryDone: true}}
	for i := range counted {
		page.Records = append(page.Records, &counted[i])
	}
	if _, err := feed.Commit(t.Context(), page); err != nil {
		t.Fatal(err)
	}

	reader := &fakeReader{records: []cdr.Record{
		record("a", yesterday, "1"), record("", yesterday, "0"), record("", yesterday, "0"),
		record("a", yesterday, "1"),
		record("b", yesterday.Add(time.Hour), "2.5"), record("c", noon, "4"), record("d", noon, "5.01"),
		record("new", noon, "6"),
	}, fails: 1}
	read.Info.Reader = reader
	opened := &openings{Ledger: on(l, where)}
	reader.asked = func() {
		if opened.last == nil {
			t.Error("the provider is asked before the ledger")
		} else if _, err := opened.last.Outbox(); opened.Ledger == where && err == nil {
			t.Error("a view of the ledger is open while the provider is asked")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if i, err := l.Inspect(ctx); err != nil || i.Close() != nil {
			t.Errorf("commits are held up while the provider is asked: %v", err)
		}
	}
	var notes []string
	settings := Settings{
		From: yesterday.Truncate(24 * time.Hour), To: now.Add(time.Hour), Now: func() time.Time { return now },
		Ledger: opened,
		Note:   func(text string) { notes = append(notes, text) },
	}
	days, err := Run(t.Context(), settings, read)
	if err != nil || len(days) != 2 {
		t.Fatalf("%+v, %v", days, err)
	}
	wrong := days[1]
	got := ""
	for _, d := range days {
		got += fmt.Sprintln(d.Day, d.Listed, d.Counted, d.Vanished, d.Missing, d.Invalid, d.Differs())
	}
	if want := "2026-03-01 4 4 1 0 1 false\n2026-03-02 3 2 0 1 1 true\n"; got != want {
		t.Errorf("listed, counted, vanished, missing and invalid are\n%swant\n%s", got, want)
	}
	if len(wrong.MissingIDs) != 1 || wrong.MissingIDs[0].ID != "new" || len(wrong.MissingIDs[0].UID) != 32 {
		t.Errorf("%+v", wrong.MissingIDs)
	}
	if text, err := json.Marshal(wrong.Charges); err != nil ||
		string(text) != `{"listed":{"EUR":"15.01"},"counted":{"EUR":"9"}}` {
		t.Errorf("%s, %v", text, err)
	}
	if reader.reads != 4 || opened.times > 20 {
		t.Errorf("%d reads, and the ledger is opened %d times", reader.reads, opened.times)
	}
	if said := fmt.Sprint(notes); !strings.Contains(said, "the audit ends at 2026-03-02T22:00:00Z") || len(notes) != 1 {
		t.Errorf("it notes %s", said)
	}

	settings.To, reader.fails = yesterday, collector.MaxTries
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, settings, read); !errors.Is(err, context.Canceled) || errors.Is(err, ErrProvider) {
		t.Errorf("interrupted: %v", err)
	}
	settings.From, settings.To = now, now.Add(time.Minute)
	other := read
	other.Spec.Feed = "calls"
	for want, feed := range map[string]Feed{"nothing of the span": read, "doesn't have this feed": other} {
		if _, err := Run(t.Context(), settings, feed); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if feed.State().Calls != 7 {
		t.Error("an audit has counted something")
	}
	if err := Store(t.Context(), opened, read.Spec, days); err != nil {
		t.Error(err)
	}
	stored, err := l.Audits(t.Context(), now)
	if err != nil || len(stored) != 2 || stored[0].Missing != 0 || stored[1].Missing != 1 || !stored[1].Differs() {
		t.Errorf("the ledger has the audits %+v, %v", stored, err)
	}
}

// openings counts the views of a ledger, and remembers the last one.
type openings struct {
	Ledger
	last  *ledger.Inspector
	times int
}

func (o *openings) Inspect(ctx context.Context) (i *ledger.Inspector, err error) {
	o.times++
	o.last, err = o.Ledger.Inspect(ctx)
	return o.last, err
}

// auditOf is the audit of the day up to a time.
func auditOf(t *testing.T, l Ledger, read Feed, now time.Time) Day {
	t.Helper()
	days, err := Run(t.Context(), Settings{
		From: noon.Truncate(24 * time.Hour), To: now, Now: func() time.Time { return now }, Ledger: l,
		Note: func(string) {},
	}, read)
	require.NoError(t, err)
	return days[0]
}

// A list may have each version of a record, as a file does: the amounts of the last one are compared.
func TestVersionsInAList(t *testing.T) {
	now := noon.Add(10 * time.Hour)
	l, feed, read, _ := openLedger(t, time.Hour, func() time.Time { return now })
	page := &counting.Page{ObservedAt: now, Position: &counting.Position{Watermark: now, HistoryDone: true}}
	for _, r := range []cdr.Record{record("a", noon, "1"), record("b", noon, "2"), record("a", noon, "3")} {
		page.Records = []*cdr.Record{&r}
		if _, err := feed.Commit(t.Context(), page); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		amounts []string // of record a, as it is listed
		other   string   // that of record b
		want    string
	}{
		"as they were counted":           {[]string{"1", "3"}, "2", "2 2 false 5 5"},
		"the last one is listed first":   {[]string{"3", "1"}, "2", "2 2 true 3 5"},
		"there and back":                 {[]string{"3", "1", "3"}, "2", "2 2 false 5 5"},
		"a newer one that isn't counted": {[]string{"1", "3", "4"}, "2", "2 2 true 6 5"},
		"two that differ by as much":     {[]string{"2"}, "3", "2 2 true 5 5"},
	} {
		t.Run(name, func(t *testing.T) {
			list := []cdr.Record{record("b", noon, c.other)}
			for _, amount := range c.amounts {
				list = append(list, record("a", noon, amount))
			}
			read.Info.Reader = &fakeReader{records: list}
			d := auditOf(t, l, read, now)
			amounts := [...]string{d.Charges.Listed.Text("EUR"), d.Charges.Counted.Text("EUR")}
			got := fmt.Sprintln(d.Listed, d.Counted, d.Differs(), amounts[0], amounts[1])
			if got != c.want+"\n" {
				t.Errorf("listed, counted, differs, amounts listed and counted: %s, want %s", got, c.want)
			}
		})
	}
}

// A list may have each version of a record. If the final one isn't counted it is missing, although the list also has
// an open one.
func TestUnfinishedVersionInAList(t *testing.T) {
	now := noon.Add(10 * time.Hour)
	l, feed, read, _ := openLedger(t, 48*time.Hour, func() time.Time { return now })
	b := record("b", noon, "2")
	page := &counting.Page{
		ObservedAt: now, Position: &counting.Position{Watermark: now, HistoryDone: true},
		Records: []*cdr.Record{&b},
	}
	if _, err := feed.Commit(t.Context(), page); err != nil {
		t.Fatal(err)
	}
	open := func(id string) cdr.Record {
		r := record(id, noon, "0")
		r.Provisional = true
		return r
	}
	for name, c := range map[string]struct {
		list []cdr.Record
		want [4]int // listed, counted, not final, missing
	}{
		"counted":                 {[]cdr.Record{open("b"), b}, [4]int{1, 1, 0, 0}},
		"not final yet":           {[]cdr.Record{open("a"), b}, [4]int{2, 1, 1, 0}},
		"missing":                 {[]cdr.Record{open("a"), b, record("a", noon, "3")}, [4]int{2, 1, 0, 1}},
		"missing, the open later": {[]cdr.Record{record("a", noon, "3"), b, open("a")}, [4]int{2, 1, 0, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			read.Info.Reader = &fakeReader{records: c.list}
			d := auditOf(t, l, read, now)
			got := [4]int{int(d.Listed), d.Counted, d.NotFinal, int(d.Missing)}
			if got != c.want || d.Differs() != (c.want[3] > 0) {
				t.Errorf("listed, counted, not final, missing: %v, want %v; differs %t", got, c.want, d.Differs())
			}
		})
	}
}
