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

// TestParties: who picked a leg up. A row that is a call by itself has the outcome that this gives;
// a leg keeps its own, since other legs decide.
func TestParties(t *testing.T) {
	const fields = `    record:
      id: id
      start: {path: start, time: rfc3339}
      group: g
      party: {path: by, table: {desk: person, box: voicemail, menu: machine, queue: onward, caller: own}}
      outcome: {path: state, table: {up: answered, busy: busy, menu: machine, lost: none}}
`
	for _, c := range []struct{ name, row, want string }{
		{"no party", `"state":"up"`, "person answered"},
		{"a person", `"by":"desk","state":"up"`, "person answered"},
		{"voicemail", `"by":"box","state":"up"`, "voicemail voicemail"},
		{"a machine", `"by":"menu","state":"up"`, "machine machine"},
		{"a machine that nobody reached", `"by":"menu","state":"busy"`, "machine busy"},
		{"a machine that put the caller through", `"by":"queue","state":"up"`, "onward answered"},
		{"the caller's own telephone, and no more", `"by":"caller","state":"up"`, "own machine"},
		{"a leg of a machine", `"g":"1","by":"menu","state":"up"`, "machine answered"},
		{"a leg of the caller's own", `"g":"1","by":"caller","state":"up"`, "own answered"},
		{"an outcome that says it", `"g":"1","state":"menu"`, "person machine"},
		{"a leg without an outcome", `"g":"1","state":"lost"`, "person unknown none"},
		{"a new party", `"by":"robot","state":"up"`, "person answered unmapped [{party robot}]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := mapper(t, fields, declared.MapperSettings{}).MapJSON([]byte(row(`"id":"1",` + c.row)))
			if got.Record == nil {
				t.Fatal(got.Invalid)
			}
			text := got.Record.Party.String() + " " + got.Record.Outcome.String()
			if got.Record.NoOutcome {
				text += " none"
			}
			if len(got.Unmapped) > 0 {
				text += fmt.Sprintf(" unmapped %v", got.Unmapped)
			}
			if text != c.want {
				t.Errorf("got %s, want %s", text, c.want)
			}
		})
	}
}

// TestLegs: what ties legs together, and what a leg that isn't over says already.
func TestLegs(t *testing.T) {
	const fields = `    final: {state: over}
    whole: {parent: ""}
    record:
      id: [id, other]
      start: {path: start, time: rfc3339}
      parent: parent
      direction: {is: outbound}
      trunk: trunk
      outcome: {path: state, table: {over: answered}}
`
	for _, c := range []struct{ name, row, want string }{
		{"no parent", `"id":"1","state":"over"`, `parent "" whole true provisional false`},
		{"a parent", `"id":"1","parent":"2","state":"over"`, `parent "2" whole false provisional false`},
		{"its own parent", `"id":"1","parent":"1","state":"over"`, `parent "" whole false provisional false`},
		{
			"its own parent by another id", `"id":"1","other":"3","parent":"3","state":"over"`,
			`parent "" whole false provisional false`,
		},
		{"open", `"id":"1","parent":"2","trunk":"a"`, `parent "2" whole false provisional true`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := mapper(t, fields, declared.MapperSettings{}).MapJSON([]byte(row(c.row))).Record
			if r == nil {
				t.Fatal("the record is missing")
			}
			if got := fmt.Sprintf("parent %q whole %t provisional %t", r.Parent, r.Whole,
				r.Provisional); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if r.ID != "1" || r.Start.IsZero() || r.Direction != cdr.Outbound || r.Provisional && r.Trunk != "a" {
				t.Errorf("it says %+v", r)
			}
		})
	}
}

// TestLegKeys: what a feed's rows are decides which keys it takes, and the source's come before the definition's.
func TestLegKeys(t *testing.T) {
	const group = "      group: g\n"
	for _, c := range []struct{ name, defaults, more, block, want string }{
		{"by default", "", group, "", "settle 1m0s whole_after 4h0m0s whole false parents false"},
		{
			"of the definition", "settle: 5s, whole_after: 1h", group, "",
			"settle 5s whole_after 1h0m0s whole false parents false",
		},
		{
			"of the source", "settle: 5s", group, "settle: 0s, whole_after: 8h",
			"settle 0s whole_after 8h0m0s whole false parents false",
		},
		{
			"parents and a condition", "", "      parent: p\n    whole: {p: ''}\n", "",
			"settle 1m0s whole_after 4h0m0s whole true parents true",
		},
		{
			"a definition without legs", "settle: 5s", "", "",
			"feeds.calls.defaults.settle: only works if rows share a group or have a parent",
		},
		{
			"a source without legs", "", "", "whole_after: 1h",
			"pbx.acmetel.calls.whole_after: only works if rows share a group",
		},
		{
			"a condition without legs", "", "    whole: {p: ''}\n", "",
			"feeds.calls.whole: only works if rows share a group or have a parent",
		},
		{"negative", "", group, "settle: -1s", "settle: must be at least"},
		{
			"a wrong word", "", group + "      party: {is: robot}\n", "",
			`record.party: is "robot", must be person, voicemail, machine, onward or own`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := acmetel + "    defaults: {" + c.defaults + "}\n" + record() + c.more
			source, err := declaredtest.Open(t.TempDir(), text, "calls: {"+c.block+"}", time.Now)
			if err != nil {
				if strings.HasPrefix(c.want, "settle ") ||
					!strings.Contains(err.Error(), strings.TrimPrefix(c.want, "pbx.")) {
					t.Errorf("got %v, want %s", err, c.want)
				}
				return
			}
			f := &source.Feeds[0]
			got := fmt.Sprintf("settle %s whole_after %s whole %t parents %t", f.Settle, f.WholeAfter, f.Rules.Whole,
				f.Rules.Parents)
			if got != c.want || !f.Rules.Legs {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// TestMaps: parameters that hold networks or columns by name.
func TestMaps(t *testing.T) {
	const columns = `provider: acmetel
parameters: {columns: {map: columns}, carriers: {map: networks}}
sql: {driver: sqlite, query: "SELECT id, at, {columns.trunk} AS trunk, {columns.way} AS way FROM calls WHERE at >= :from AND at < :to"}
feeds:
  calls:
    filter: {by: start}
    record:
      id: id
      start: {path: at, time: "2006-01-02 15:04:05"}
      outcome: {is: answered}
      trunk: [trunk, way]
`
	path, _ := declaredtest.Database(t, "CREATE TABLE calls (id INTEGER, at TEXT, gw_out TEXT)",
		"INSERT INTO calls VALUES (1, '2026-11-23 10:00:00', 'fra-1')")
	for _, c := range []struct{ name, block, want string }{
		{"a column", "columns: {trunk: gw_out}", "fra-1"},
		{"none", "", ""},
		{"no columns", "columns: {}", ""},
		{"an unknown one", "columns: {caller: x}", "columns.caller: is unknown; the columns here are trunk, way"},
		{
			"statements", "columns: {trunk: 'x FROM y --'}",
			"columns.trunk: must be the name of one column, of letters, digits and _",
		},
		{"several", "columns: {trunk: [a, b]}", "columns.trunk: must be the name of one column"},
		{"a text", "columns: gw_out", "columns: must be a mapping of names to columns"},
		{"networks", "carriers: {a: 10.1.0.0/16, b: [192.0.2.7, '2001:db8::/32']}", ""},
		{
			"no network", "carriers: {a: [10.1.0.0/16, sbc.example]}",
			"carriers.a: must be addresses or networks such as 192.0.2.7 or 10.1.0.0/16",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			block := "dsn: " + path + ", calls: "
			if c.block != "" {
				block += ", " + c.block
			}
			source, err := declaredtest.Open(t.TempDir(), columns, block, time.Now)
			if err != nil {
				if !strings.Contains(err.Error(), c.want) || c.want == "" {
					t.Errorf("got %v, want %s", err, c.want)
				}
				return
			}
			begin := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
			var trunks []string
			for page, err := range source.Feeds[0].Reader.Pages(t.Context(), begin, begin.Add(time.Minute)) {
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range page.Records {
					trunks = append(trunks, r.Trunk)
				}
			}
			if len(trunks) != 1 || trunks[0] != c.want {
				t.Errorf("trunks are %q, want %q", trunks, c.want)
			}
		})
	}
	for _, c := range []struct{ was, is, want string }{
		{"map: columns", "map: words", "parameters.columns.map: must be networks or columns"},
		{
			"map: columns", "map: columns, list: true",
			"parameters.columns: has map, which excludes secret, list and default",
		},
		{
			"{columns.way}", "{column.way}",
			"sql.query: names {column.way}, and column isn't a parameter with map: columns",
		},
		{
			"trunk: [trunk, way]", "trunk: {path: at, networks: columns}",
			"record.trunk: names columns, which isn't a parameter with map: networks",
		},
		{"driver: sqlite", "driver: '{carriers}'", "sql.driver: names carriers, which has several values by name"},
		{"trunk: [trunk, way]", "outcome_: x", "unknown key"},
	} {
		if _, err := declared.Load("d.yaml", []byte(strings.Replace(columns, c.was, c.is, 1))); err == nil ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.is, err, c.want)
		}
	}
}

// TestCodesByName: a table next to a code turns the row's words into codes.
func TestCodesByName(t *testing.T) {
	const fields = "    record:\n      start: {path: start, time: rfc3339}\n      outcome: [{q850: cause, " +
		"table: {BUSY: 17, GONE: 41}}, {is: unknown}]\n"
	for cause, want := range map[string]string{
		"BUSY": "busy user_busy", "GONE": "failed temporary_failure",
		"NEW": "unknown ",
	} {
		got := mapper(t, fields, declared.MapperSettings{}).MapJSON([]byte(row(`"cause":"` + cause + `"`)))
		if r := got.Record; r == nil || r.Outcome.String()+" "+r.Reason != want {
			t.Errorf("%s became %+v", cause, got)
		}
	}
	_, err := declared.Load("d.yaml", []byte(acmetel+strings.Replace(fields, "17", "busy", 1)))
	if err == nil || !strings.Contains(err.Error(), `has "busy" for "BUSY" in its table, must be a code`) {
		t.Error(err)
	}
}
