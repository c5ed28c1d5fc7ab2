package declared_test

import (
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// TestOneColumn: a line of fixed width is cut by positions, so its blanks count until a value is cut out.
func TestOneColumn(t *testing.T) {
	m := mapper(t, `provider: acmetel
files: {read: lines, format: csv, columns: [line]}
feeds:
  calls:
    ignore: 'len(line) < 20'
    record:
      start: {path: line, match: '^.{3}(.{10})', time: unix}
      outcome: {expr: 'trim(line[0:3]) == "1" ? "busy" : "failed"'}
      trunk: {path: line, match: '^.{14}(.*)$'}
      call_type: {when: {line: "1 *"}, is: one}
`, declared.MapperSettings{})
	r := m.MapFields([]string{"line"}, []string{" 1 1795428063 fra     "}).Record
	if r == nil || r.Start.Unix() != 1795428063 || r.Outcome != cdr.Busy || r.Trunk != "fra" || r.CallType != "one" {
		t.Errorf("got %+v", r)
	}
	if got := m.MapFields([]string{"line"}, []string{"      "}); !got.Ignored && got.Invalid == "" {
		t.Errorf("got %+v", got)
	}
}

// TestListInExpression: a list parameter is a list in an expression, however many values it has.
func TestListInExpression(t *testing.T) {
	text := strings.NewReplacer("    record:", "    ignore: 'trunk in parameter.trunks or trunk == parameter.tenant'\n"+
		"    record:", "      FIELD\n", "").Replace(base(t, "fields"))
	for want, trunks := range map[string][]string{"": {}, "a": {"a"}, "a b": {"a", "b"}} {
		m := mapper(t, text, declared.MapperSettings{
			Parameters: map[string][]string{"trunks": trunks, "tenant": {"t"}},
		})
		var ignored []string
		for _, trunk := range []string{"a", "b", "c"} {
			got := m.MapJSON(row(`{"trunk":"` + trunk + `"}`))
			if got.Invalid != "" {
				t.Errorf("of %v trunk %s is invalid: %s", trunks, trunk, got.Invalid)
			}
			if got.Ignored {
				ignored = append(ignored, trunk)
			}
		}
		if got := strings.Join(ignored, " "); got != want {
			t.Errorf("of %v %q are ignored", trunks, got)
		}
		if !m.MapJSON(row(`{"trunk":"t"}`)).Ignored {
			t.Errorf("of %v the text isn't one", trunks)
		}
	}
}

// TestRowWithoutColumns: PostgreSQL can select rows of no columns. They can't be read.
func TestRowWithoutColumns(t *testing.T) {
	m := mapper(t, strings.Replace(base(t, "fields"), "      FIELD\n", "", 1), declared.MapperSettings{})
	if got := m.Map(new(rows.Row)).Invalid; got != "start is missing" {
		t.Error(got)
	}
}

// TestTryKeepsBlanks: a row of one column is a line in which places count, also when it is the last one.
func TestTryKeepsBlanks(t *testing.T) {
	const text = `provider: acmefixed
files: {read: lines, format: csv, separator: "\x01", columns: [line]}
feeds:
  calls:
    ignore: 'len(line) != 32'
    record: {start: {path: line, match: '^(.{20})', time: rfc3339}, outcome: {is: answered}}
`
	line := []byte("2026-11-23T10:00:00Z 4101       \n")
	for number, m := range mapper(t, text, declared.MapperSettings{}).Try(line) {
		if m.Record == nil {
			t.Errorf("row %d is ignored, %s", number, m.Invalid)
		}
	}
}

// TestTryOneRow: a text of one row may be a page whose list is elsewhere. The error of a row without its fields says
// so. The error of a row with a wrong value doesn't.
func TestTryOneRow(t *testing.T) {
	const text = `provider: acmetel
http: {base_url: https://api.acmetel.example}
feeds:
  calls:
    request: {path: /calls}
    filter: {by: start}
    rows: calls
    record: {start: {path: began, time: rfc3339}, sip_code: code, outcome: {is: answered}}
`
	for _, c := range []struct{ name, row, want string }{
		{"no field", `{"items":[]}`, "start is missing; the text has no list at calls, so it was taken for one row"},
		{
			"a wrong value", `{"began":"2026-11-23T10:00:00Z","code":"603-S"}`,
			`sip_code isn't a SIP code; the row has "000-S" (0 is any digit)`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, m := range mapper(t, text, declared.MapperSettings{}).Try([]byte(c.row)) {
				if m.Invalid != c.want {
					t.Errorf("%s", m.Invalid)
				}
			}
		})
	}
}

// TestIgnoredLeg: an ignored row that may have been an open leg before says which one.
func TestIgnoredLeg(t *testing.T) {
	const text = `provider: acmetel
http: {base_url: https://api.acmetel.example}
feeds:
  calls:
    request: {path: /calls}
    filter: {by: start}
    ignore: {state: fax}
    final: {state: [fax, done]}
    record: {id: id, group: call, start: {path: began, time: rfc3339}, outcome: {is: answered}}
`
	const fax = `{"id":"7","began":"2026-11-23T10:00:00Z","state":"fax"}`
	for _, c := range []struct{ name, without, row, want string }{
		{"a leg", "", fax, "7 10:00:00"},
		{"rows that never wait", "    final: {state: [fax, done]}\n", fax, ""},
		{"no legs", "group: call, ", fax, ""},
		{"no id", "", `{"began":"2026-11-23T10:00:00Z","state":"fax"}`, ""},
		{"no start", "", `{"id":"7","state":"fax"}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := mapper(t, strings.Replace(text, c.without, "", 1), declared.MapperSettings{}).MapJSON([]byte(c.row))
			got := ""
			if m.Leg != nil {
				got = m.Leg.ID + m.Leg.Start.Format(" 15:04:05")
			}
			if !m.Ignored || got != c.want {
				t.Errorf("%+v, leg %q", m, got)
			}
		})
	}
}

// TestTryTwice: what a definition names stays the same. An expression may name a value of `for`.
func TestTryTwice(t *testing.T) {
	m := mapper(t, `provider: acmetel
http: {base_url: https://api.acmetel.example}
feeds:
  calls:
    for: {type: [placed, received]}
    request: {path: "/{for.type}"}
    filter: {by: start}
    rows: calls
    ignore: for.type == "placed" and test == "1"
    record: {start: {path: began, time: rfc3339}, outcome: [{when: for.type == state, is: answered}, {is: busy}]}
`, declared.MapperSettings{})
	for range 2 {
		for _, got := range m.Try([]byte(`[{"began":"2026-11-23T10:00:00Z"}]`)) {
			unseen := strings.Join(m.Unseen(), ", ")
			if got.Record == nil || unseen != "state (outcome), test (ignore)" {
				t.Errorf("%s: no record has %s", became(got), unseen)
			}
		}
	}
}

// TestWithoutTrunks: without names of trunks the calls of a telephone system have no direction.
func TestWithoutTrunks(t *testing.T) {
	columns := []string{"start", "disposition", "dateTimeOrigination", "pkid", "finalCalledPartyNumber"}
	for _, provider := range []string{"asterisk", "cucm"} {
		got := builtin(t, provider, "cdr", map[string][]string{"trunks": {}}).
			MapFields(columns, []string{"2026-11-23 10:00:01", "BUSY", "1795428001", "1", "4101"})
		if got.Record == nil || got.Record.Direction != cdr.DirectionUnknown {
			t.Errorf("%s: %+v", provider, got)
		}
	}
}
