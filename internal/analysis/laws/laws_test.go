package laws_test

import (
	"os"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/internal/analysis/laws"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestFarApart: rows that are further apart than the lookback can't come late, so that isn't judged.
func TestFarApart(t *testing.T) {
	text, err := os.ReadFile("testdata/nameless.yaml")
	require.NoError(t, err)
	later := strings.NewReplacer("2026-11-23 10:10", "2026-11-28 10:10", "2026-11-22T23:10", "2026-11-27T23:10")
	verdicts := judged(t, later.Replace(string(text)))
	const want = "statement 2 of tables is too long before the newest for a lookback of 48h0m0s"
	if v := verdicts["late"]; v.State != laws.NotJudged || !strings.HasPrefix(v.Detail, want) {
		t.Errorf("late: %+v", v)
	}
}

// TestLongCalls: a call that began hours before its list's span, which is one of ends, is counted.
func TestLongCalls(t *testing.T) {
	text, err := os.ReadFile("testdata/offhook.yaml")
	require.NoError(t, err)
	longer := strings.NewReplacer("2026-11-23 10:10:00", "2026-11-23 07:10:00", "2026-11-23T10:10:00",
		"2026-11-23T07:10:00")
	judged(t, longer.Replace(string(text)))
}

// TestDelayOfInsertions: a list by insertion reads its last overlap again, and nothing before it, so rows may come so
// late after their time and no later.
func TestDelayOfInsertions(t *testing.T) {
	const definition = `
provider: acmetel
http: {base_url: https://api.acmetel.example}
feeds:
  calls:
    request: {path: /added, query: {since: "{from|unix}", until: "{to|unix}"}}
    filter: {by: inserted, FILTER}
    record: {id: id, start: {path: began, time: unix}, outcome: {is: answered}}
tests: {by: inserted, delay: 10m}
`
	for _, c := range []struct{ name, filter, broken string }{
		{"an overlap of a minute", "min_age: 1s", "filter.overlap is 1m0s, want at least 9m59s"},
		{"an overlap as long as the delay", "overlap: 10m", ""},
		{"rows of this age are shown already", "min_age: 9m", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			checkLaw(t, strings.Replace(definition, "FILTER", c.filter, 1), "limits", c.broken)
		})
	}
}

// TestCutWithinTheLastValue: nobody can see that the last value of an answer of CSV was cut, so no law cuts there.
func TestCutWithinTheLastValue(t *testing.T) {
	checkLaw(t, `
provider: acmetel
http: {base_url: https://api.acmetel.example}
feeds:
  calls:
    request: {path: /calls.csv, query: {since: "{from|unix}", until: "{to|unix}"}}
    filter: {by: start}
    format: csv
    record: {id: id, start: {path: began, time: unix}, outcome: {is: answered}, trunk: trunk}
tests:
  by: start
  rows:
    - row: {id: "1", began: "1795428000", trunk: a-trunk-with-a-name-of-many-letters}
      becomes: {id: "1", start: "2026-11-23T10:00:00Z", outcome: answered, trunk: a-trunk-with-a-name-of-many-letters}
`, "refused", "")
}

// TestCutLineOfAPattern: a pattern whose last alternative matches everything hides lines of calls that it doesn't know,
// which the kit says.
func TestCutLineOfAPattern(t *testing.T) {
	for _, c := range []struct{ name, other, remark string }{
		{
			"everything else is ignored", `\S`, "; half of rows[0] is ignored, not invalid: let the pattern's last " +
				"alternative match only lines that can't be calls",
		},
		{"only titles are ignored", `[^\s\d]`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := verdictOn(t, `
provider: acmetel
files:
  read: lines
  format: pattern
  pattern: '^(?P<start>\d+ \d+) (?P<seconds>\d+) (?P<who>\d+)$|^\s*(?P<other>`+c.other+`)'
feeds:
  calls:
    ignore: {other: "*"}
    record: {start: {path: start, time: "060102 1504"}, duration: seconds, caller: who, outcome: {is: answered}}
tests:
  read: lines
  rows:
    - row: "261123 1000 62 1200"
      becomes: {start: "2026-11-23T10:00:00Z", duration: 62s, caller: "1200", outcome: answered}
    - row: "Date   Time Dur  Ext"
      becomes: ignored
`, "damaged")
			if v.State != laws.Held || v.Detail != "1 scripts"+c.remark {
				t.Errorf("got %v %s", v.State, v.Detail)
			}
		})
	}
}

// TestInvalidRowOfAQuery: if a row of the query can't be read, the law says why, and not which other row is nearest.
func TestInvalidRowOfAQuery(t *testing.T) {
	checkLaw(t, `
provider: acmetel
sql: {driver: sqlite, query: "SELECT id, at FROM calls WHERE at >= :from AND at < :to"}
feeds:
  calls:
    filter: {by: start}
    record: {id: id, start: {path: at, time: "2006-01-02 15:04:05"}, outcome: {is: answered}}
tests:
  tables: |
    CREATE TABLE calls (id INTEGER PRIMARY KEY, at TEXT);
    INSERT INTO calls VALUES (1, '2026-11-23 10:00:00');
    INSERT INTO calls VALUES (2, '2026-11-23T10:05:00');
  rows:
    - becomes: {id: "1", start: "2026-11-23T10:00:00Z", outcome: answered}
    - becomes: {id: "2", start: "2026-11-23T10:05:00Z", outcome: answered}
`, "rows", "rows[1]: no row of the query becomes this; one of its rows is invalid: "+
		"start isn't a time of the form 2006-01-02 15:04:05")
}

// TestQueryWithoutRows: a query that gives none of the rows of tests is wrong, however it is written.
func TestQueryWithoutRows(t *testing.T) {
	for _, c := range []struct{ name, where string }{
		{"the ends of the span are the wrong way round", "at >= :to AND at < :from"},
		{"a condition that no row fulfils", "at >= :from AND at < :to AND id < 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			checkLaw(t, strings.Replace(`
provider: acmetel
sql: {driver: sqlite, query: "SELECT id, at FROM calls WHERE WHICH"}
feeds:
  calls:
    filter: {by: start}
    record: {id: id, start: {path: at, time: "2006-01-02 15:04:05"}, outcome: {is: answered}}
tests:
  by: start
  tables: |
    CREATE TABLE calls (id INTEGER PRIMARY KEY, at TEXT);
    INSERT INTO calls VALUES (1, '2026-11-23 10:00:00');
  rows:
    - becomes: {id: "1", start: "2026-11-23T10:00:00Z", outcome: answered}
`, "WHICH", c.where, 1), "rows", "the query gives 0 rows, want 1")
		})
	}
}

// TestAnswersBeforeTheSpan: what is asked before a list, a token or names, may come before the answer with the span. A
// list of calls in progress has no span.
func TestAnswersBeforeTheSpan(t *testing.T) {
	const begin = `
provider: acmetel
http:
  base_url: https://api.acmetel.example
  auth: {oauth2: {token_url: /token, client_id: ann, client_secret: "{api_key}", params: {grant_type: a}}}
parameters: {api_key: {secret: true, ask: key}}
feeds:
`
	const list = `
  calls:
    request: {path: /calls, query: {since: "{from|unix}"}}
    filter: {by: start}
    record: {id: id, start: {path: began, time: unix}, outcome: {is: answered}}
`
	const token = `
tests:
  answers:
    - request: POST /token
      sends: client_id=ann&client_secret=kit-secret-of-api-key&grant_type=a
      body: {access_token: at1, token_type: Bearer, expires_in: 3600}
`
	for _, c := range []struct{ name, text, broken string }{
		{"a token", list + token + `
    - span: 2026-11-23T10:00:00Z/2026-11-23T11:00:00Z
      request: GET /calls?since=1795428000
      body: [{id: "1", began: 1795428001}]
    - span: 2026-11-23T11:00:00Z/2026-11-23T12:00:00Z
      request: GET /calls?since=1795431600
      body: [{id: "2", began: 1795431601}]
`, ""},
		{"a token whose request sends no form", list + `
tests:
  answers:
    - request: POST /token
      sends: {client_id: ann, client_secret: kit-secret-of-api-key, grant_type: a}
      body: {access_token: at1, token_type: Bearer, expires_in: 3600}
    - span: 2026-11-23T10:00:00Z/2026-11-23T11:00:00Z
      request: GET /calls?since=1795428000
      body: [{id: "1", began: 1795428001}]
`, "answers[0]: it asks GET /calls, want POST /token; " +
			"a request for a token sends a form, such as grant_type=client_credentials"},
		{"no span at all", list + token + `
    - request: GET /calls?since=1795428000
      body: []
`, "answers[0] has no span: the first answer of a read says which time was wanted, as FROM/TO"},
		{"calls in progress", `
  live:
    snapshot: true
    request: {path: /live}
    record: {id: id, direction: {is: inbound}}
` + token + `
    - request: GET /live
      body: [{id: "1"}]
`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			checkLaw(t, begin+c.text[1:], "answers", c.broken)
		})
	}
}

// TestZoneThatNothingReads: tests may name a zone although each time has its own.
func TestZoneThatNothingReads(t *testing.T) {
	const definition = `
provider: acmetel
http: {base_url: https://api.acmetel.example}
feeds:
  calls:
    request: {path: /calls, query: {since: "{from|unix}"}}
    filter: {by: start}
    record: {id: id, start: {path: began, time: unix}, outcome: {is: answered}}
tests:
  by: start
  parameters: {time_zone: Europe/Berlin}
  rows:
    - row: {id: "1", began: 1795428000}
      becomes: {id: "1", start: "2026-11-23T10:00:00Z", outcome: answered}
`
	for _, law := range []string{"rows", "edges"} {
		checkLaw(t, definition, law, "")
	}
}

// TestUnknownNumbers: a table of a database whose words are numbers is judged too.
func TestUnknownNumbers(t *testing.T) {
	checkLaw(t, `
provider: acmetel
sql: {driver: sqlite, query: "SELECT id, at, cause FROM calls WHERE at >= :from AND at < :to"}
feeds:
  calls:
    filter: {by: start}
    record:
      id: id
      start: {path: at, time: "2006-01-02 15:04:05"}
      outcome: {path: cause, table: {"1": answered, "5": busy}}
tests:
  by: start
  tables: |
    CREATE TABLE calls (id INTEGER PRIMARY KEY, at TEXT, cause INTEGER);
    INSERT INTO calls VALUES (1, '2026-11-23 10:00:00', 5);
    INSERT INTO calls VALUES (2, '2026-11-23 10:05:00', 1);
  rows:
    - becomes: {id: "1", start: "2026-11-23T10:00:00Z", outcome: busy}
    - becomes: {id: "2", start: "2026-11-23T10:05:00Z", outcome: answered}
`, "unknown", "")
}

// TestWrongUser: tests write a user and a password as text, so the law answers shows both as text too.
func TestWrongUser(t *testing.T) {
	checkLaw(t, `
provider: acmetel
parameters: {api_key: {secret: true, ask: key}}
http: {base_url: https://api.acmetel.example, auth: {basic: {username: ann, password: "{api_key}"}}}
feeds:
  calls:
    request: {path: /calls, query: {since: "{from|unix}"}}
    filter: {by: start}
    record: {id: id, start: {path: began, time: unix}, outcome: {is: answered}}
tests:
  by: start
  answers:
    - span: 2026-11-23T10:00:00Z/2026-11-23T11:00:00Z
      request: GET /calls?since=1795428000
      with: {Authorization: "Basic ann:kit-secret-of-api_key"}
      body: []
`, "answers", "answers[0]: it asks with the header Authorization: Basic ann:kit-secret-of-api-key, "+
		"want Basic ann:kit-secret-of-api_key")
}

// TestUnknownLaw: a law that is misspelt isn't one that holds.
func TestUnknownLaw(t *testing.T) {
	text, err := declared.BuiltinText("twilio")
	require.NoError(t, err)
	d, err := declared.Load("definition.yaml", text)
	require.NoError(t, err)
	_, err = laws.Run(t.Context(), laws.Settings{Definition: d, Laws: []string{"rows", "oder"}})
	const want = "--law: no law is called oder; the laws are rows, answers, limits, "
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %v", err)
	}
}

// TestWrongRequest: of several parameters that differ, the law names the first one, the same in each run.
func TestWrongRequest(t *testing.T) {
	const definition = `
provider: acmetel
http: {base_url: https://api.acmetel.example}
feeds:
  calls:
    request: {path: /calls, query: {a: "1", b: "1", c: "1", since: "{from|unix}"}}
    filter: {by: start}
    record: {id: id, start: {path: began, time: unix}, outcome: {is: answered}}
tests:
  by: start
  answers:
    - span: 2026-11-23T10:00:00Z/2026-11-23T11:00:00Z
      request: GET /calls?QUERYsince=1795428000
      body: []
`
	for _, c := range []struct{ name, query, broken string }{
		{"others", "a=1&b=2&c=2&d=2&", "it asks with b=1, want b=2"},
		{"more", "a=1&", "it asks with b=1, which the request of the answer doesn't have"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range 8 {
				checkLaw(t, strings.Replace(definition, "QUERY", c.query, 1), "answers", "answers[0]: "+c.broken)
			}
		})
	}
}

// TestRowsOfSeveralFeeds: a row is named by its place in tests, also if rows of another feed come before it.
func TestRowsOfSeveralFeeds(t *testing.T) {
	checkLaw(t, `
provider: acmetel
sql: {driver: sqlite, query: "SELECT id, at FROM calls WHERE at >= :from AND at < :to"}
feeds:
  calls: &feed
    filter: {by: start}
    record: {id: id, start: {path: at, time: "2006-01-02 15:04:05"}, outcome: {is: answered}}
  others: *feed
tests:
  tables: |
    CREATE TABLE calls (id INTEGER PRIMARY KEY, at TEXT);
    INSERT INTO calls VALUES (1, '2026-11-23 10:00:00');
  rows:
    - {feed: calls, becomes: {id: "1", start: "2026-11-23T10:00:00Z", outcome: answered}}
    - {feed: others, becomes: {id: "1", start: "2026-11-23T10:00:00Z", outcome: busy}}
`, "rows", `rows[1]: no row of the query becomes this; the nearest differs: outcome is "answered", `+
		`want "busy"`)
}

// TestRefusedAnswer: if the definition refuses an answer, it asks again. The law says why, and not that the request of
// the next page was another one.
func TestRefusedAnswer(t *testing.T) {
	for _, c := range []struct{ name, page, broken string }{
		{
			"rows elsewhere", "rows: records, next: {token: next, query: cursor}",
			"answers[0]: read page 1: the answer has no list at records, so it isn't a page of calls",
		},
		{
			"rows elsewhere, and refused answers",
			"rows: records, next: {token: next, query: cursor}, refused: {state: failed}",
			"answers[0]: read page 1: asked 4 times: the answer has no list at records, so it isn't a page of calls",
		},
		{
			"a condition that a page fulfils",
			"rows: calls, next: {token: next, query: cursor}, refused: {state: more}",
			"answers[0]: read page 1: asked 4 times: the provider answers that the request failed, with status 200",
		},
		{"a page that is right", "rows: calls, next: {token: next, query: cursor}, refused: {state: failed}", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			checkLaw(t, strings.Replace(`
provider: acmetel
http: {base_url: https://api.acmetel.example}
feeds:
  calls: {request: {path: /calls, query: {since: "{from|unix}"}}, filter: {by: start}, PAGE,
    record: {id: id, start: {path: began, time: unix}, outcome: {is: answered}}}
tests:
  by: start
  answers:
    - span: 2026-11-23T10:00:00Z/2026-11-23T11:00:00Z
      request: GET /calls?since=1795428000
      body: {calls: [{id: "1", began: 1795428000}], next: c1, state: more}
    - request: GET /calls?since=1795428000&cursor=c1
      body: {calls: [], state: done}
`, "PAGE", c.page, 1), "answers", c.broken)
		})
	}
}

// TestSmallPages: the kit's pages have fewer rows than the query asks for. A page of more rows, without another one
// behind it, looks as if the path of the next page were misspelt.
func TestSmallPages(t *testing.T) {
	for _, c := range []struct{ name, size, law string }{
		{"all rows are more than a page", "2", "plain"},
		{"all rows are a page", "3", "plain"},
		{"all rows and damaged ones are more than a page", "7", "damaged"},
	} {
		t.Run(c.name, func(t *testing.T) {
			checkLaw(t, strings.Replace(`
provider: acmetel
http: {base_url: https://api.acmetel.example}
feeds:
  calls:
    request: {path: /calls, query: {since: "{from|unix}", until: "{to|unix}", per_page: "SIZE"}}
    filter: {by: start}
    rows: calls
    next: {link: next}
    record: {id: id, start: {path: began, time: unix}, outcome: {is: busy}}
tests:
  by: start
  rows:
    - {row: {id: "1", began: 1795428000}, becomes: {id: "1", start: "2026-11-23T10:00:00Z", outcome: busy}}
    - {row: {id: "2", began: 1795428060}, becomes: {id: "2", start: "2026-11-23T10:01:00Z", outcome: busy}}
    - {row: {id: "3", began: 1795428120}, becomes: {id: "3", start: "2026-11-23T10:02:00Z", outcome: busy}}
`, "SIZE", c.size, 1), c.law, "")
		})
	}
}

// TestMissingLimits: the law limits names what tests don't say of the provider, since nothing judges it then.
func TestMissingLimits(t *testing.T) {
	for _, c := range []struct{ name, record, tests, says string }{
		{"calls of one row", "", "delay: 1h", "2 limits"},
		{"no delay", "", "", "1 limits; tests lack delay"},
		{"calls of several rows", ", group: call", "delay: 1h", "2 limits; tests lack apart"},
		{"calls of several rows, and nothing", ", group: call", "", "1 limits; tests lack delay, apart"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := verdictOn(t, strings.NewReplacer("RECORD", c.record, "TESTS", c.tests).
				Replace(`
provider: acmetel
http: {base_url: https://api.acmetel.example}
feeds:
  calls:
    request: {path: /calls, query: {since: "{from|unix}", until: "{to|unix}"}}
    filter: {by: start}
    record: {id: id, start: {path: began, time: unix}, outcome: {is: answered}RECORD}
tests: {by: start, TESTS}
`), "limits")
			if v.State != laws.Held || v.Detail != c.says {
				t.Errorf("got %v %s", v.State, v.Detail)
			}
		})
	}
}

// verdictOn is the verdict on a law of a definition with one feed.
func verdictOn(t *testing.T, definition, law string) laws.Verdict {
	t.Helper()
	d, err := declared.Load("definition.yaml", []byte(definition))
	require.NoError(t, err)
	verdicts, err := laws.Run(t.Context(), laws.Settings{Definition: d, Laws: []string{law}})
	require.NoError(t, err)
	return verdicts[len(verdicts)-1] // behind the law plain, if it is another one
}

// checkLaw wants a law to be broken so. Empty: it holds.
func checkLaw(t *testing.T, definition, law, want string) {
	t.Helper()
	v, broken := verdictOn(t, definition, law), ""
	if v.State == laws.Broken {
		broken = v.Detail
	}
	if v.State == laws.NotJudged || broken != want {
		t.Errorf("got %v %s", v.State, v.Detail)
	}
}

// TestRowsThatDiffer: the law says of each row how it differs, and of a value that its file has no column for it.
func TestRowsThatDiffer(t *testing.T) {
	checkLaw(t, `
provider: acmetel
files: {read: lines, format: csv, columns: [id, began]}
feeds: {calls: {record: {id: id, start: {path: began, time: rfc3339}, outcome: {is: answered}}}}
tests:
  rows:
    - {row: {id: a, began: "2026-11-23T10:00:00Z"}, becomes: {id: b, start: "2026-11-23T10:00:00Z", outcome: answered}}
    - {row: {id: c, began: "2026-11-23T10:00:00Z", caler: "1"}, becomes: invalid}
`, "rows", "rows[0]: id is \"a\", want \"b\"\n  rows[1]: \"caler\" isn't one of its columns")
}

// TestWhatFollows: tests may name what a record has without saying so, and write a version as the time that it is.
func TestWhatFollows(t *testing.T) {
	const definition = `
provider: acmetel
files: {read: lines, format: csv, columns: [id, began, changed, who, way]}
feeds:
  calls:
    record:
      id: id
      call_id: id
      version: changed
      start: {path: began, time: rfc3339}
      party: {path: who, table: {user: person, menu: machine}}
      direction: {path: way, table: {none: unknown, in: inbound}}
      outcome: {is: answered}
tests:
  rows:
    - row: "1,2026-11-23T10:00:00Z,2026-11-23T11:00:00Z,user,none"
      becomes: {BECOMES}
    - row: "2,2026-11-23T10:01:00Z,2026-11-23T11:00:00Z,menu,in"
      becomes: {id: "2", version: "1795431600000000", start: "2026-11-23T10:01:00Z", party: machine, direction: inbound,
        outcome: machine}
`
	const row = `id: "1", version: "2026-11-23T11:00:00Z", start: "2026-11-23T10:00:00Z", outcome: answered`
	for _, c := range []struct{ name, becomes, broken string }{
		{"only what the row says", row, ""},
		{"what follows", row + `, call_id: "1", party: person, direction: unknown, fault_domain: unknown`, ""},
		{"another call", row + `, call_id: "2"`, `rows[0]: call_id is missing, want "2"`},
		{"another party", row + ", party: machine", `rows[0]: party is missing, want "machine"`},
		{
			"another time", strings.Replace(row, "T11", "T12", 1),
			`rows[0]: version is "1795431600000000", want "2026-11-23T12:00:00Z"`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			checkLaw(t, strings.Replace(definition, "BECOMES", c.becomes, 1), "rows", c.broken)
		})
	}
}

// TestTotalOfAPage: a total that counts the rows of a page isn't the provider's number of all rows.
func TestTotalOfAPage(t *testing.T) {
	for _, c := range []struct{ name, first, second, broken string }{
		{"the rows of a page", "1", "1", "answers[0]: the total is 1, but the pages of this list have 2 rows: it may " +
			"count the rows of a page; then leave it out"},
		{"all rows", "2", "2", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			checkLaw(t, `
provider: acmetel
http: {base_url: https://api.acmetel.example}
feeds:
  calls:
    request: {path: /calls, query: {since: "{from|unix}", until: "{to|unix}"}}
    filter: {by: start}
    rows: calls
    total: count
    next: {token: next, query: cursor}
    record: {id: id, start: {path: began, time: unix}, outcome: {is: answered}}
tests:
  by: start
  answers:
    - span: 2026-11-23T10:00:00Z/2026-11-23T11:00:00Z
      request: GET /calls?since=1795428000&until=1795431600
      body: {calls: [{id: "1", began: 1795428000}], count: `+c.first+`, next: abc}
    - request: GET /calls?since=1795428000&until=1795431600&cursor=abc
      body: {calls: [{id: "1", began: 1795428000}, {id: "2", began: 1795428001}], count: `+c.second+`, next: null}
  rows:
    - row: {id: "1", began: 1795428000}
      becomes: {id: "1", start: "2026-11-23T10:00:00Z", outcome: answered}
`, "answers", c.broken)
		})
	}
}

// TestAnswersOfExports: without answers of a further list the kit can't judge how a definition asks for it.
func TestAnswersOfExports(t *testing.T) {
	text, err := declared.BuiltinText("wavix")
	require.NoError(t, err)
	stream := strings.ReplaceAll(string(text), "parameters: {format: csv, ", "parameters: {format: stream, ")
	d, err := declared.Load("definition.yaml", []byte(stream))
	require.NoError(t, err)
	verdicts, err := laws.Run(t.Context(), laws.Settings{Definition: d, Laws: []string{"answers"}})
	require.NoError(t, err)
	var unjudged []string
	for _, v := range verdicts {
		if v.State == laws.NotJudged {
			unjudged = append(unjudged, v.Feed+" "+v.Detail)
		}
	}
	const want = "call_log csv no answers of this list; give them under `also`, with `parameters: {format: csv}`"
	if got := strings.Join(unjudged, "; "); got != want {
		t.Errorf("%s", got)
	}
}

// judged are the verdicts on a definition, by law. None is broken.
func judged(t *testing.T, text string) map[string]laws.Verdict {
	t.Helper()
	d, err := declared.Load("definition.yaml", []byte(text))
	require.NoError(t, err)
	verdicts, err := laws.Run(t.Context(), laws.Settings{Definition: d})
	require.NoError(t, err)
	all := make(map[string]laws.Verdict)
	for _, v := range verdicts {
		if all[v.Law] = v; v.State == laws.Broken {
			t.Errorf("%s: %s", v.Law, v.Detail)
		}
	}
	return all
}
