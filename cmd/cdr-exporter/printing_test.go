package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// noon is when the calls of these tests begin.
var noon = time.Date(2026, time.November, 20, 12, 0, 0, 0, time.UTC)

// absent is a feed with a row that can't be read, and names of records that can't be had.
type absent struct{}

// Pages implements collector.RangeReader.
func (absent) Pages(context.Context, time.Time, time.Time) iter.Seq2[*collector.Page, error] {
	return func(yield func(*collector.Page, error) bool) {
		yield(&collector.Page{
			Invalid: []collector.BadRow{{At: "row 7", Problem: "no start"}},
			Enqueue: []work.Item{{Kind: "record", Key: "young", Version: 1}, {Kind: "record", Key: "old", Version: 1}},
		}, nil)
	}
}

// Parallel implements collector.Fetcher.
func (absent) Parallel() int { return 1 }

// Fetch implements collector.Fetcher.
func (absent) Fetch(_ context.Context, tasks []work.Item) (*collector.Page, error) {
	return nil, map[string]error{"young": collector.ErrNotYet, "old": collector.ErrGone}[tasks[0].Key]
}

// TestLeftOut: the command names each row and record that it leaves out. The rest of fetching is
// TestDriver_FetchesWhatIsNamed of collector.
func TestLeftOut(t *testing.T) {
	var table, errs bytes.Buffer
	printer, _ := newPrinter("csv", false, &table)
	p := &printing{
		from: noon, to: noon.Add(time.Hour), redactor: cdr.NewRedactor(cdr.DefaultPolicy(), nil),
		feed: &collector.FeedInfo{Reader: absent{}, Fetcher: absent{}}, printer: printer, errors: &errs,
	}
	require.NoError(t, p.run(t.Context()))
	const want = "row 7: left out: no start\nrecord young: left out: the provider doesn't have it yet\n" +
		"record old: left out: the provider no longer has it\n"
	if errs.String() != want {
		t.Errorf("got %s, want %s", &errs, want)
	}
}

// nearby is a feed that brings half an hour more on either side, of calls that have no id.
type nearby struct {
	starts []time.Time
	asked  []string
	charge cdr.Charge
	user   string
}

// Pages implements collector.RangeReader.
func (n *nearby) Pages(_ context.Context, from, to time.Time) iter.Seq2[*collector.Page, error] {
	n.asked = append(n.asked, fmt.Sprint(from.Sub(noon), "-", to.Sub(noon)))
	b := &collector.Page{}
	for _, start := range n.starts {
		const more = 30 * time.Minute
		if start.After(from.Add(-more)) && start.Before(to.Add(more)) {
			b.Records = append(b.Records, &cdr.Record{
				Synthetic: "same", Start: start, UserName: n.user,
				Charges: []cdr.Charge{n.charge},
			})
		}
	}
	return func(yield func(*collector.Page, error) bool) { yield(b, nil) }
}

// print prints what starts within two hours and a bit.
func (n *nearby) print(t *testing.T, output string) string {
	t.Helper()
	var out bytes.Buffer
	printer, flush := newPrinter(output, false, &out)
	p := &printing{
		from: noon.Add(time.Millisecond), to: noon.Add(130 * time.Minute).Add(time.Millisecond),
		feed:     &collector.FeedInfo{Reader: n, Limits: collector.Limits{MaxRange: time.Hour}, Currency: "CHF"},
		redactor: cdr.NewRedactor(cdr.Policy{}, nil), printer: printer, errors: &out,
	}
	require.NoError(t, p.run(t.Context()))
	require.NoError(t, flush())
	return out.String()
}

// TestPieces: a call without an id is printed once, by the piece in which it starts, and readers
// get ranges in whole seconds.
func TestPieces(t *testing.T) {
	n := &nearby{starts: []time.Time{
		noon, noon.Add(time.Millisecond), noon.Add(59 * time.Minute), noon.Add(time.Hour), noon.Add(130 * time.Minute),
		noon.Add(140 * time.Minute),
	}}
	out := n.print(t, "csv")
	for i, want := range []int{0, 1, 1, 1, 1, 0} {
		if got := strings.Count(out, n.starts[i].Format(time.RFC3339Nano)+","); got != want {
			t.Errorf("the call at %s is printed %d times, want %d", n.starts[i], got, want)
		}
	}
	if got := strings.Join(n.asked, " "); got != "0s-1h0m0s 1h0m0s-2h0m0s 2h0m0s-2h10m1s" {
		t.Errorf("asked for %s", got)
	}
}

// TestCurrency: a charge that doesn't say its currency is printed in that in which it is
// counted.
func TestCurrency(t *testing.T) {
	amount, err := cdr.ParseMoney("0.25")
	require.NoError(t, err)
	for name, tc := range map[string]struct{ own, lines, row, table string }{
		"the feed's": {
			"", `{"amount":"0.25","component":"usage","currency":"CHF"}`, "0.25,CHF,usage",
			"usage 0.25 CHF",
		},
		"its own": {
			"EUR", `{"amount":"0.25","component":"usage","currency":"EUR"}`, "0.25,EUR,usage",
			"usage 0.25 EUR",
		},
	} {
		t.Run(name, func(t *testing.T) {
			n := &nearby{
				starts: []time.Time{noon.Add(time.Minute)},
				charge: cdr.Charge{Component: "usage", Currency: tc.own, Amount: amount},
			}
			if out := n.print(t, "jsonl"); !strings.Contains(out, tc.lines) {
				t.Errorf("printed %s", out)
			}
			for output, want := range map[string]string{"csv": tc.row, "table": tc.table} {
				if out := n.print(t, output); !strings.Contains(out, want) {
					t.Errorf("%s: printed %s", output, out)
				}
			}
		})
	}
}

// TestTableOfControlCharacters: a provider's text leaves the table and the terminal as
// they are; JSON and CSV have it whole.
func TestTableOfControlCharacters(t *testing.T) {
	var table, lines, rows bytes.Buffer
	r := &cdr.Record{ID: "a", Start: noon, UserName: "two\nlines\tand \x1b[31mred"}
	for output, to := range map[string]*bytes.Buffer{"table": &table, "jsonl": &lines, "csv": &rows} {
		printer, flush := newPrinter(output, false, to)
		require.NoError(t, printer(r, nil))
		require.NoError(t, flush())
	}
	if strings.Count(table.String(), "\n") != 2 || strings.ContainsAny(table.String(), "\x1b\t") {
		t.Errorf("the table is %q", table.String())
	}
	if !strings.Contains(lines.String(), `two\nlines\tand \u001b[31mred`) ||
		!strings.Contains(rows.String(), "\"two\nlines\tand \x1b[31mred\"") {
		t.Errorf("the lines are %q and %q", lines.String(), rows.String())
	}
}

// In CSV each charge has a line with its amount in a column of numbers, and every column can be summed.
func TestChargesInCSV(t *testing.T) {
	var out bytes.Buffer
	printer, flush := newPrinter("csv", true, &out)
	r := &cdr.Record{ID: "a", Start: noon, Duration: time.Minute}
	amount, err := cdr.ParseMoney("0.25")
	require.NoError(t, err)
	r.Charges = []cdr.Charge{
		{Component: "usage", Currency: "USD", Amount: amount},
		{Component: "forwarding", Currency: "EUR", Amount: amount.Neg()},
	}
	for _, r := range []*cdr.Record{r, {ID: "b", Start: noon, Duration: time.Second}} {
		require.NoError(t, printer(r, []recording{{ID: "rec", Type: "automatic"}, {ID: "other"}}))
	}
	require.NoError(t, flush())
	at := noon.Format(time.RFC3339)
	want := "start,id,direction,call_type,outcome,duration,trunk,country,sip_code,sub_code,reason,caller,callee,user," +
		"recording_id,recording_type,recording_content_type,recording_duration_seconds,amount,currency,component\n" +
		at + ",a,unknown,,unknown,60,,,,,,,,,rec; other,automatic; ,,,0.25,USD,usage\n" +
		at + ",a,,,,,,,,,,,,,,,,,-0.25,EUR,forwarding\n" +
		at + ",b,unknown,,unknown,1,,,,,,,,,rec; other,automatic; ,,,,,\n"
	if out.String() != want {
		t.Errorf("printed %s", out.String())
	}
}

// TestCSV: whatever bytes a provider or a PBX sends, CSV is UTF-8, and a spreadsheet runs nothing of it.
func TestCSV(t *testing.T) {
	for text, want := range map[string]string{
		"=HYPERLINK(1)": "'=HYPERLINK(1)", "+cmd|' /C calc'!A0": "'+cmd|' /C calc'!A0", "-2+3": "'-2+3",
		"@SUM(1)": "'@SUM(1)", "\t=1": "'\t=1", "\r=1": "'\r=1",
		"+4930123456": "+4930123456", "-0.25": "-0.25", "+4930123****": "'+4930123****", "Ada": "Ada", "": "",
		"1-2": "1-2", "M\xfcller": "M\ufffdller", "\xff\xfe": "\ufffd", "é,ü": "é,ü",
	} {
		var out bytes.Buffer
		write, flush := rowWriter("csv", &out)
		require.NoError(t, write([]string{"x", text}))
		require.NoError(t, flush())
		rows, err := csv.NewReader(&out).ReadAll()
		if err != nil || rows[0][1] != want {
			t.Errorf("%q is %q, want %q, %v", text, rows, want, err)
		}
	}
}

// After an interrupt, the command doesn't report each recording that it couldn't look up.
func TestResolvingEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var stderr bytes.Buffer
	p := &printing{errors: &stderr, resolve: true, feed: &collector.FeedInfo{
		Recording: func(ctx context.Context, _ string) (collector.RecordingInfo, error) {
			cancel()
			return collector.RecordingInfo{}, ctx.Err()
		},
	}}
	if _, err := p.recordingsOf(ctx, &cdr.Record{Recordings: []cdr.Recording{{ID: "1"}, {ID: "2"}}}); !errors.Is(err,
		context.Canceled) || stderr.Len() > 0 {
		t.Errorf("%v, told %q", err, stderr.String())
	}
}
