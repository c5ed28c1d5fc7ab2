package main

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// noon is when the calls of these tests begin.
var noon = time.Date(2026, time.November, 20, 12, 0, 0, 0, time.UTC)

// reused is a reader that gives each batch the same memory, as providers do.
type reused struct {
	hours [][]cdr.Record // by the hour in which they start
	fail  error          // after everything was emitted
}

// text is a string whose bytes will be others when the batch is over.
type text struct{ bytes []byte }

func (x *text) of(s string) string {
	x.bytes = append(make([]byte, 0, len(s)+1), s...)
	return unsafe.String(unsafe.SliceData(x.bytes), len(s))
}

// Read implements collector.RangeReader.
func (r *reused) Pages(_ context.Context, from, to time.Time) iter.Seq2[*collector.Page, error] {
	return pagesOf(func(emit func(*collector.Page) error) error { return r.read(from, to, emit) })
}

func (r *reused) read(from, _ time.Time, emit func(*collector.Page) error) error {
	var record cdr.Record
	for _, of := range r.hours[int(from.Sub(noon)/time.Hour)] {
		var used []*text
		keep := func(s string) string {
			x := new(text)
			used = append(used, x)
			return x.of(s)
		}
		record.Reset()
		record.ID, record.Start, record.CallType, record.Trunk = keep(of.ID), from, keep(of.CallType), keep(of.Trunk)
		record.Outcome, record.Duration = of.Outcome, of.Duration
		for _, v := range of.Recordings {
			record.Recordings = append(record.Recordings, cdr.Recording{ID: keep(v.ID), Type: keep(v.Type)})
		}
		if err := emit(&collector.Page{Records: []*cdr.Record{&record}}); err != nil {
			return err
		}
		for _, x := range used {
			clear(x.bytes)
		}
	}
	return r.fail
}

// someRecordings are calls with and without recordings; one is listed by two calls.
func someRecordings() *reused {
	call := func(id string, recordings ...cdr.Recording) cdr.Record {
		return cdr.Record{
			ID: id, CallType: "voip_call", Trunk: "main", Outcome: cdr.Answered,
			Duration: 90 * time.Second, Recordings: recordings,
		}
	}
	return &reused{hours: [][]cdr.Record{
		{
			call("a", cdr.Recording{ID: "101", Type: "automatic"}), call("b"),
			call("c", cdr.Recording{ID: "102", Type: "on_demand"}, cdr.Recording{ID: "101", Type: "automatic"}),
		},
		{
			call("d", cdr.Recording{ID: "404", Type: "automatic"}), call("e", cdr.Recording{Type: "automatic"}),
			call("f", cdr.Recording{ID: "404", Type: "automatic"}, cdr.Recording{ID: "103"}),
		},
	}}
}

// printed runs `records --recordings` on a reader and returns its output, and which recordings it
// looked up.
func printed(
	t *testing.T, reader *reused, output string, resolve bool,
) (out, warnings string, asked []string, err error) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	printer, flush := newPrinter(output, resolve, &stdout)
	p := &printing{
		from: noon, to: noon.Add(2 * time.Hour), printer: printer, errors: &stderr, resolve: resolve,
		redactor: cdr.NewRedactor(cdr.Policy{}, []byte("key")),
		feed:     &collector.FeedInfo{Reader: reader, Limits: collector.Limits{MaxRange: time.Hour}},
		advise:   func(err error) (what, todo string) { return err.Error(), "look whether it was deleted" },
	}
	p.feed.Recording = func(_ context.Context, id string) (collector.RecordingInfo, error) {
		asked = append(asked, strings.Clone(id))
		switch id {
		case "101":
			return collector.RecordingInfo{ContentType: "audio/mpeg", Duration: 63500 * time.Millisecond}, nil
		case "404":
			return collector.RecordingInfo{}, errors.New("not found")
		}
		return collector.RecordingInfo{ContentType: "audio/wav"}, nil
	}
	err = p.run(t.Context())
	if e := flush(); e != nil {
		t.Fatal(e)
	}
	return stdout.String(), stderr.String(), asked, err
}

const wantLines = `{"call_type":"voip_call","direction":"unknown","duration":90,"id":"a","outcome":"answered","recordings":[{"id":"101","type":"automatic","content_type":"audio/mpeg","duration_seconds":63.5}],"start":"2026-11-20T12:00:00Z","trunk":"main"}
{"call_type":"voip_call","direction":"unknown","duration":90,"id":"b","outcome":"answered","start":"2026-11-20T12:00:00Z","trunk":"main"}
{"call_type":"voip_call","direction":"unknown","duration":90,"id":"c","outcome":"answered","recordings":[{"id":"102","type":"on_demand","content_type":"audio/wav"},{"id":"101","type":"automatic","content_type":"audio/mpeg","duration_seconds":63.5}],"start":"2026-11-20T12:00:00Z","trunk":"main"}
{"call_type":"voip_call","direction":"unknown","duration":90,"id":"d","outcome":"answered","recordings":[{"id":"404","type":"automatic"}],"start":"2026-11-20T13:00:00Z","trunk":"main"}
{"call_type":"voip_call","direction":"unknown","duration":90,"id":"e","outcome":"answered","recordings":[{"type":"automatic"}],"start":"2026-11-20T13:00:00Z","trunk":"main"}
{"call_type":"voip_call","direction":"unknown","duration":90,"id":"f","outcome":"answered","recordings":[{"id":"404","type":"automatic"},{"id":"103","content_type":"audio/wav"}],"start":"2026-11-20T13:00:00Z","trunk":"main"}
`

const wantCSV = `start,id,direction,call_type,outcome,duration,trunk,country,sip_code,sub_code,reason,caller,callee,user,recording_id,recording_type,recording_content_type,recording_duration_seconds,amount,currency,component
2026-11-20T12:00:00Z,a,unknown,voip_call,answered,90,main,,,,,,,,101,automatic,audio/mpeg,63.5,,,
2026-11-20T12:00:00Z,b,unknown,voip_call,answered,90,main,,,,,,,,,,,,,,
2026-11-20T12:00:00Z,c,unknown,voip_call,answered,90,main,,,,,,,,102; 101,on_demand; automatic,audio/wav; audio/mpeg,; 63.5,,,
2026-11-20T13:00:00Z,d,unknown,voip_call,answered,90,main,,,,,,,,404,automatic,,,,,
2026-11-20T13:00:00Z,e,unknown,voip_call,answered,90,main,,,,,,,,,automatic,,,,,
2026-11-20T13:00:00Z,f,unknown,voip_call,answered,90,main,,,,,,,,404; 103,automatic; ,; audio/wav,,,,
`

// wantTable is without the blanks that align it.
const wantTable = `start id direction call_type outcome duration trunk country sip_code sub_code reason caller callee user charges recording_id recording_type recording_content_type recording_duration_seconds
2026-11-20T12:00:00Z a unknown voip_call answered 90 main 101 automatic audio/mpeg 63.5
2026-11-20T12:00:00Z b unknown voip_call answered 90 main
2026-11-20T12:00:00Z c unknown voip_call answered 90 main 102; 101 on_demand; automatic audio/wav; audio/mpeg ; 63.5
2026-11-20T13:00:00Z d unknown voip_call answered 90 main 404 automatic
2026-11-20T13:00:00Z e unknown voip_call answered 90 main automatic
2026-11-20T13:00:00Z f unknown voip_call answered 90 main 404; 103 automatic; ; audio/wav
`

// unaligned takes a table's blanks out.
func unaligned(table string) string {
	var lines strings.Builder
	for line := range strings.Lines(table) {
		lines.WriteString(strings.Join(strings.Fields(line), " ") + "\n")
	}
	return lines.String()
}

// With --recordings, each record has the provider's data about its recordings. Each recording is
// looked up once. A failure is reported and doesn't affect the others.
func TestPrintingResolvesRecordings(t *testing.T) {
	for output, want := range map[string]string{"jsonl": wantLines, "csv": wantCSV, "table": wantTable} {
		t.Run(output, func(t *testing.T) {
			out, warnings, asked, err := printed(t, someRecordings(), output, true)
			if output == "table" {
				out = unaligned(out)
			}
			if err != nil || out != want {
				t.Errorf("%v, printed:\n%s\nwant:\n%s", err, out, want)
			}
			if ids := []string{"101", "102", "404", "103"}; !slices.Equal(asked, ids) {
				t.Errorf("asked for %v, want %v", asked, ids)
			}
			if want := "recording \"404\": only its id and type are known: not found; look whether it was deleted\n"; warnings != want {
				t.Errorf("warned %q, want %q", warnings, want)
			}
		})
	}
}

// Without it nothing is asked, and nothing else is printed than before.
func TestPrintingWithoutRecordings(t *testing.T) {
	for _, output := range []string{"jsonl", "csv", "table"} {
		out, _, asked, err := printed(t, someRecordings(), output, false)
		if err != nil || asked != nil || strings.Contains(out, "recording") || strings.Contains(out, "101") ||
			!strings.Contains(out, "voip_call") {
			t.Errorf("%s: %v, asked for %v, printed:\n%s", output, err, asked, out)
		}
	}
}

// Records read before a failure are printed with their recordings, and the failure is reported.
func TestPrintingRecordingsOfABrokenRead(t *testing.T) {
	reader := someRecordings()
	reader.fail = errors.New("cut")
	out, _, _, err := printed(t, reader, "jsonl", true)
	if want := strings.Join(strings.SplitAfter(wantLines, "\n")[:3], ""); !errors.Is(err, reader.fail) || out != want {
		t.Errorf("%v, printed:\n%s\nwant:\n%s", err, out, want)
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

// TestFindFeed: what can't be printed is said, with what can.
func TestFindFeed(t *testing.T) {
	reader := &reused{}
	ask := func(context.Context, string) (collector.RecordingInfo, error) { return collector.RecordingInfo{}, nil }
	callLog := collector.FeedInfo{Name: "call_log", Reader: reader, Recording: ask}
	plain := collector.FeedInfo{Name: "pstn", Reader: reader}
	active := collector.FeedInfo{Name: "active_calls", ActiveCalls: noActiveCalls}
	other := collector.FeedInfo{Name: "other"}
	for _, test := range []struct {
		name, feed string
		recordings bool
		feeds      []collector.FeedInfo
		want       string // the error; empty: it is found
	}{
		{"a log", "call_log", false, []collector.FeedInfo{active, callLog}, ""},
		{"a log with recordings", "call_log", true, []collector.FeedInfo{callLog, active}, ""},
		{"a log without any", "pstn", false, []collector.FeedInfo{plain}, ""},
		{
			"recordings where there are none", "pstn", true,
			[]collector.FeedInfo{plain},
			"--recordings: the provider has no other data about recordings than this feed's records; remove the flag",
		},
		{
			"calls in progress", "active_calls", false,
			[]collector.FeedInfo{active, callLog},
			"--feed: active_calls of source office is calls in progress, which become records when they end; " +
				"the feeds are call_log",
		},
		{
			"calls in progress alone", "active_calls", true,
			[]collector.FeedInfo{active},
			"--feed: active_calls of source office is calls in progress, which become records when they end",
		},
		{
			"no such feed", "calls", false,
			[]collector.FeedInfo{callLog, active, plain},
			"--feed: source office has no feed calls that can be printed; the feeds are call_log, pstn",
		},
		{
			"a feed that reads in its own way", "other", false,
			[]collector.FeedInfo{other},
			"--feed: source office has no feed other that can be printed",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := &records{source: "office", feed: test.feed, recordings: test.recordings}
			feed, err := r.find(&collector.Source{Feeds: test.feeds})
			switch {
			case test.want == "" && (err != nil || feed.Name != test.feed):
				t.Errorf("found %v, %v", feed, err)
			case test.want != "" && (err == nil || err.Error() != test.want):
				t.Errorf("error %v, want %s", err, test.want)
			}
		})
	}
}
