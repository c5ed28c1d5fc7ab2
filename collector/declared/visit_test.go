package declared_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rowmap"
)

// visits is a definition of a feed of visits that is valid; tests change a line of it.
const visits = `provider: acmetel
files: {read: lines, format: jsonl}
feeds:
  queues:
    counts: queue_visits
    record:
      end: {path: left, time: rfc3339}
      queue: name
      queue_wait: {path: waited, unit: s}
      queue_result: {path: how, table: {agent: answered, hangup: abandoned}}
      extra: {agent: agent}
`

func TestProblemsOfVisits(t *testing.T) {
	if _, err := declared.Load("d.yaml", []byte(visits)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, was, is, want string }{
		{"another word", "counts: queue_visits", "counts: visits", "d.yaml:5: feeds.queues.counts: must be "},
		{"calls", "    counts: queue_visits\n", "", "record.start: is missing; set where the start of a call"},
		{
			"no time", "      end: {path: left, time: rfc3339}\n", "",
			"record.start: is missing; set where the start or the end comes from",
		},
		{
			"no queue", "      queue: name\n", "",
			"record.queue: is missing; a feed with counts: queue_visits must have it",
		},
		{
			"no result", "      queue_result: {path: how, table: {agent: answered, hangup: abandoned}}\n", "",
			"record.queue_result: is missing; a feed",
		},
		{
			"wrong word", "agent: answered,", "agent: won,",
			`record.queue_result: has "won" for "agent" in its table, must be answered, abandoned, timeout, overflowed or other`,
		},
		{
			"an outcome", "      queue: name\n", "      queue: name\n      outcome: {is: answered}\n",
			"record.outcome: is for calls, and the feed has counts: queue_visits",
		},
		{
			"a field of calls", "      queue: name\n", "      queue: name\n      trunk: line\n",
			"record.trunk: is for calls",
		},
		{
			"streams without media", "counts: queue_visits", "counts: media_streams",
			"record.media: is missing; a feed with counts: media_streams must have it",
		},
		{"streams with a queue", "counts: queue_visits", "counts: media_streams", "record.queue: is for calls"},
		{
			"media of a visit", "      queue: name\n", "      queue: name\n      media: {mos: mos}\n", "record.media[0].mos: is for calls",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := declared.Load("d.yaml", []byte(strings.Replace(visits, c.was, c.is, 1)))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
	text := strings.Replace(whole, "      direction:", "      queue: name\n      direction:", 1)
	if _, err := declared.Load("d.yaml", []byte(text)); err == nil ||
		!strings.Contains(err.Error(), "record.queue: belongs to a visit to a queue") {
		t.Errorf("a queue without a result: %v", err)
	}
}

// visitsOf describes the visits in a row's result in one line.
func visitsOf(m rowmap.Result) string {
	switch r := m.Record; {
	case m.Ignored:
		return "ignored"
	case r == nil:
		return "invalid: " + m.Invalid
	default:
		line := map[bool]string{true: "visit", false: "call"}[r.NoCall] + " at " + r.Start.Format(time.TimeOnly)
		for _, v := range r.Visits {
			line += fmt.Sprintf(" %q %s", v.Queue, v.Result)
			if v.Wait.Known {
				line += " " + v.Wait.Value.String()
			}
		}
		for _, u := range m.Unmapped {
			line += " unmapped " + u.Value
		}
		return line
	}
}

// mapperOf makes a mapper of a feed of a definition.
func mapperOf(t *testing.T, text, feed string) *declared.Mapper {
	t.Helper()
	d, err := declared.Load("d.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	f := d.Feeds[feed]
	return declared.NewMapper(&f, declared.MapperSettings{})
}

func TestVisitsAlone(t *testing.T) {
	for _, c := range []struct{ name, row, want string }{
		{"answered", `"name":" Support ","waited":42,"how":"agent"`, `visit at 10:00:00 "Support" answered 42s`},
		{"at once", `"name":"Support","waited":0,"how":"agent"`, `visit at 10:00:42 "Support" answered 0s`},
		{"without a wait", `"name":"Support","how":"hangup"`, `visit at 10:00:42 "Support" abandoned`},
		{"a negative wait", `"name":"Support","waited":-3,"how":"hangup"`, `visit at 10:00:42 "Support" abandoned`},
		{"a wait that is no number", `"waited":"long","how":"hangup"`, "invalid: queue_wait isn't a number"},
		{"a wait over a month", `"waited":9999999,"how":"hangup"`, "invalid: queue_wait is longer than 31 days"},
		{
			"a new result", `"name":"Support","how":"teleported"`,
			`visit at 10:00:42 "Support" other unmapped teleported`,
		},
		{"no queue", `"how":"agent"`, `visit at 10:00:42 "" answered`},
		{"no result", `"name":"Support"`, "invalid: queue_result is missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			row := []byte(`{"left":"2026-11-23T10:00:42Z",` + c.row + "}")
			if got := visitsOf(mapperOf(t, visits, "queues").MapJSON(row)); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
	got := visitsOf(mapperOf(t, visits, "queues").MapJSON([]byte(`{"name":"Support","how":"agent"}`)))
	if got != "invalid: start is missing" {
		t.Errorf("without a time it is %s", got)
	}
	withStart := strings.Replace(visits, "end: {path: left,",
		"start: {path: joined, time: rfc3339}\n      end: {path: left,", 1)
	row := `{"joined":"2026-11-23T09:59:59Z","left":"2026-11-23T10:00:42Z","name":"Support","waited":42,"how":"agent"}`
	if got := visitsOf(mapperOf(t, withStart, "queues").
		MapJSON([]byte(row))); got != `visit at 09:59:59 "Support" answered 42s` {
		t.Errorf("with its own start it is %s", got)
	}
	a := mapperOf(t, visits, "queues").MapJSON([]byte(row)).Record
	b := mapperOf(t, visits, "queues").MapJSON([]byte(strings.Replace(row, "Support", "Sales", 1))).Record
	if a.Synthetic == "" || a.Synthetic == b.Synthetic {
		t.Errorf("two queues are known as %q and %q", a.Synthetic, b.Synthetic)
	}
}

// In a feed of calls a row with a result is one visit beside its call, and a row without one is none.
func TestVisitsOfCalls(t *testing.T) {
	text := strings.Replace(whole, "      direction:", `      queue: queue
      queue_wait: {path: taken, since: joined, time: unix}
      queue_result: [{when: {queue: "*", taken: "*"}, is: answered}, {when: {queue: "*"}, path: why, table: {gone: abandoned}}]
      direction:`, 1)
	for _, c := range []struct{ name, more, want string }{
		{"no queue", `"taken":1795428012`, "call at 10:00:01"},
		{"answered", `"queue":"7000","joined":1795428001,"taken":1795428012`, `call at 10:00:01 "7000" answered 11s`},
		{
			"a time that is left over", `"queue":"7000","joined":1795428001,"taken":1795428000`,
			`call at 10:00:01 "7000" answered`,
		},
		{"abandoned", `"queue":"7000","why":"gone"`, `call at 10:00:01 "7000" abandoned`},
		{"a new reason", `"queue":"7000","why":"odd"`, `call at 10:00:01 "7000" other unmapped odd`},
		{"nothing is said", `"queue":"7000"`, "call at 10:00:01"},
	} {
		t.Run(c.name, func(t *testing.T) {
			row := `{"start":"2026-11-23T10:00:01Z","state":"done",` + c.more + "}"
			if got := visitsOf(mapperOf(t, text, "calls").MapJSON([]byte(row))); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}
