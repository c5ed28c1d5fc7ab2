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

// lawCase is a definition and what a law says of it: how it is broken, or what stands behind `held: `; empty: it is
// held.
type lawCase struct{ name, definition, want string }

func load(t *testing.T, text string) *declared.Definition {
	t.Helper()
	d, err := declared.Load("definition.yaml", []byte(text))
	require.NoError(t, err)
	return d
}

func checkLaw(t *testing.T, law string, cases ...lawCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d := load(t, c.definition)
			verdicts, err := laws.Run(t.Context(), laws.Settings{Definition: d, Laws: []string{law}})
			require.NoError(t, err)
			v := verdicts[len(verdicts)-1] // behind the law plain, if it is another one
			detail, isHeld := strings.CutPrefix(c.want, "held: ")
			if isHeld = isHeld || c.want == ""; isHeld != (v.State == laws.Held) || c.want != "" && v.Detail != detail {
				t.Errorf("got %v: %s", v.State, v.Detail)
			}
		})
	}
}

// listed is a list over HTTP, and queried a table of a database.
const (
	listed = `
provider: acmetel
http: {base_url: https://api.acmetel.example}
feeds:
  calls:
    request: {path: /calls, query: {since: "{from|unix}"}}
    filter: {by: start}
    record: {id: id, start: {path: began, time: unix}, outcome: {is: answered}}
tests:
  by: start
`
	queried = `
provider: acmetel
sql: {driver: sqlite, query: "SELECT id, at FROM calls WHERE at >= :from AND at < :to"}
feeds:
  calls: &feed
    filter: {by: start}
    record: {id: id, start: {path: at, time: "2006-01-02 15:04:05"}, outcome: {is: answered}}
tests:
  by: start
  tables: |
    CREATE TABLE calls (id INTEGER PRIMARY KEY, at TEXT, cause INTEGER);
    INSERT INTO calls VALUES (1, '2026-11-23 10:00:00', 5);
    INSERT INTO calls VALUES (2, 'SECOND', 1);
  rows:
    - {feed: calls, becomes: {id: "1", start: "2026-11-23T10:00:00Z", outcome: answered}}
    - {feed: calls, becomes: {id: "2", start: "2026-11-23T10:05:00Z", outcome: answered}}
`
)

// edited is a text with others in place of some, as strings.NewReplacer takes them.
func edited(text string, edits ...string) string { return strings.NewReplacer(edits...).Replace(text) }

func TestLimits(t *testing.T) {
	inserted := func(filter string) string {
		return edited(listed, "filter: {by: start}", "filter: {by: inserted, "+filter+"}",
			"by: start\n", "by: inserted\n  delay: 10m\n")
	}
	days := func(filter string) string {
		return edited(listed, `{from|unix}"`, `{from|rfc3339}", until: "{to|2006-01-02}"`, "by: start}",
			"by: start"+filter+"}")
	}
	says := func(record, tests string) string { return edited(listed, "answered}}", "answered}"+record+"}") + tests }
	checkLaw(
		t, "limits",
		// A list by insertion reads its last overlap again, and nothing before it, so rows may come so late after their
		// time and no later.
		lawCase{"a minute", inserted("min_age: 1s"), "filter.overlap is 1m0s, want at least 9m59s"},
		lawCase{"an overlap as long as the delay", inserted("overlap: 10m"), ""},
		lawCase{"rows of this age are shown already", inserted("min_age: 9m"), ""},
		// An end that is a day without its time leaves that day out, unless it is included.
		lawCase{"days", days(""), "held: 1 limits; tests lack delay; write filter.grain: 24h, unless the provider " +
			"includes the end in the request"},
		lawCase{"half days", days(", grain: 12h"), "filter.grain is 12h0m0s, want 24h0m0s, because the end in the " +
			"request has that form"},
		lawCase{
			"to the end of the day", edited(days(", grain: 12h"), "{to|2006-01-02}", "{to|2006-01-02} 23:59:59"),
			"held: 1 limits; tests lack delay",
		},
		lawCase{"whole days", days(", grain: 24h"), "held: 2 limits; tests lack delay"},
		lawCase{"days on both sides", days(", margin: 24h"), "held: 1 limits; tests lack delay"},
		lawCase{
			"days and their times", edited(days(""), "until: \"", "until: \"{to|15:04:05} "),
			"held: 1 limits; tests lack delay",
		},
		// Nothing judges what tests don't say of the provider.
		lawCase{"calls of one row", says("", "  delay: 1h"), "held: 2 limits"},
		lawCase{"no delay", says("", ""), "held: 1 limits; tests lack delay"},
		lawCase{"of several rows", says(", group: call", "  delay: 1h"), "held: 2 limits; tests lack apart"},
		lawCase{"nothing", says(", group: call", ""), "held: 1 limits; tests lack delay, apart"},
	)
}

func TestRows(t *testing.T) {
	second := "2026-11-23 10:05:00"
	where := func(where string) string {
		return edited(queried, "SECOND", second, "at >= :from AND at < :to", where)
	}
	checkLaw(
		t, "rows",
		// If a row of the query can't be read, the law says why, and not which other row is nearest.
		lawCase{"an invalid row", edited(queried, "SECOND", "2026-11-23T10:05:00"), "rows[1]: no row of the " +
			"query becomes this; one of its rows is invalid: start isn't a time of the form 2006-01-02 15:04:05"},
		// A query that gives none of the rows of tests is wrong, however it is written.
		lawCase{"a span that is turned", where("at >= :to AND at < :from"), "the query gives 0 rows, want 2"},
		lawCase{"a false condition", where("at >= :from AND at < :to AND 0"), "the query gives 0 rows, want 2"},
		// A row is named by its place in tests, also if rows of another feed come before it.
		lawCase{"rows of several feeds", edited(queried, "SECOND", second, "tests:", "  others: *feed\ntests:") + `
    - {feed: others, becomes: {id: "1", start: "2026-11-23T10:00:00Z", outcome: answered}}
    - {feed: others, becomes: {id: "2", start: "2026-11-23T10:05:00Z", outcome: busy}}
`, `rows[3]: no row of the query becomes this; the nearest differs: outcome is "answered", want "busy"`},
		// Nothing proves a path at which no row of tests has a value.
		lawCase{"a path without a value", `
provider: acmetel
files: {read: lines, format: jsonl}
feeds: {calls: {record: {id: [id, uid], start: {path: began, time: rfc3339}, outcome: {is: answered}}}}
tests:
  rows:
    - {row: {id: a, began: "2026-11-23T10:00:00Z"}, becomes: {id: a, start: "2026-11-23T10:00:00Z", outcome: answered}}
`, "held: 1 rows; none has a value at uid (id)"},
		// The law says of each row how it differs, and of a value that its file has no column for it.
		lawCase{"rows that differ", `
provider: acmetel
files: {read: lines, format: csv, columns: [id, began]}
feeds: {calls: {record: {id: id, start: {path: began, time: rfc3339}, outcome: {is: answered}}}}
tests:
  rows:
    - {row: {id: a, began: "2026-11-23T10:00:00Z"}, becomes: {id: b, start: "2026-11-23T10:00:00Z", outcome: answered}}
    - {row: {id: c, began: "2026-11-23T10:00:00Z", caler: "1"}, becomes: invalid}
`, "rows[0]: id is \"a\", want \"b\"\n  rows[1]: \"caler\" isn't one of its columns"},
	)
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
		checkLaw(t, "rows", lawCase{c.name, edited(definition, "BECOMES", c.becomes), c.broken})
	}
}

// asked is an answer of tests, and next an answer of another span.
const (
	asked = `
    - span: 2026-11-23T10:00:00Z/2026-11-23T11:00:00Z
      request: GET /calls?since=1795428000
      body: [{id: "1", began: 1795428001}]
`
	next = `
    - span: 2026-11-23T11:00:00Z/2026-11-23T12:00:00Z
      request: GET /calls?since=1795431600
      body: [{id: "2", began: 1795431601}]
`
)

// TestTokens: what is asked before a list, such as a token, may come before the answer with the span. A list of calls
// in progress has no span.
func TestTokens(t *testing.T) {
	signs := edited(listed, "example}", `example, auth: {oauth2: {token_url: /token, client_id: ann,
  client_secret: "{api_key}", params: {grant_type: a}}}}
parameters: {api_key: {secret: true, ask: key}}`) + `
  answers:
    - request: POST /token
      sends: client_id=ann&client_secret=kit-secret-of-api-key&grant_type=a
      body: {access_token: at1, token_type: Bearer, expires_in: 3600}
`
	noForm := edited(signs, "client_id=ann&client_secret=kit-secret-of-api-key&grant_type=a",
		"{client_id: ann, client_secret: kit-secret-of-api-key, grant_type: a}")
	live := edited(signs, `path: /calls, query: {since: "{from|unix}"}`, "path: /calls", "filter: {by: start}",
		"snapshot: true", "start: {path: began, time: unix}, outcome: {is: answered}", "direction: {is: inbound}")
	const noSpan = `
    - request: GET /calls
      body: [{id: "1"}]
`
	checkLaw(
		t, "answers",
		lawCase{"a token", signs + asked + next, ""},
		lawCase{"a token whose request sends no form", noForm + asked, "answers[0]: it sends client_id=ann&" +
			"client_secret=kit-secret-of-api-key&grant_type=a, want " +
			`{"client_id":"ann","client_secret":"kit-secret-of-api-key","grant_type":"a"}`},
		lawCase{
			"no span at all", signs + noSpan,
			"answers[0] has no span: the first answer of a read says which time was wanted, as FROM/TO",
		},
		lawCase{"calls in progress", live + noSpan, ""},
	)
}

// TestRequests: of several parameters that differ, the law names the first one, the same in each run. Tests write a
// user and a password as text, so the law shows both as text too.
func TestRequests(t *testing.T) {
	with := func(query string) string {
		return edited(listed, "{since", `{a: "1", b: "1", c: "1", since`) + "  answers:" + edited(asked, "?", "?"+query)
	}
	basic := edited(listed, "example}", `example, auth: {basic: {username: ann, password: "{api_key}"}}}
parameters: {api_key: {secret: true, ask: key}}`) + "  answers:" + asked + `
      with: {Authorization: "Basic ann:kit-secret-of-api_key"}
`
	for range 8 {
		checkLaw(
			t, "answers",
			lawCase{"others", with("a=1&b=2&c=2&d=2&"), "answers[0]: it asks with b=1, want b=2"},
			lawCase{
				"more", with("a=1&"),
				"answers[0]: it asks with b=1, which the request of the answer doesn't have",
			},
			lawCase{"a user", basic, "answers[0]: it asks with the header Authorization: " +
				"Basic ann:kit-secret-of-api-key, want Basic ann:kit-secret-of-api_key"},
		)
	}
}

// TestSecrets: a secret of the source and a token stay out of what the exporter writes, and a query of tests may leave
// out a secret.
func TestSecrets(t *testing.T) {
	keyed := edited(listed, "{since", `{key: "{api_key}", since`, "feeds:",
		"parameters: {api_key: {secret: true, ask: key}}\nfeeds:")
	shows := func(trunk string) string {
		return edited(keyed, "answered}}", "answered}, trunk: trunk}") + `
  rows:
    - row: {id: "1", began: 1795428000, trunk: ` + trunk + `}
      becomes: {id: "1", start: "2026-11-23T10:00:00Z", outcome: answered, trunk: ` + trunk + `}
`
	}
	const token = "a token that the provider gave is in what the exporter wrote"
	checkLaw(
		t, "secret",
		lawCase{"a secret", shows("kit-secret-of-api-key"), "the secret api_key is in what the exporter wrote"},
		lawCase{"an access token", shows("kit-access-token-secret"), token},
		lawCase{"a refresh token", shows("kit-next-refresh-token-secret"), token},
	)
	checkLaw(t, "answers", lawCase{"a secret in the query", keyed + "  answers:" + asked, ""})
}

// paged is a list of two pages.
const paged = listed + `
  answers:
    - span: 2026-11-23T10:00:00Z/2026-11-23T11:00:00Z
      request: GET /calls?since=1795428000
      body: {calls: [{id: "1", began: 1795428000}], count: 2, next: c1, state: more}
    - request: GET /calls?since=1795428000&cursor=c1
      body: {calls: [{id: "2", began: 1795428001}], count: 2, state: done}
`

// pages is the list of paged whose rows are at a key, with further keys of the feed.
func pages(rows string) string {
	return edited(paged, "filter:", "rows: "+rows+"\n    next: {token: next, query: cursor}\n    filter:")
}

// TestRefusedAnswer: if the definition refuses an answer, it asks again. The law says why, and not that the request of
// the next page was another one.
func TestRefusedAnswer(t *testing.T) {
	checkLaw(
		t, "answers",
		lawCase{
			"rows elsewhere", pages("records"),
			"answers[0]: read page 1: the answer has no list at records, so it isn't a page of calls",
		},
		lawCase{
			"rows elsewhere, and refused answers", pages("records\n    refused: {state: failed}"),
			"answers[0]: read page 1: asked 4 times: the answer has no list at records, so it isn't a page of calls",
		},
		lawCase{
			"a condition that a page fulfils", pages("calls\n    refused: {state: more}"),
			"answers[0]: read page 1: asked 4 times: the provider answers that the request failed, with status 200",
		},
		lawCase{"a page that is right", pages("calls\n    refused: {state: failed}"), ""},
		// Only a page without rows ends a list of offsets, so tests need it too.
		lawCase{
			"a page more",
			edited(paged, "filter:", "rows: calls\n    next: {offset: cursor}\n    filter:", "=c1", "=1"),
			"after answers[1] it asks further: GET /calls?cursor=2&since=1795428000; if that is right, give this " +
				"answer too: the last page is the one without rows",
		},
	)
}

// TestRefusedAnswerFirst: the kit's server answers as the pages of tests do, not as an answer that is refused.
func TestRefusedAnswerFirst(t *testing.T) {
	const span = "    - span: 2026-11-23T10:00:00Z/2026-11-23T11:00:00Z\n      request: GET /calls?since=1795428000\n"
	checkLaw(t, "plain", lawCase{
		"a failed answer", edited(pages("calls\n    refused: {state: failed}"), span, span+
			"      body: {calls: [], state: failed}\n    - request: GET /calls?since=1795428000\n") + `
  rows: [{row: {id: "1", began: 1795428000}, becomes: {id: "1", start: "2026-11-23T10:00:00Z", outcome: answered}}]
`, "held: 1 rows are 1 calls and 0 visits",
	})
}

// TestTotalOfAPage: a total that counts the rows of a page isn't the provider's number of all rows.
func TestTotalOfAPage(t *testing.T) {
	total := pages("calls\n    total: count")
	checkLaw(
		t, "answers",
		lawCase{"the rows of a page", edited(total, "count: 2", "count: 1"), "answers[0]: the total is 1, " +
			"but the pages of this list have 2 rows: it may count the rows of a page; then leave it out"},
		lawCase{"all rows", total, ""},
	)
}

// TestAnswersOfExports: without answers of a further list the kit can't judge how a definition asks for it.
func TestAnswersOfExports(t *testing.T) {
	text, err := declared.BuiltinText("wavix")
	require.NoError(t, err)
	stream := strings.ReplaceAll(string(text), "parameters: {format: csv, ", "parameters: {format: stream, ")
	verdicts, err := laws.Run(t.Context(), laws.Settings{Definition: load(t, stream), Laws: []string{"answers"}})
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

func TestScripts(t *testing.T) {
	const row = `
  rows:
    - {row: {id: "1", began: 1795428000}, becomes: {id: "1", start: "2026-11-23T10:00:00Z", outcome: answered}}
`
	const more = `
    - {row: {id: "2", began: 1795428060}, becomes: {id: "2", start: "2026-11-23T10:01:00Z", outcome: answered}}
    - {row: {id: "3", began: 1795428120}, becomes: {id: "3", start: "2026-11-23T10:02:00Z", outcome: answered}}
`
	pages := func(size string) string {
		return edited(listed, "{since", "{per_page: \""+size+"\", since", "filter:",
			"rows: calls\n    next: {link: next}\n    filter:") + row[1:] + more[1:]
	}
	csv := edited(listed, "filter:", "format: csv\n    filter:", "answered}}", "answered}, trunk: trunk}") +
		edited(row, "1795428000", `"1795428000", trunk: a-trunk-with-a-name-of-many-letters`,
			"outcome", "trunk: a-trunk-with-a-name-of-many-letters, outcome")
	zone := listed + "  parameters: {time_zone: Europe/Berlin}" + row
	numbers := edited(queried, "SECOND", "2026-11-23 10:05:00", "id, at", "id, at, cause", "{is: answered}",
		`{path: cause, table: {"1": answered, "5": busy}}`,
		`10:00:00Z", outcome: answered`, `10:00:00Z", outcome: busy`)
	// Nobody can see that the last value of an answer of CSV was cut, so no law cuts there.
	checkLaw(t, "refused", lawCase{"an answer that is cut within the last value", csv, ""})
	// The kit's pages have fewer rows than the query asks for. A page of more rows, without another one behind it,
	// looks as if the path of the next page were misspelt.
	checkLaw(t, "plain", lawCase{"more than a page", pages("2"), ""}, lawCase{"just a page", pages("3"), ""})
	checkLaw(t, "damaged", lawCase{"all rows and damaged ones are more than a page", pages("7"), ""})
	// Tests may name a zone although each time has its own.
	checkLaw(t, "rows", lawCase{"rows whose times have a zone", zone, ""})
	checkLaw(t, "edges", lawCase{"edges of times that have a zone", zone, ""})
	// A table of a database whose words are numbers is judged too.
	checkLaw(t, "unknown", lawCase{"unknown numbers", numbers, ""})
}

// TestCutLineOfAPattern: a pattern whose last alternative matches everything hides lines of calls that it doesn't know,
// which the kit says.
func TestCutLineOfAPattern(t *testing.T) {
	const definition = `
provider: acmetel
files:
  read: lines
  format: pattern
  pattern: '^(?P<start>\d+ \d+) (?P<seconds>\d+) (?P<who>\d+)$|^\s*(?P<other>OTHER)'
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
`
	checkLaw(
		t, "rows",
		lawCase{"everything else is ignored", edited(definition, "OTHER", `\S`), "held: 2 rows; half of " +
			"rows[0] is ignored, not invalid: let the pattern's last alternative match only lines that can't be calls"},
		lawCase{"only titles are ignored", edited(definition, "OTHER", `[^\s\d]`), "held: 2 rows"},
	)
}

// TestUnknownLaw: a law that is misspelt isn't one that holds.
func TestUnknownLaw(t *testing.T) {
	_, err := laws.Run(t.Context(), laws.Settings{Definition: load(t, listed), Laws: []string{"rows", "oder"}})
	const want = "--law: no law is called oder; the laws are rows, answers, limits, "
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %v", err)
	}
}

// judged are the verdicts on a definition, by law. None is broken.
func judged(t *testing.T, text string) map[string]laws.Verdict {
	t.Helper()
	verdicts, err := laws.Run(t.Context(), laws.Settings{Definition: load(t, text)})
	require.NoError(t, err)
	all := make(map[string]laws.Verdict)
	for _, v := range verdicts {
		if all[v.Law] = v; v.State == laws.Broken {
			t.Errorf("%s: %s", v.Law, v.Detail)
		}
	}
	return all
}
