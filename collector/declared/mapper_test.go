package declared_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// acmetel begins a definition of one feed, whose record follows.
const acmetel = `provider: acmetel
parameters:
  trunks: {list: true, default: []}
  tenant: {default: ""}
  carriers: {map: networks}
http: {base_url: "https://api.acmetel.example"}
feeds:
  calls:
    request: {path: /calls}
    filter: {by: start}
`

// mapper makes a mapper of the feed of a definition that ends with text.
func mapper(t *testing.T, text string, settings declared.MapperSettings) *declared.Mapper {
	t.Helper()
	d, err := declared.Load("acmetel.yaml", []byte(acmetel+text))
	if err != nil {
		t.Fatal(err)
	}
	feed := d.Feeds["calls"]
	return declared.NewMapper(&feed, settings)
}

// record is a record block with a start and an outcome; more is further fields.
func record(more ...string) string {
	text := "    record:\n      start: {path: start, time: rfc3339}\n      outcome: {is: answered}\n"
	for _, line := range more {
		text += "      " + line + "\n"
	}
	return text
}

// row is a row with a start; more is further members.
func row(more string) string {
	text := `{"start":"2026-11-23T10:00:01+01:00"`
	if more != "" {
		text += "," + more
	}
	return text + "}"
}

// TestSetup (definitions.md 4): set-up time is answer − start.
func TestSetup(t *testing.T) {
	for answer, want := range map[string]time.Duration{"10:00:09": 8 * time.Second, "10:00:01": 0} {
		got := mapper(t, record("answer: {path: answer, time: rfc3339}"), declared.MapperSettings{}).
			MapJSON([]byte(row(`"answer":"2026-11-23T` + answer + `+01:00"`)))
		if setup, known := got.Record.Setup(); setup != want || !known {
			t.Errorf("answered at %s: %s, known: %t", answer, setup, known)
		}
	}
	got := mapper(t, record("answer: {path: answer, time: rfc3339}"), declared.MapperSettings{}).
		MapJSON([]byte(row("")))
	if setup, known := got.Record.Setup(); known {
		t.Errorf("without an answer: %s", setup)
	}
}

func TestFields(t *testing.T) {
	for _, c := range []struct{ name, field, row, key, want string }{
		{"start", "", "", "Start", "2026-11-23T09:00:01Z"},
		{"id", "id: sid", `"sid":"a"`, "ID", "a"},
		{"further ids", "id: [sid, other]", `"sid":"a","other":"b"`, "AltIDs", "b"},
		{"the second id alone", "id: [sid, other]", `"other":"b"`, "ID", "b"},
		{"a joined id", "id: {join: [a, b]}", `"a":"x","b":7`, "ID", "x/7"},
		{"no id", "", "", "ID", "<nil>"},
		{"the call is the group", "group: g", `"g":"s1"`, "CallID", "s1"},
		{"a name with a blank", `trunk: '["Outbound trunk"]'`, `"Outbound trunk":"lgw"`, "Trunk", "lgw"},
		{"a nested path", "trunk: a.b.1.c", `"a":{"b":[0,{"c":"x"}]}`, "Trunk", "x"},
		{
			"a pattern", `trunk: {path: c, match: '^PJSIP/(.+)-[0-9a-f]{8}$'}`,
			`"c":"PJSIP/carrier-0000001a"`, "Trunk", "carrier",
		},
		{"a pattern that doesn't match", `trunk: {path: c, match: '^PJSIP/(.+)-'}`, `"c":"SIP/x"`, "Trunk", "<nil>"},
		{
			"the first that gives a value", `trunk: [sbc, {path: group}, {is: none}]`,
			`"sbc":null,"group":"g"`, "Trunk", "g",
		},
		{"a condition", `trunk: [{path: a, when: {kind: out*}}, b]`, `"kind":"outbound","a":"x","b":"y"`, "Trunk", "x"},
		{
			"a condition that doesn't hold", `trunk: [{path: a, when: {kind: out*}}, b]`,
			`"kind":"in","a":"x","b":"y"`, "Trunk", "y",
		},
		{"a number in a trunk", "trunk: t", `"t":"PJSIP/+493012345678"`, "Trunk", "PJSIP/***"},
		{"a number in a call type", "call_type: t", `"t":"to +493012345678"`, "CallType", "to"},
		{"a number as text", "trunk: n", `"n":4711`, "Trunk", "4711"},
		{"an expression", `trunk: {expr: 'lower(a) + "-" + string(n + 1)'}`, `"a":"X","n":2`, "Trunk", "x-3"},
		{"an expression of a name with a blank", `trunk: {expr: '$env["A b"] ?? "none"'}`, `"A b":"x"`, "Trunk", "x"},
		{"a parameter", `trunk: parameter.tenant`, "", "Trunk", "t1"},
		{"a network", "trunk: {path: a, networks: carriers}", `"a":"10.1.3.4"`, "Trunk", "acme"},
		{"the smallest network", "trunk: {path: a, networks: carriers}", `"a":"10.1.2.4"`, "Trunk", "acme-fra"},
		{
			"an address of IPv6 in brackets", "trunk: {path: a, networks: carriers}",
			`"a":"[2001:db8::1]"`, "Trunk", "acme",
		},
		{
			"an address of IPv4 written as one of IPv6", "trunk: {path: a, networks: carriers}",
			`"a":"::ffff:192.0.2.7"`, "Trunk", "solo",
		},
		{"no network", "trunk: [{path: a, networks: carriers}, b]", `"a":"10.2.0.1","b":"x"`, "Trunk", "x"},
		{"no address", "trunk: [{path: a, networks: carriers}, b]", `"a":"10.1","b":"x"`, "Trunk", "x"},
		{
			"a condition of networks", `trunk: {when: {a: "sip:*@{carriers}:*"}, is: x}`,
			`"a":"sip:100@192.0.2.7:5060"`, "Trunk", "x",
		},
		{
			"a condition of networks that doesn't hold", `trunk: {when: {a: "{carriers}"}, is: x}`,
			`"a":"192.0.2.8"`, "Trunk", "<nil>",
		},
		{"seconds", "duration: d", `"d":"62"`, "Duration", "1m2s"},
		{"a fraction", "duration: {path: d, unit: ms}", `"d":1500.5`, "Duration", "1.5005s"},
		{"minutes", "duration: {path: d, unit: min}", `"d":1.5`, "Duration", "1m30s"},
		{"ISO 8601", "duration: {path: d, unit: iso8601}", `"d":"PT1H2M3.5S"`, "Duration", "1h2m3.5s"},
		{"h:mm:ss", "duration: {path: d, unit: hms}", `"d":"1:02:03"`, "Duration", "1h2m3s"},
		{
			"a duration that isn't given",
			"duration: d\n      answer: {path: a, time: unix}\n      end: {path: e, time: unix}",
			`"a":1795428009,"e":1795428063`, "Duration", "54s",
		},
		{
			"an end before the answer", "answer: {path: a, time: unix}\n      end: {path: e, time: unix}",
			`"a":1795428063,"e":1795428009`, "Duration", "none",
		},
		{
			"an end of another year", "answer: {path: a, time: unix}\n      end: {path: e, time: unix}",
			`"a":1695428009,"e":1795428063`, "Duration", "none",
		},
		{"ringing", "ringing: {path: r, unit: ms}", `"r":8000`, "Ringing", "8s"},
		{"the trunk's channel", "channel: c", `"c":"PJSIP/carrier-0000001a"`, "Channel", "PJSIP/carrier-0000001a"},
		{"no duration", "duration: d", `"d":""`, "Duration", "none"},
		{
			"time since", "duration: {path: b, time: unix, since: a}",
			`"a":1795428001,"b":"1795428063"`, "Duration", "1m2s",
		},
		{"time since that is negative", "duration: {path: b, time: unix, since: a}", `"a":3,"b":2`, "Duration", "none"},
		{
			"RFC 2822", "end: {path: e, time: rfc2822}",
			`"e":"Mon, 23 Nov 2026 10:01:03 +0100"`, "End", "2026-11-23T09:01:03Z",
		},
		{
			"MySQL's zero date", "end: {path: e, time: '2006-01-02 15:04:05'}",
			`"e":"0000-00-00 00:00:00"`, "End", "<nil>",
		},
		{
			"a Unix time with an exponent", "answer: {path: e, time: unix}",
			`"e":1.795428009E9`, "Answer", "2026-11-23T10:00:09Z",
		},
		{"a length with an exponent", "duration: {path: d, unit: ms}", `"d":6.25e+4`, "Duration", "1m2.5s"},
		{"a huge exponent", "call_id: d", `"d":1e999999999`, "CallID", "1e999999999"},
		{
			"microseconds", "answer: {path: e, time: unix_us}",
			`"e":"1795428009000001"`, "Answer", "2026-11-23T10:00:09.000001Z",
		},
		{"a Unix time of 0", "answer: {path: e, time: unix}", `"e":0`, "Answer", "<nil>"},
		{
			"a layout with a zone", "end: {path: e, time: '2006-01-02 15:04:05', zone: Europe/Berlin}",
			`"e":"2026-11-23 10:00:01"`, "End", "2026-11-23T09:00:01Z",
		},
		{
			"a layout in the source's zone", "end: {path: e, time: '2006-01-02 15:04:05'}",
			`"e":"2026-11-23 12:00:01"`, "End", "2026-11-23T09:00:01Z",
		},
		{"blanks around a text", "trunk: t", `"t":"  fra 1\t"`, "Trunk", "fra 1"},
		{"blanks alone", "trunk: [a, b]", `"a":"  ","b":"x"`, "Trunk", "x"},
		{"blanks around a number", "duration: d", `"d":"  62 "`, "Duration", "1m2s"},
		{"blanks around a time", "end: {path: e, time: unix}", `"e":" 1795428063 "`, "End", "2026-11-23T10:01:03Z"},
		{
			"blanks around what a table has", `direction: {path: d, table: {"OUT ": outbound}}`,
			`"d":" OUT   "`, "Direction", "outbound",
		},
		{"blanks in a condition", `trunk: {when: {d: "OUT ", e: ""}, is: x}`, `"d":" OUT","e":"  "`, "Trunk", "x"},
		{
			"blanks in an expression", `trunk: {expr: 'd == "OUT" && e == nil && f.g[0] == "y" ? "x " : nil'}`,
			`"d":" OUT","e":" ","f":{"g":["y "]}`, "Trunk", "x",
		},
		{"blanks in what matches", `trunk: {path: d, match: '^(.*)\('}`, `"d":"fra (1)"`, "Trunk", "fra"},
		{
			"an end and a length", "answer: {path: e, time: rfc3339, minus: d}",
			`"e":"2026-11-23T10:01:03+01:00","d":"62"`, "Answer", "2026-11-23T09:00:01Z",
		},
		{
			"an end and a length in its unit", "answer: {path: e, time: rfc3339, minus: d, unit: ms}",
			`"e":"2026-11-23T10:01:03+01:00","d":62000`, "Answer", "2026-11-23T09:00:01Z",
		},
		{
			"an end without a length", "answer: {path: e, time: rfc3339, minus: d}",
			`"e":"2026-11-23T10:01:03+01:00"`, "Answer", "<nil>",
		},
		{"a version", "version: v", `"v":"17"`, "Version", "17"},
		{"a version that is a time", "version: v", `"v":"2026-11-23T10:00:01.5+01:00"`, "Version", "1795424401500000"},
		{
			"a version as PostgreSQL prints it", "version: v",
			`"v":"2026-11-23 10:00:01.5+01"`, "Version", "1795424401500000",
		},
		{"a version in the source's zone", "version: v", `"v":"2026-11-23 12:00:01"`, "Version", "1795424401000000"},
		{"a version with a form", "version: {path: v, time: unix}", `"v":17`, "Version", "17000000"},
		{
			"a version that is a zero date", "version: {path: v, time: '2006-01-02 15:04:05'}",
			`"v":"0000-00-00 00:00:00"`, "Version", "<nil>",
		},
		{
			"direction", "direction: {path: d, table: {outbound-api: outbound}}",
			`"d":"outbound-api"`, "Direction", "outbound",
		},
		{
			"a negated amount", "charges: [{component: usage, amount: {path: p, negate: true}, currency: c}]",
			`"p":"-0.04200","c":"USD"`, "Charges", "[usage 0.042 USD]",
		},
		{"no amount", "charges: [{component: usage, amount: p}]", `"p":null`, "Charges", "<nil>"},
		{
			"country of the callee", "direction: {is: outbound}\n      callee: to",
			`"to":"+493012345678"`, "Country", "DE",
		},
		{
			"country of the caller", "direction: {is: inbound}\n      caller: from\n      callee: to",
			`"from":"+33123456789","to":"+493012345678"`, "Country", "FR",
		},
		{"an emergency call", "direction: {is: outbound}\n      callee: to", `"to":"112"`, "Emergency", "real"},
		{"extra", "extra: {answered_by: by}", `"by":"machine_start"`, "x.answered_by", "machine_start"},
		{"extra with a class", "extra: {agent: {path: by, privacy: user}}", `"by":"Jane"`, "x.agent", "Jane (user)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := mapper(t, record(c.field), declared.MapperSettings{
				Parameters: map[string][]string{
					"tenant": {"t1"}, "carriers.acme": {"10.1.0.0/16", "2001:db8::/32"},
					"carriers.acme-fra": {"10.1.2.0/24"}, "carriers.solo": {"192.0.2.7"},
				}, Zone: time.FixedZone("", 3*3600), EmergencyNumbers: []string{"112"},
			})
			got := m.MapJSON([]byte(row(c.row)))
			if got.Record == nil || len(got.Unmapped) > 0 {
				t.Fatalf("no record: %s, unmapped %v", got.Invalid, got.Unmapped)
			}
			if value := fmt.Sprint(providertest.RowOf(got.Record, "x.")[c.key]); value != c.want {
				t.Errorf("got %v, want %v", value, c.want)
			}
		})
	}
}

// TestOneColumn: a line of fixed width is cut by positions, so its blanks count until a value is cut out.
func TestOneColumn(t *testing.T) {
	m := mapper(t, `    ignore: 'len(line) < 20'
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

// TestTimes: forms of times, which time a row has, or why it has none.
func TestTimes(t *testing.T) {
	now := time.Date(2026, 2, 10, 12, 0, 0, 0, time.UTC)
	const named = "time: '2006-01-02 15:04:05 MST'"
	for _, c := range []struct{ name, how, text, want string }{
		{"UTC by name", named, "2026-07-01 10:00:00 UTC", "2026-07-01T10:00:00Z"},
		{"GMT by name", named, "2026-07-01 10:00:00 GMT", "2026-07-01T10:00:00Z"},
		{"a name that time_zone explains", named, "2026-07-01 10:00:00 EDT", "2026-07-01T14:00:00Z"},
		{"a name of the other half of the year", named, "2026-07-01 10:00:00 EST", "2026-07-01T15:00:00Z"},
		{
			"a name that nothing explains", named, "2026-07-01 10:00:00 CEST",
			"end has the name of a time zone that neither zone nor time_zone explains",
		},
		{
			"a name that zone explains", named + ", zone: Europe/Berlin", "2026-07-01 10:00:00 CEST",
			"2026-07-01T08:00:00Z",
		},
		{
			"a name of time_zone, while zone is set", named + ", zone: Europe/Berlin", "2026-07-01 10:00:00 EST",
			"end has the name of a time zone that neither zone nor time_zone explains",
		},
		{"a name that is an offset", named, "2026-07-01 10:00:00 +03", "2026-07-01T07:00:00Z"},
		{
			"an offset with a name", "time: '2006-01-02 15:04:05 -0700 MST'", "2026-07-01 10:00:00 +0200 CEST",
			"2026-07-01T08:00:00Z",
		},
		{"RFC 2822 with GMT", "time: rfc2822", "Wed, 01 Jul 2026 10:00:00 GMT", "2026-07-01T10:00:00Z"},
		{
			"RFC 2822 with a name that is explained", "time: rfc2822, zone: America/New_York", "1 Jul 2026 10:00:00 EDT",
			"2026-07-01T14:00:00Z",
		},
		{
			"RFC 2822 with a name that nothing explains", "time: rfc2822", "Wed, 01 Jul 2026 10:00:00 CEST",
			"end has the name of a time zone that neither zone nor time_zone explains",
		},
		{"RFC 2822 with a comment", "time: rfc2822", "Wed, 01 Jul 2026 10:00:00 +0200 (CEST)", "2026-07-01T08:00:00Z"},
		{"the first form", "time: [rfc3339, '02.01.2006 15:04']", "2026-07-01T10:00:00Z", "2026-07-01T10:00:00Z"},
		{
			"the second form", "time: [rfc3339, '02.01.2006 15:04'], zone: UTC", "01.07.2026 10:00",
			"2026-07-01T10:00:00Z",
		},
		{
			"none of the forms", "time: [rfc3339, '02.01.2006 15:04']", "1 July",
			"end isn't a time of the form rfc3339 or 02.01.2006 15:04",
		},
		{
			"none of the forms, one with a name", "time: ['2006-01-02 15:04:05 MST', rfc3339]", "2026-07-01 10:00:00 CEST",
			"end has the name of a time zone that neither zone nor time_zone explains",
		},
		{"RFC 3339 in small letters", "time: rfc3339", "2026-07-01t10:00:00.5z", "2026-07-01T10:00:00.5Z"},
		{"RFC 3339 with a blank", "time: rfc3339", "2026-07-01 10:00:00+02:00", "2026-07-01T08:00:00Z"},
		{
			"a form that fits both ways", "time: ['02/01/2006', '01/02/2006'], zone: UTC", "03/04/2026",
			"2026-04-03T00:00:00Z",
		},
		{"a number among layouts", "time: ['2006-01-02 15:04:05', unix]", "1782900000", "2026-07-01T10:00:00Z"},
		{
			"no year: this one", "time: 'Jan _2 15:04:05', year: infer, zone: UTC", "Feb  9 10:00:00",
			"2026-02-09T10:00:00Z",
		},
		{
			"no year: the one before", "time: 'Jan _2 15:04:05', year: infer, zone: UTC", "Dec 31 23:59:59",
			"2025-12-31T23:59:59Z",
		},
		{
			"no year: a clock that is ahead", "time: 'Jan _2 15:04:05', year: infer, zone: UTC", "Feb 10 12:40:00",
			"2026-02-10T12:40:00Z",
		},
		{
			"no year: tomorrow", "time: 'Jan _2 15:04:05', year: infer, zone: UTC", "Feb 11 12:00:00",
			"2025-02-11T12:00:00Z",
		},
		{
			"no year: the 29th of February", "time: 'Jan _2 15:04:05', year: infer, zone: UTC", "Feb 29 12:00:00",
			"2024-02-29T12:00:00Z",
		},
		{
			"no year: the 30th of February", "time: 'Jan _2 15:04:05', year: infer, zone: UTC", "Feb 30 12:00:00",
			"end isn't a time of the form Jan _2 15:04:05",
		},
		{
			"no year in one of the forms", "time: [rfc3339, 'Jan _2 15:04:05'], year: infer, zone: UTC",
			"2020-07-01T10:00:00Z", "2020-07-01T10:00:00Z",
		},
		{
			"no year, with a name", "time: 'Jan _2 15:04:05 MST', year: infer", "Feb  9 10:00:00 CET",
			"end has the name of a time zone that neither zone nor time_zone explains",
		},
		{
			"no year, in the source's zone", "time: 'Jan _2 15:04:05', year: infer", "Feb  9 10:00:00",
			"2026-02-09T15:00:00Z",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			zone, err := time.LoadLocation("America/New_York")
			if err != nil {
				t.Fatal(err)
			}
			m := mapper(t, record("end: {path: e, "+c.how+"}"),
				declared.MapperSettings{Zone: zone, Now: func() time.Time { return now }})
			mapped := m.MapJSON([]byte(row(`"e":"` + c.text + `"`)))
			got := mapped.Invalid
			if mapped.Record != nil {
				got = mapped.Record.End.Format(time.RFC3339Nano)
			}
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// TestComparisons: patterns that compare numbers and times.
func TestComparisons(t *testing.T) {
	for _, c := range []struct {
		name, pattern, value string
		fits                 bool
	}{
		{"more than", ">0", `"1"`, true},
		{"a number of JSON", ">0", "12", true},
		{"equal is not more", ">0", `"0"`, false},
		{"zero with a fraction", ">0", `"0.000"`, false},
		{"a fraction", ">0", `"0.5"`, true},
		{"leading zeros", ">9", `"0010"`, true},
		{"not as texts", ">9", `"10"`, true},
		{"below zero", "<0", `"-1"`, true},
		{"at most", "<=16", "16", true},
		{"at least", ">=16", "16", true},
		{"in a range", ">=400 <500", "404", true},
		{"above a range", ">=400 <500", "500", false},
		{"a long id", ">9007199254740992", "9007199254740993", true},
		{"with an exponent", ">1e3", "1.5e3", true},
		{"blanks", " > 0 ", `" 1 "`, true},
		{"a word", ">0", `"abc"`, false},
		{"infinity", ">0", `"Inf"`, false},
		{"a hexadecimal number", ">0", `"0x10"`, false},
		{"missing", "<5", "null", false},
		{"an object", ">0", "{}", false},
		{"a date", ">=2026-01-01", `"2026-01-01"`, true},
		{"before a date", ">=2026-01-01", `"2025-12-31T23:59:59"`, false},
		{"a time with an offset", ">=2026-01-01T00:00:00Z", `"2025-12-31T19:00:00-05:00"`, true},
		{"as a database prints it", "<2026-01-01", `"2025-12-31 23:59:59.999999"`, true},
		{"the day begins in the source's zone", ">=2026-01-01", `"2026-01-01T02:00:00Z"`, false},
		{"no time", ">=2026-01-01", `"2027"`, false},
		{"MySQL's zero date", "<2026-01-01", `"0000-00-00 00:00:00"`, false},
		{"no comparison", "<unknown>", `"<unknown>"`, true},
		{"an empty text in brackets", "<>", `"<>"`, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			zone := time.FixedZone("", -3*3600)
			got := mapper(t, record("trunk: {when: {v: '"+c.pattern+"'}, is: x}"), declared.MapperSettings{Zone: zone}).
				MapJSON([]byte(row(`"v":` + c.value)))
			if got.Record == nil || (got.Record.Trunk == "x") != c.fits {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// TestCodes: a text that isn't the code of a country or a currency doesn't become a label, and the
// currency of charges without one doesn't replace it.
func TestCodes(t *testing.T) {
	m := mapper(t, record("country: c", "charges: [{component: usage, amount: {is: '1'}, currency: u}]"),
		declared.MapperSettings{})
	for _, c := range []struct{ name, row, country, currency, unmapped string }{
		{"codes", `"c":"de","u":"usd"`, "DE", "USD", ""},
		{"none", `"c":null,"u":""`, "", "", ""},
		{"numbers", `"c":"+493012345678","u":"493012345678"`, "", "XXX", "country+493012345678 currency493012345678 "},
		{"other words", `"c":"D1","u":"USDT"`, "", "XXX", "countryD1 currencyUSDT "},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := m.MapJSON([]byte(row(c.row)))
			if r := got.Record; r == nil || r.Country != c.country || r.Charges[0].Currency != c.currency {
				t.Errorf("got %+v", r)
			}
			unmapped := ""
			for _, u := range got.Unmapped {
				unmapped += u.Field + u.Value + " "
			}
			if unmapped != c.unmapped {
				t.Errorf("unmapped are %q", unmapped)
			}
		})
	}
}

func TestOutcomes(t *testing.T) {
	const outcome = `    record:
      start: {path: start, time: rfc3339}
      outcome:
        - {when: {app: VoiceMail, answer: "*"}, is: voicemail}
        - {when: 'int(billsec ?? "0") > 0', is: answered}
        - {q850: cause}
        - {sip: status}
        - {path: disposition, table: {BUSY: busy, FAILED: {outcome: failed, reason: congestion, fault_domain: sbc}}}
`
	for _, c := range []struct {
		name, row      string
		want           cdr.Outcome
		reason         string
		fault          cdr.FaultDomain
		unmapped, says string
	}{
		{"voicemail", `"app":"VoiceMail","answer":"x","billsec":"3"`, cdr.Voicemail, "", 0, "", ""},
		{"answered", `"app":"Dial","billsec":"3"`, cdr.Answered, "", 0, "", ""},
		{"Q.850", `"cause":17`, cdr.Busy, "user_busy", cdr.FaultUser, "", ""},
		{"Q.850 out of order", `"cause":"38"`, cdr.Failed, "network_out_of_order", cdr.FaultCarrier, "", ""},
		{
			"Q.850 in the low byte: 0xA700003F", `"cause":-1493172161`, cdr.Failed, "service_not_available",
			cdr.FaultCarrier, "", "",
		},
		{"barred", `"cause":52`, cdr.NotAllowed, "outgoing_calls_barred", cdr.FaultPolicy, "", ""},
		{"0 asks the next", `"cause":0,"status":503`, cdr.Failed, "service_unavailable", cdr.FaultCarrier, "", ""},
		{"SIP 2xx", `"status":"200"`, cdr.Answered, "", 0, "", ""},
		{"SIP 404", `"status":404`, cdr.InvalidNumber, "not_found", cdr.FaultUser, "", ""},
		{"a word", `"disposition":"BUSY"`, cdr.Busy, "", 0, "", ""},
		{"a map", `"disposition":"FAILED"`, cdr.Failed, "congestion", cdr.FaultSBC, "", ""},
		{"a value that no table knows", `"disposition":"NEW"`, cdr.Unknown, "", 0, "NEW", ""},
		{"nothing", ``, cdr.Unknown, "", 0, "", "outcome is missing"},
		{"no code", `"cause":"x"`, cdr.Unknown, "", 0, "", "outcome isn't a code"},
		{
			"a failing expression", `"billsec":"many"`, cdr.Unknown, "", 0, "",
			"outcome has a failing expression: a value that it uses is missing, or isn't the number or time " +
				"that it needs",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := mapper(t, outcome, declared.MapperSettings{}).MapJSON([]byte(row(c.row)))
			if got.Invalid != c.says {
				t.Fatalf("invalid: %q, want %q", got.Invalid, c.says)
			}
			if c.says != "" {
				return
			}
			if r := got.Record; r.Outcome != c.want || r.Reason != c.reason || r.FaultDomain != c.fault {
				t.Errorf("got %s %s %s", r.Outcome, r.Reason, r.FaultDomain)
			}
			unmapped := ""
			for _, u := range got.Unmapped {
				unmapped += u.Value
			}
			if unmapped != c.unmapped {
				t.Errorf("unmapped %q, want %q", unmapped, c.unmapped)
			}
		})
	}
}

// TestExpressionNumbers: a number that is too long for an int and a float is its own text, so that
// no two become one.
func TestExpressionNumbers(t *testing.T) {
	m := mapper(t, record("id: {expr: id}", "call_id: {expr: 'string(a.b)'}"), declared.MapperSettings{})
	for number, want := range map[string]string{
		"7": "7", "-1": "-1", "1.50": "1.5", "1e3": "1000", "0.1": "0.1", "1e999": "1e999",
		"9223372036854775807":           "9223372036854775807",
		"-9223372036854775809":          "-9223372036854775809",
		"18446744073709551615":          "18446744073709551615",
		"18446744073709551616":          "18446744073709551616",
		"12345678901234567890123456789": "12345678901234567890123456789",
		"0.12345678901234567891":        "0.12345678901234567891",
		"1.0000000000000000":            "1",
		"123456789012345678.0":          "123456789012345678.0",
		"1234567890.1234567":            "1234567890.1234567",
	} {
		if r := m.MapJSON([]byte(row(`"id":` + number + `,"a":{"b":` + number + `}`))).Record; r == nil ||
			r.ID != want {
			t.Errorf("%s became %+v, want %s", number, r, want)
		}
	}
	callID := func(number string) string {
		return m.MapJSON([]byte(row(`"id":1,"a":{"b":` + number + `}`))).Record.CallID
	}
	one, two := callID("18446744073709551615"), callID("18446744073709551614")
	if one == two || one != "18446744073709551615" {
		t.Errorf("two numbers are %s and %s", one, two)
	}
}

// TestTimeFunctions: the functions of expressions for times.
func TestTimeFunctions(t *testing.T) {
	const fails = "callee has a failing expression: a value that it uses is missing, or isn't the number or " +
		"time that it needs"
	for _, c := range []struct{ name, expr, row, want string }{
		{"a time", `time(a, "unix")`, `"a":1795428063`, "2026-11-23T10:01:03Z"},
		{"a time of a text", `time(a, "unix_ms")`, `"a":" 1795428063500 "`, "2026-11-23T10:01:03.5Z"},
		{"in the source's zone", `time(a, "2006-01-02 15:04:05")`, `"a":"2026-11-23 10:01:03"`, "2026-11-23T07:01:03Z"},
		{
			"in another zone", `time(a, "2006-01-02 15:04:05", "Europe/Berlin")`, `"a":"2026-11-23 10:01:03"`,
			"2026-11-23T09:01:03Z",
		},
		{
			"the name of a zone", `time(a, "2006-01-02 15:04:05 MST", "Europe/Berlin")`, `"a":"2026-07-23 10:01:03 CEST"`,
			"2026-07-23T08:01:03Z",
		},
		{
			"the name of another zone", `time(a, "2006-01-02 15:04:05 MST", "Europe/Berlin")`,
			`"a":"2026-07-23 10:01:03 EDT"`, fails,
		},
		{"no time", `time(a, "unix")`, `"a":"x"`, fails},
		{"a missing time", `time(a, "unix")`, "", ""},
		{"a zero date", `time(a, "2006-01-02 15:04:05")`, `"a":"0000-00-00 00:00:00"`, ""},
		{"a missing time with another", `time(a, "unix") ?? time(b, "unix")`, `"b":1795428063`, "2026-11-23T10:01:03Z"},
		{"a list", `time(a, "unix")`, `"a":[1]`, fails},
		{"a length of time", `duration(a)`, `"a":"62.5"`, "62.5"},
		{"a length with a unit", `duration(a, "hms")`, `"a":"01:02"`, "62"},
		{"a length below zero", `duration(a)`, `"a":-1`, fails},
		{"a missing length", `duration(a)`, "", ""},
		{"the time between", `time(b, "unix") - time(a, "unix")`, `"a":1795428001,"b":1795428063`, "62"},
		{
			"a time and a length", `time(a, "unix") + duration(b, "ms")`, `"a":1795428063,"b":1500`,
			"2026-11-23T10:01:04.5Z",
		},
		{
			"a time less two lengths", `time(a, "unix") - duration(b, "ms") - duration(c)`,
			`"a":1795428063,"b":2000,"c":1`, "2026-11-23T10:01:00Z",
		},
		{
			"a comparison", `time(a, "unix") > time(b, "rfc3339") ? "later" : "not"`,
			`"a":1795428063,"b":"2026-11-23T10:01:02Z"`, "later",
		},
		{
			"equal in two zones", `time(a, "rfc3339") == time(b, "rfc3339")`,
			`"a":"2026-11-23T10:00:00Z","b":"2026-11-23T11:00:00+01:00"`, "true",
		},
		{"a text", `format(time(a, "unix"), "2006-01-02")`, `"a":1795467600`, "2026-11-24"},
		{
			"a text in a zone", `format(time(a, "unix"), "2006-01-02 15", "America/New_York")`, `"a":1795467600`,
			"2026-11-23 16",
		},
		{"a text of no time", `format(a, "2006-01-02")`, `"a":"2026-11-23"`, fails},
		{"a text of a missing time", `format(time(a, "unix"), "2006-01-02")`, "", ""},
		{
			"values that have the functions' names", `time(time, "unix") - duration(duration)`,
			`"time":1795428063,"duration":"3"`, "2026-11-23T10:01:00Z",
		},
		{"a value alone that has a function's name", `duration + format`, `"duration":"3","format":"4"`, "34"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := mapper(t, record("callee: {expr: '"+c.expr+"'}"),
				declared.MapperSettings{Zone: time.FixedZone("", 3*3600)})
			mapped := m.MapJSON([]byte(row(c.row)))
			got := mapped.Invalid
			if mapped.Record != nil {
				got = mapped.Record.CalleeNumber
			}
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// TestExpressionOfMissing: the text of what is missing is missing.
func TestExpressionOfMissing(t *testing.T) {
	for _, c := range []struct{ expr, more, want, invalid string }{
		{"string(to)", "", "", ""},
		{"string(to)", `"to":null`, "", ""},
		{"string(to)", `"to":""`, "", ""},
		{"string(to)", `"to":491`, "491", ""},
		{`string(to) ?? "none"`, "", "none", ""},
		{`"+" + string(to)`, `"to":491`, "+491", ""},
		{`"+" + string(to)`, "", "", "callee has a failing expression"},
		{"to | string()", "", "", ""},
		{"string(to?.number)", `"to":{"number":5}`, "5", ""},
		{"string(to?.number)", "", "", ""},
	} {
		got := mapper(t, record("callee: {expr: '"+c.expr+"'}"), declared.MapperSettings{}).MapJSON([]byte(row(c.more)))
		if !strings.HasPrefix(got.Invalid, c.invalid) || (got.Record == nil) != (c.invalid != "") ||
			got.Record != nil && got.Record.CalleeNumber != c.want {
			t.Errorf("%s of %s became %+v", c.expr, c.more, got)
		}
	}
}

// TestListInExpression: a list parameter is a list in an expression, however many values it has.
func TestListInExpression(t *testing.T) {
	for want, trunks := range map[string][]string{"": {}, "a": {"a"}, "a b": {"a", "b"}} {
		m := mapper(t, "    ignore: 'trunk in parameter.trunks or trunk == parameter.tenant'\n"+record(),
			declared.MapperSettings{
				Parameters: map[string][]string{"trunks": trunks, "tenant": {"t"}},
			})
		var ignored []string
		for _, trunk := range []string{"a", "b", "c"} {
			got := m.MapJSON([]byte(row(`"trunk":"` + trunk + `"`)))
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
		if !m.MapJSON([]byte(row(`"trunk":"t"`))).Ignored {
			t.Errorf("of %v the text isn't one", trunks)
		}
	}
}

// TestRowWithoutColumns: PostgreSQL can select rows of no columns. They can't be read.
func TestRowWithoutColumns(t *testing.T) {
	m := mapper(t, "    record:\n      start: {path: start, time: unix}\n      outcome: {is: answered}\n",
		declared.MapperSettings{})
	page := new(collector.Page)
	if m.Put(page, new(rows.Row), "row 1", ""); len(page.Invalid) != 1 || page.Invalid[0].Problem != "start is missing" {
		t.Errorf("%+v", page)
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
	d, err := declared.Load("acmefixed.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	feed := d.Feeds["calls"]
	for number, m := range declared.NewMapper(&feed, declared.MapperSettings{}).
		Try([]byte("2026-11-23T10:00:00Z 4101       \n")) {
		if m.Record == nil {
			t.Errorf("row %d is ignored, %s", number, m.Invalid)
		}
	}
}

// TestWithoutTrunks: without names of trunks the calls of a telephone system have no direction.
func TestWithoutTrunks(t *testing.T) {
	columns := []string{"start", "disposition", "dateTimeOrigination", "pkid"}
	for _, provider := range []string{"asterisk", "cucm"} {
		got := builtin(t, provider, "cdr", map[string][]string{"trunks": {}}).
			MapFields(columns, []string{"2026-11-23 10:00:01", "BUSY", "1795428001", "1"})
		if got.Record == nil || got.Record.Direction != cdr.DirectionUnknown {
			t.Errorf("%s: %+v", provider, got)
		}
	}
}
