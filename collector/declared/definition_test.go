package declared_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// whole is a definition that is valid; tests change a line of it.
const whole = `provider: acmetel
parameters:
  key: {secret: true}
  trunks: {list: true, default: []}
account: "a"
http: {base_url: "https://api.acmetel.example", headers: {X-Key: "{key}"}}
feeds:
  calls:
    request: {path: /calls, query: {since: "{from|rfc3339}"}}
    filter: {by: start}
    ignore: {kind: fax}
    record:
      start: {path: start, time: rfc3339}
      outcome: {path: state, table: {done: answered}}
      direction: {path: way, table: {in: inbound}}
`

func TestProblems(t *testing.T) {
	if _, err := declared.Load("d.yaml", []byte(whole)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, was, is, want string }{
		{"name", "provider: acmetel", "provider: Acme-Tel", "d.yaml:1: provider: must be a name of lower-case letters"},
		{"unknown key", "account:", "acount:", "d.yaml:5: acount: unknown key"},
		{
			"a second trunk without an outcome", "direction: {", "second: {trunk: way}\n      x: {",
			"feeds.calls.record.second: must have both trunk and outcome",
		},
		{
			"secret list", "key: {secret: true}", "key: {secret: true, list: true}",
			"parameters.key: is a secret, so it can't be a list",
		},
		{
			"secret with a default", "key: {secret: true}", "key: {secret: true, default: x}",
			"parameters.key.default: belongs to a secret, and a definition must not contain secrets",
		},
		{"secret account", `account: "a"`, `account: "{key}"`, "account: names key, which is a secret"},
		{
			"secret in a path", "path: /calls", "path: '/{key}/calls'",
			"d.yaml:9: feeds.calls.request.path: names key, which is a secret; " +
				"secrets only work in headers and auth of http and in query and body of a request",
		},
		{
			"secret in an address", "base_url: ", "base_url: 'https://{key}.example', x: ",
			"http.base_url: names key, which is a secret",
		},
		{
			"secret in a condition", "{kind: fax}", "{parameter.key: fax}",
			"feeds.calls.ignore: names key, which is a secret",
		},
		{
			"secret in an expression", "{kind: fax}", "'kind == parameter.key'",
			"feeds.calls.ignore: names key, which is a secret",
		},
		{
			"secret in a value", "{path: way, table", "{expr: 'parameter?.key', table",
			"feeds.calls.record.direction: names key, which is a secret",
		},
		{"secret by its name", "{kind: fax}", `'kind == parameter["key"]'`, "ignore: names key, which is a secret"},
		{"secret of all", "{kind: fax}", `'kind == $env["parameter"].key'`, "ignore: names key, which is a secret"},
		{"secret by get", "{kind: fax}", `'kind == get(parameter, "key")'`, "ignore: names key, which is a secret"},
		{
			"secret in when", "{path: way, table", "{when: 'parameter.key != nil', path: way, table",
			"direction: names key, which is a secret",
		},
		{
			"unknown parameter of an expression", "{kind: fax}", "'kind == parameter.fax'",
			"ignore: names the parameter fax, which the definition doesn't have",
		},
		{"unknown parameter", "{key}\"", "{kay}\"", "names the parameter kay, which the definition doesn't have"},
		{"unknown parameter in a query", "{from|rfc3339}", "{form}", "names the parameter form"},
		{"no path", "path: /calls, ", "", "request.path: is missing"},
		{"no filter", "    filter: {by: start}\n", "", "filter: is missing"},
		{"another filter", "by: start", "by: day", "filter.by: must be start, end or inserted"},
		{
			"overlap in numbers", "by: start", "by: inserted, overlap: 1000",
			"d.yaml:10: feeds.calls.filter.overlap: must be the number of keys that are read again in a database",
		},
		{"overlap below zero", "by: start", "by: inserted, overlap: -1m", "filter.overlap: "},
		{"no start", "      start: {path: start, time: rfc3339}\n", "", "record.start: is missing"},
		{"no time", ", time: rfc3339}\n", "}\n", "record.start: has no time"},
		{
			"a layout that isn't Go's", "time: rfc3339}", "time: YYYY-MM-DD}",
			`record.start.time: needs year, month and day in "YYYY-MM-DD"`,
		},
		{"a time of day", "time: rfc3339}", "time: '15:04:05'}", "record.start.time: needs year, month and day"},
		{"half a day", "time: rfc3339}", "time: '2006-01-02 03:04'}", "record.start.time: has an hour of 12 without AM or PM"},
		{"half a day asked for", "{from|rfc3339}", "{from|2006-01-02 03:04}", "which has an hour of 12 without AM or PM"},
		{
			"a list without a form", "time: rfc3339}", "time: []}",
			"record.start.time: is empty: set the row's form of times",
		},
		{
			"a wrong form in a list", "time: rfc3339}", "time: [rfc3339, 'DD.MM.YYYY']}",
			`record.start.time: needs year, month and day in "DD.MM.YYYY"`,
		},
		{
			"a layout without a year", "time: rfc3339}", "time: Jan _2 15:04:05}",
			`record.start.time: has no year in "Jan _2 15:04:05"; add year: infer`,
		},
		{
			"a year that is there", "time: rfc3339}", "time: rfc3339, year: infer}",
			"record.start.year: is for times without a year",
		},
		{"another year", "time: rfc3339}", "time: rfc3339, year: 2026}", "record.start.year: must be"},
		{
			"a time of day with a year", "time: rfc3339}", "time: '15:04:05', year: infer}",
			"record.start.time: needs year, month and day",
		},
		{
			"since without a time", "{path: way,", "{path: way, since: start,",
			"direction.since: needs time in the same mapping",
		},
		{
			"an end without a form", "{from|rfc3339}", "{from}",
			"names the parameter from, which the definition doesn't have; an end of the span needs a form of " +
				"time, such as {from|rfc3339}",
		},
		{
			"an end in no form", "{from|rfc3339}", "{from|YYYY-MM-DD}",
			"request.query.since: has {from|YYYY-MM-DD}, which doesn't depend on the time",
		},
		{
			"no currency", "account:", "currency: usd\naccount:",
			"d.yaml:5: currency: must be a currency of three capital letters",
		},
		{"no outcome", "      outcome: {path: state, table: {done: answered}}\n", "", "record.outcome: is missing"},
		{"wrong word", "done: answered", "done: ok", `record.outcome: has "ok" for "done" in its table`},
		{"wrong direction", "in: inbound", "in: incoming", `record.direction: has "incoming"`},
		{"path", "path: state,", "path: 'a..b',", "must be a path such as"},
		{"two ways", "{path: state,", "{path: state, is: x,", "must have exactly one of path"},
		{
			"unknown treatment", "{path: way,", "{path: way, tabel: x,",
			"direction.tabel: unknown key; the keys here are expr, is, join, match",
		},
		{"pattern", "{path: way,", "{path: way, match: '(',", "isn't a valid regular expression"},
		{"pattern without a group", "{path: way,", "{path: way, match: a,", "must have a group"},
		{"expression", "ignore: {kind: fax}", "ignore: 'kind =='", "ignore: isn't a valid expression"},
		{
			"expression that isn't a condition", "ignore: {kind: fax}", "ignore: '1 + 1'",
			"ignore: isn't a valid expression",
		},
		{"expression with the time", "ignore: {kind: fax}", "ignore: 'now() == x'", "ignore: isn't a valid expression"},
		{"parameter of a condition", "{kind: fax}", "{kind: '{gateways}*'}", "names the parameter gateways"},
		{
			"a comparison with a word", "{kind: fax}", "{kind: '>O'}",
			`feeds.calls.ignore.kind: must compare with a number or a time, such as ">0"`,
		},
		{
			"a comparison with a unit", "{kind: fax}", "{kind: ['<5s']}",
			"feeds.calls.ignore.kind: must compare with a number or a time",
		},
		{
			"a comparison with nothing", "{kind: fax}", "{kind: '>='}",
			"feeds.calls.ignore.kind: must compare with a number or a time",
		},
		{
			"minus without a time", "{path: way,", "{path: way, minus: start,",
			"direction.minus: is subtracted from a time: it needs time in the same mapping",
		},
		{
			"minus and since", "time: rfc3339}", "time: rfc3339, minus: d, since: x}",
			"record.start.minus: is subtracted from a time",
		},
		{
			"a time without a form", "{kind: fax}", "'time(x) == nil'",
			"ignore: isn't a valid expression: time() takes 2 or 3 values, not 1",
		},
		{
			"a time with a form that isn't Go's", "{kind: fax}", `'time(x, "YYYY") == nil'`,
			"ignore: isn't a valid expression: time() needs a form with year, month and day",
		},
		{
			"a time in no zone", "{kind: fax}", `'time(x, "unix", "Mars") == nil'`,
			"ignore: isn't a valid expression: time() needs a time zone such as Europe/Berlin",
		},
		{
			"a duration in no unit", "{kind: fax}", `'duration(x, "h") == nil'`,
			"ignore: isn't a valid expression: duration() needs one of the units s, ms, min, iso8601, hms",
		},
		{
			"another function", "{kind: fax}", `'today() == nil'`,
			"ignore: isn't a valid expression: today() doesn't exist",
		},
		{"zone", "time: rfc3339}", "time: rfc3339, zone: Mars}", "must be a time zone"},
		{"unit", "{path: way,", "{path: way, unit: h,", "must be one of s, ms, min"},
		{
			"two ways to the next page", "filter:", "next: {page: p, offset: o}\n    filter:",
			"next: must have one of url, token, link, page and offset",
		},
		{
			"two amounts of a component", "      direction:",
			"      charges: [{component: usage, amount: a}, {component: setup, amount: b}, {component: usage, " +
				"amount: c}]\n      direction:",
			"d.yaml:15: feeds.calls.record.charges[2].component: is also the component of another charge",
		},
		{
			"more charges than a record has", "      direction:", "      charges: [" + components(cdr.MaxCharges+1) +
				"]\n      direction:",
			"d.yaml:15: feeds.calls.record.charges: has 65 components, at most 64",
		},
		{"method", "path: /calls", "path: /calls, method: PUT", "request.method: must be GET or POST"},
		{"a body of a GET", "path: /calls", "path: /calls, body: {a: b}", "request.body: needs method: POST"},
		{
			"a body that is a text", "path: /calls", "path: /calls, method: POST, body: x",
			"request.body: must be a mapping",
		},
		{
			"unknown parameter in a body", "path: /calls", "path: /calls, method: POST, body: {a: [{b: '{kay}'}]}",
			"names the parameter kay",
		},
		{
			"a time in a body that is the same", "path: /calls", "path: /calls, method: POST, body: {a: '{to|YYYY}'}",
			"request.body.a: has {to|YYYY}",
		},
		{
			"the next page in a body of a GET", "filter:", "next: {page: p, in: body}\n    filter:",
			"next.in: is body, and the request has none",
		},
		{
			"a link in a body", "filter:", "next: {link: next, in: body}\n    filter:",
			"next.in: only works with token, page or offset",
		},
		{"key of the block", "trunks:", "base_url:", "has the name of another key of the block"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(whole, c.was, c.is, 1)
			_, err := declared.Load("d.yaml", []byte(text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// TestProblemLines: a text of a request or of http is reported at its own line.
func TestProblemLines(t *testing.T) {
	const text = `provider: acmetel
parameters:
  key: {secret: true}
http:
  base_url: https://api.acmetel.example
  headers:
    X-Tenant: "{tenant}"
    X.Key: "{kay}"
  auth:
    oauth2:
      token_url: /token/{realm}
      client_id: "{client}"
      params:
        scope: "{scope}"
feeds:
  calls:
    request:
      path: /{account}/calls
      query:
        since: "{from|rfc3339}"
        filter[by]: "{by}"
        till: "{to|YYYY}"
    totals:
      calls: n
      request:
        path: /totals/{key}
    filter: {by: start}
    record:
      start: {path: start, time: rfc3339}
      outcome: {is: answered}
`
	_, err := declared.Load("d.yaml", []byte(text))
	for _, want := range []string{
		"d.yaml:7: http.headers.X-Tenant: names the parameter tenant",
		"d.yaml:8: http.headers[\"X.Key\"]: names the parameter kay",
		"d.yaml:11: http.auth.oauth2.token_url: names the parameter realm",
		"d.yaml:12: http.auth.oauth2.client_id: names the parameter client",
		"d.yaml:14: http.auth.oauth2.params.scope: names the parameter scope",
		"d.yaml:18: feeds.calls.request.path: names the parameter account",
		"d.yaml:21: feeds.calls.request.query[\"filter[by]\"]: names the parameter by",
		"d.yaml:22: feeds.calls.request.query.till: has {to|YYYY}",
		"d.yaml:26: feeds.calls.totals.request.path: names key, which is a secret",
	} {
		if !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("no %s in\n%v", want, err)
		}
	}
}

// components are n charges of a definition.
func components(n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("{component: c%d, amount: a}", i)
	}
	return strings.Join(all, ", ")
}

func TestMostCharges(t *testing.T) {
	text := strings.Replace(whole, "      direction:", "      charges: ["+components(cdr.MaxCharges)+
		"]\n      direction:", 1)
	if _, err := declared.Load("d.yaml", []byte(text)); err != nil {
		t.Error(err)
	}
}

// TestBuiltin loads every definition that is built in. Its file has at most 150 lines before its tests.
func TestBuiltin(t *testing.T) {
	var names []string
	for _, p := range declared.Builtin() {
		names = append(names, p.Name)
		text, err := declared.BuiltinText(p.Name)
		definition, _, _ := strings.Cut(string(text), "\ntests:")
		if lines := strings.Count(definition, "\n"); err != nil || lines > 150 {
			t.Errorf("%s has %d lines, %v", p.Name, lines, err)
		}
		for _, f := range p.Feeds() {
			if !f.Reasons && !f.NoCalls && !f.Snapshot {
				t.Errorf("%s of %s gives no reasons", f.Name, p.Name)
			}
		}
	}
	if want := []string{
		"asterisk", "cucm", "freeswitch", "kamailio", "ringcentral", "twilio", "wavix", "webex",
		"zoom_phone",
	}; !slices.Equal(names, want) {
		t.Errorf("there are %v, want %v", names, want)
	}
	if _, err := declared.BuiltinText("acmetel"); err == nil || !strings.Contains(err.Error(), "twilio") {
		t.Errorf("of one that isn't there it says %v", err)
	}
}

// FuzzTry: whatever the rows are, each becomes something, and no problem quotes a value.
func FuzzTry(f *testing.F) {
	f.Add([]byte(`{"calls":[{"start":"2026-11-23T10:00:01Z","state":"done"}]}`))
	f.Add([]byte("start,state\n2026-11-23T10:00:01Z,done\n"))
	f.Add([]byte("{\"start\":\"x\"}\n{"))
	d, err := declared.Load("d.yaml", []byte(whole))
	if err != nil {
		f.Fatal(err)
	}
	feed := d.Feeds["calls"]
	f.Fuzz(func(t *testing.T, text []byte) {
		for number, m := range declared.NewMapper(&feed, declared.MapperSettings{}).Try(text) {
			if (m.Record == nil) == (m.Invalid == "" && !m.Ignored) {
				t.Errorf("row %d is %+v", number, m)
			}
		}
	})
}
