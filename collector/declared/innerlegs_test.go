package declared_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/declaredtest"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// innerLegs ends a definition whose rows have their legs within them. Times are seconds after
// 10:00:00.
const innerLegs = `    legs:
      rows: call.legs
      record:
        start: {path: s, time: unix}
        answer: {path: a, time: unix}
        end: {path: e, time: unix}
        direction: {path: way, table: {in: inbound, out: outbound}}
        party: {path: to, table: {queue: machine, mailbox: voicemail, me: own}}
        outcome: {path: how, table: {ok: answered, busy: busy, none: none, down: {outcome: failed, reason: link_down, fault_domain: carrier}}}
        sip_code: code
        trunk: trunk
        user_id: user
    record:
      id: id
      start: {path: s, time: unix}
      direction: {path: way, table: {in: inbound, out: outbound}}
      outcome: {path: how, table: {busy: busy, missed: no_answer}}
      trunk: trunk
`

func innerRow(more string, legs ...string) string {
	const begin = 1_795_428_000
	text := "{\"id\":\"1\"" + more
	if legs != nil {
		text += ",\"call\":{\"legs\":[" + strings.Join(legs, ",") + "]}"
	}
	for _, key := range []string{"s", "a", "e"} {
		for n := range 400 {
			text = strings.ReplaceAll(text, fmt.Sprintf("%q:+%d,", key, n), fmt.Sprintf("%q:%d,", key, begin+n))
			text = strings.ReplaceAll(text, fmt.Sprintf("%q:+%d}", key, n), fmt.Sprintf("%q:%d}", key, begin+n))
		}
	}
	return text + "}"
}

func TestInnerLegs(t *testing.T) {
	const in = `,"way":"in","trunk":"A","s":+0,"x":0`
	for _, c := range []struct{ name, row, want string }{
		{
			"a queue, and the third agent answers", innerRow(in, `{"to":"queue","how":"ok","s":+0,"a":+0,"e":+315}`,
				`{"how":"busy","user":"u1","s":+5,"e":+6}`,
				`{"how":"none","user":"u2","s":+5,"e":+15}`, `{"how":"ok","user":"u3","s":+5,"a":+15,"e":+315}`),
			"start 0 inbound answered trunk A legs 4 talk 5m0s connected 5m15s user u3 setup 0s",
		},
		{
			"nobody", innerRow(in, `{"to":"queue","how":"ok","s":+0,"a":+0,"e":+40}`, `{"how":"busy","s":+5,"e":+6}`),
			"start 0 inbound machine trunk A legs 2 talk 0s connected 40s user  setup 0s",
		},
		{
			"voicemail", innerRow(in, `{"to":"mailbox","how":"ok","s":+20,"a":+21,"e":+30}`,
				`{"how":"none","s":+0,"e":+20}`),
			"start 0 inbound voicemail trunk A legs 2 talk 0s connected 9s user  setup 21s",
		},
		{
			"the legs' start, direction and trunk", innerRow("",
				`{"way":"out","trunk":"C","how":"down","code":503,"s":+3,"e":+4}`,
				`{"to":"me","how":"ok","s":+1,"a":+2,"e":+4}`),
			"start 1 outbound failed link_down 503 trunk C legs 2 talk 0s connected 0s user  setup unknown",
		},
		{
			"carriers that fail over", innerRow(`,"way":"out","s":+0,"x":0`,
				`{"trunk":"C","how":"down","code":503,"s":+0,"e":+2}`,
				`{"trunk":"D","how":"ok","s":+2,"a":+8,"e":+68}`),
			"start 0 outbound answered trunk D legs 2 talk 1m0s connected 1m0s user  setup 8s",
		},
		{
			"legs that say nothing", innerRow(in+`,"how":"missed"`, `{"how":"none","s":+5,"e":+6}`, `{"s":+5,"e":+6}`),
			"start 0 inbound no_answer trunk A legs 2 talk 0s connected 0s user  setup unknown",
		},
		{
			"no list", innerRow(in + `,"how":"missed"`),
			"start 0 inbound no_answer trunk A legs 0 talk 0s connected 0s user  setup unknown",
		},
		{
			"an empty list", innerRow(in + `,"how":"busy","call":{"legs":[]}`),
			"start 0 inbound busy trunk A legs 0 talk 0s connected 0s user  setup unknown",
		},
		{"no list and no outcome", innerRow(in), "outcome is missing"},
		{"legs that say nothing, and a row that doesn't either", innerRow(in, `{"how":"none"}`), "outcome is missing"},
		{"no list but an object", innerRow(in + `,"call":{"legs":{"how":"ok"}}`), "legs.rows isn't a list"},
		{
			"a leg that is no object", innerRow(in, `{"how":"ok"}`, "7"),
			"legs.rows has an element that isn't an object, or more than 1000 of them",
		},
		{"too many legs", innerRow(in, strings.Split(strings.TrimSuffix(strings.Repeat(`{"how":"ok"} `, 1001), " "),
			" ")...), "legs.rows has an element that isn't an object, or more than 1000 of them"},
		{"a leg with a wrong time", innerRow(in, `{"how":"ok","s":"x"}`), "legs: start isn't a Unix time"},
		{
			"a leg with an unknown word", innerRow(in, `{"how":"ok","s":+0,"a":+1,"e":+2}`, `{"how":"new","s":+0}`),
			"unmapped [{legs.outcome new}]",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			mapped := mapper(t, innerLegs, declared.MapperSettings{}).MapJSON([]byte(c.row))
			got := mapped.Invalid
			if r := mapped.Record; len(mapped.Unmapped) > 0 {
				got = fmt.Sprintf("unmapped %v", mapped.Unmapped)
			} else if r != nil {
				got = describeInner(r)
			}
			if got != c.want {
				t.Errorf("got\n%s, want\n%s", got, c.want)
			}
		})
	}
}

func describeInner(r *cdr.Record) string {
	outcome := r.Outcome.String()
	if r.Reason != "" {
		outcome += " " + r.Reason
	}
	if r.SIPCode.Known {
		outcome += fmt.Sprintf(" %d", r.SIPCode.Value)
	}
	talk, _ := r.TalkTime()
	connected, _ := r.ConnectedTime()
	setup := "unknown"
	if d, known := r.Setup(); known {
		setup = d.String()
	}
	return fmt.Sprintf("start %d %s %s trunk %s legs %d talk %s connected %s user %s setup %s",
		r.Start.Unix()-1_795_428_000, r.Direction, outcome, r.Trunk, len(r.Legs), talk, connected, r.UserID, setup)
}

// TestNestedLegs: the legs may be elements of lists within lists. A leg has the values of the elements around it, unless
// it has its own.
func TestNestedLegs(t *testing.T) {
	nested := strings.Replace(innerLegs, "rows: call.legs", "rows: people.*.call.sessions.*.legs", 1)
	row := innerRow(`,"way":"in","trunk":"A","s":+0,"people":[` +
		`{"to":"queue","call":{"sessions":[{"how":"ok","legs":[{"s":+0,"a":+0,"e":+40}]}]}},` +
		`{"user":"u1","how":"busy","call":{"sessions":[{"legs":[{"s":+5,"e":+6}]},{"legs":[]}]}},` +
		`{"user":"u2","call":{"sessions":[{"how":"none","legs":[{"s":+7,"e":+9},{"how":"ok","s":+9,"a":+10,"e":+40}]}]}},` +
		`{"user":"u3","call":{"sessions":null}}]`)
	mapped := mapper(t, nested, declared.MapperSettings{}).MapJSON([]byte(row))
	const want = "start 0 inbound answered trunk A legs 4 talk 30s connected 40s user u2 setup 0s"
	if got := mapped.Invalid; got != "" || describeInner(mapped.Record) != want {
		t.Errorf("got %s %s, want %s", got, describeInner(mapped.Record), want)
	}
}

// TestInnerLegsInAnyOrder: the order of the legs changes nothing.
func TestInnerLegsInAnyOrder(t *testing.T) {
	legs := []string{
		`{"to":"queue","how":"ok","s":+0,"a":+0,"e":+315}`, `{"how":"busy","user":"u1","s":+5,"e":+6}`,
		`{"how":"ok","user":"u3","s":+5,"a":+15,"e":+315}`,
	}
	seen := make(map[string]bool)
	for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		text := innerRow(`,"way":"in","s":+0,"x":0`, legs[order[0]], legs[order[1]], legs[order[2]])
		seen[describeInner(mapper(t, innerLegs, declared.MapperSettings{}).MapJSON([]byte(text)).Record)] = true
	}
	if len(seen) != 1 {
		t.Errorf("got %v", seen)
	}
}

func TestInnerLegsProblems(t *testing.T) {
	const definition = acmetel + innerLegs
	for _, c := range []struct{ name, was, is, want string }{
		{"no list", "      rows: call.legs\n", "", "feeds.calls.legs.rows: is missing"},
		{"elements of nothing", "call.legs", `"*.legs"`, "feeds.calls.legs.rows: has * without a list"},
		{"elements of elements", "call.legs", `"call.*.*.legs"`, "feeds.calls.legs.rows: has * without a list"},
		{"elements without legs", "call.legs", `"call.legs.*"`, "feeds.calls.legs.rows: has * without a list"},
		{
			"no outcome of legs", "outcome: {path: how, table: {ok", "call_type: {path: how, table: {ok",
			"feeds.calls.legs.record.outcome: is missing",
		},
		{
			"a field of calls", "        user_id: user\n", "        charges: [{component: usage, amount: a}]\n",
			"feeds.calls.legs.record.charges[0].amount: belongs to a call, not to a leg",
		},
		{"a wrong word", "ok: answered", "ok: good", `feeds.calls.legs.record.outcome: has "good" for "ok"`},
		{
			"an unknown parameter", "        user_id: user\n", "        user_id: parameter.x\n",
			"feeds.calls.legs.record.user_id: names the parameter x",
		},
		{
			"rows of columns", "    filter:", "    format: csv\n    filter:",
			"feeds.calls.legs: are a JSON list within the row of a call",
		},
		{"no start at all", "start: {path: s, time: unix}", "", "feeds.calls.record.start: is missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := 1
			if c.name == "no start at all" {
				n = 2
			}
			_, err := declared.Load("d.yaml", []byte(strings.Replace(definition, c.was, c.is, n)))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
	columns := tableDefinition + innerLegs[:strings.Index(innerLegs, "    record:\n      id")]
	if _, err := declaredtest.Open(t.TempDir(), columns, "dsn: x, calls: {}", time.Now); err == nil ||
		!strings.Contains(err.Error(), "these rows have columns") {
		t.Errorf("got %v", err)
	}
}
