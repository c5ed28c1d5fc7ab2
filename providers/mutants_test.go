package providers_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/internal/analysis/laws"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// broken says which law a definition breaks first, or why it isn't valid; empty: neither.
func broken(text string, only ...string) string {
	verdicts, err := run(text, only...)
	if err != nil {
		return err.Error()
	}
	for _, v := range verdicts {
		if v.State == laws.Broken {
			return v.Law + ": " + v.Detail
		}
	}
	return ""
}

// mutants are defects of right definitions: a name, a text, and what takes its place.
const mutants = `
twilio:
  a filter of another name | "StartTime>": "{from|2006-01-02}" | "StartedAfter": "{from|2006-01-02}"
  a filter by the end of calls | by: start, grain | by: end, grain
  ends that are the same day | "StartTime<": "{to|2006-01-02}" | "StartTime<": "{from|2006-01-02}"
  a finer grain | grain: 24h | grain: 1h
  a coarser grain | grain: 24h | grain: 48h
  half a day, which the request can't name | grain: 24h | grain: 12h
  an inserted filter | filter: {by: start, grain: 24h} | filter: {by: inserted, grain: 24h}
  smaller pages | PageSize: "1000" | PageSize: "50"
  a next that is the first page | next: {url: next_page_uri} | next: {url: first_page_uri}
  a next that is the previous page | next: {url: next_page_uri} | next: {url: previous_page_uri}
  no next |     next: {url: next_page_uri}\n | nothing
  rows elsewhere | rows: calls | rows: records
  another path | Calls.json | Calls.JSON
  another unit | unit: s} | unit: ms}
  a price that isn't negated | , negate: true | nothing
  sides that are turned round | callee: [{path: to, match: *number}, to] | callee: [{path: from, match: *number}, from]
  totals of the next day | EndDate: "{from| | EndDate: "{to|
  a status that is final | "in-progress"] | "x"]
  another currency | currency: USD | currency: EUR
  no parent |       parent: parent_call_sid\n | nothing
  another id | id: sid | id: account_sid
  another user | username: "{account_sid}" | username: "{auth_token}"
  no currency of a day |       currency: usage_records.0.price_unit\n | nothing
  another time | start_time, time: rfc2822}, {path: date_created | date_created, time: rfc2822}, {path: start_time
zoom_phone:
  another token | {token: next_page_token, query: next_page_token} | {token: next_token, query: next_page_token}
  another query for the token | query: next_page_token} | query: page_token}
  another total | total: total_records | total: page_size
  a filter by the end of calls | time_type: start_time | time_type: end_time
  the end in the place of the start | by: start, grain | by: end, grain
  days in the place of times | from: "{from|2006-01-02T15:04:05Z}" | from: "{from|2006-01-02}"
  local times | to: "{to|2006-01-02T15:04:05Z}" | to: "{to|2006-01-02 15:04:05}"
  minutes | unit: s} | unit: min}
  another duration | path: duration, unit | path: talk_time, unit
  the ringing too | duration: {when: [{answer_time: ""}, {end_time: ""}], path | duration: {path
  the trunk of a group | [sbc_name, sip_group_name] | [sip_group_name, sbc_name]
  credentials in the body |       client_in: header\n | nothing
  another grant | grant_type: account_credentials | grant_type: client_credentials
  page numbers | next: {token: next_page_token, query: next_page_token} | next: {page: page_number, from: 1}
webex:
  a filter by the start of calls | by: inserted, min_age: 1m, | by: start, min_age: 1m,
  another parameter | startTime: | start:
  milliseconds that are missing | {from|2006-01-02T15:04:05.000Z} | {from|rfc3339}
  another relation | {link: next} | {link: prev}
  another key of calls | group: '["Correlation ID"]' | group: '["Report ID"]'
  another unit | unit: s} | unit: ms}
  hours of 12 | 15:04:05.000Z} | 03:04:05.000Z}
  another list | rows: items | rows: records
  a row that isn't there yet | min_age: 1m, | min_age: 30s,
  a longer range | max_range: 2h, | max_range: 4h,
  a shorter history | retention: 12h | retention: 6h
  another direction | ORIGINATING: outbound, TERMINATING: inbound | ORIGINATING: inbound, TERMINATING: outbound
  a group's rows that are whole | let group = ["HuntGroup", "CallQueue"] | let group = ["HuntGroup"]
kamailio:
  an end that is left out | m.time >= :from AND m.time < :to | m.time > :from AND m.time < :from AND m.time < :to
  another event | a.method = 'INVITE' AND NOT | a.method = 'BYE' AND NOT
  re-INVITEs are calls | AND e.sip_code LIKE '2%' | AND e.sip_code LIKE '9%'
  a re-INVITE that fails is an attempt | AND e.time < m.time | AND e.time < :from
  provisional answers are attempts | a.sip_code NOT LIKE '1%' AND | nothing
  a BYE ends an attempt that failed | AND a.sip_code LIKE '2%' | nothing
  a beginning that is left out | a.time >= :from | a.time > :from
  answered calls that don't wait for their BYE | [{ended: "*"}, {source | [{id: "*"}, {source
  another key of calls | group: callid | group: id
  a challenge is a failure | [{when: {sip_code: ["401", "407", "3*"]}, is: none},  | [
  a call without an id loses the others | WHERE m.method | WHERE m.callid NOT IN (SELECT callid FROM acc) AND m.method
mikopbx:
  rows in the order of their calls | ORDER BY id | ORDER BY start
  another key | key: id | key: billsec
fusionpbx:
  an answer in 1970 | CASE WHEN l.answer_stamp >= l.start_stamp THEN l.answer_stamp END AS | nothing
  a start without its zone | &forms [rfc3339, "2006-01-02 15:04:05"] | &forms "2006-01-02 15:04:05"
  a start with its zone | &forms [rfc3339, "2006-01-02 15:04:05"] | &forms rfc3339
tollbook:
  rows in the order of their calls | ORDER BY c.id | ORDER BY c.starttime
  rows in the order of their ends | ORDER BY c.id | ORDER BY c.stoptime
  too few keys that are read again | overlap: 500 | overlap: 1
  the start in place of the key | {by: inserted, key: id, overlap: 500} | {by: inserted, key: sessionid, overlap: 500}
starbase:
  an offset that holds in winter alone | datetime >= :from | timestamp >= strftime('%s', :from) - 3600
  an offset that is missing | datetime >= :from | timestamp >= strftime('%s', :from) - 0
  an end that is left out | datetime < :to | datetime < :to AND datetime <> :from
  a row without a caller loses the others | datetime >= :from | uid NOT IN (SELECT src FROM cdr) AND datetime >= :from
  ids of local times | id: uid | id: {join: [datetime, src]}
cloudcall:
  a detail that isn't JSON fails the query | WHEN json_valid(s.detail) THEN | WHEN s.detail <> '' THEN
  the start in place of the end | s.end_time >= :from | s.start_time >= :from
  the end called the start | by: end | by: start
ledgerdb:
  a shift of the clock | started_at >= :from | started_at > :from
asterisk:
  the user's own text is a key of calls | {path: uniqueid, match: '^((?:.*-)?[0-9]+\.[0-9]+)$'} | uniqueid
  another participant of a conference is an attempt | lastapp == "ConfBridge" ? nil : dstchannel | dstchannel
  called parties that were joined are another attempt | dst: ""}, is: none} | dst: ""}, is: answered}
  a member of a conference makes it outbound | {when: {lastapp: ConfBridge} | {when: {lastapp: Bridge}
  a queue's caller who left at the answer talked | lastapp: Queue, disposition | lastapp: Queues, disposition
  another unit | duration: {path: billsec, unit: s} | duration: {path: billsec, unit: ms}
  the whole length | duration: {path: billsec | duration: {path: duration
  columns in another order | start, answer, end, | answer, start, end,
  days first | time: ["2006-01-02 15:04:05", rfc3339]} | time: ["2006-02-01 15:04:05", rfc3339]}
  files that are written once | read: lines\n  format | read: whole\n  format
  a wait of another column | a3 == nil ? nil : int(a3) | a2 == nil ? nil : int(a2)
  another separator | separator: "|" | separator: ";"
freeswitch:
  milliseconds, not microseconds | variables.start_uepoch, time: unix_us | variables.start_uepoch, time: unix_ms
  seconds, not milliseconds | {path: variables.billmsec, unit: ms} | {path: variables.billmsec, unit: s}
  another field of a form | field: cdr | field: record
  texts that aren't decoded |     encoded: url\n | nothing
cucm:
  another unit | duration: {path: duration, unit: s} | duration: {path: duration, unit: ms}
  a first row that is skipped | format: csv, quiet | format: csv, skip: 1, quiet
  another cause | &ends ["126", "393216", "128", "458752"] | &ends ["126", "393216", "128"]
  the call's own number | id: pkid | id: globalCallID_callId
  files that grow | read: whole, format: csv, | read: lines, format: csv,
wavix:
  another list of CSV | path: /v1/cdr.csv | path: /v1/cdrs.csv
  another parameter for the key | query: {appid: "{api_key}"} | query: {api_key: "{api_key}"}
  another currency | currency: {default: USD} | currency: {default: EUR}
  legs that wait though their parents aren't read | len(parameter.types) == 1 || (parent | (parent
  another total | total: pagination.total\n | total: pagination.per_page\n
ringcentral:
  the account's log in place of the extension's | extension: account/~/extension/~ | extension: account/~
  another word of the view | simple: Simple | simple: simple
  names of users | {type: Department, perPage | {type: User, perPage
  another endpoint for tokens | token_url: /restapi/oauth/token | token_url: /restapi/oauth/authorize
`

// textOf is a definition that is built in, of the library, or of a stranger.
func textOf(t *testing.T, name string) []byte {
	t.Helper()
	if slices.Contains(declared.BuiltinNames(), name) {
		text, err := declared.BuiltinText(name)
		require.NoError(t, err)
		return text
	}
	text, err := os.ReadFile(name + ".yaml")
	if err != nil {
		text, err = os.ReadFile("../internal/analysis/laws/testdata/" + name + ".yaml")
	}
	require.NoError(t, err)
	return text
}

// TestMutants: a right definition in which something is wrong breaks a law.
func TestMutants(t *testing.T) {
	provider := ""
	text := strings.NewReplacer(`\n`, "\n")
	for line := range strings.SplitSeq(strings.TrimSpace(mutants), "\n") {
		words := strings.Split(line, " | ")
		if len(words) == 1 {
			provider = strings.TrimSuffix(line, ":")
			continue
		}
		name, old, now := strings.TrimSpace(words[0]), text.Replace(words[1]), text.Replace(words[2])
		if now == "nothing" {
			now = ""
		}
		t.Run(provider+" "+name, func(t *testing.T) {
			text := textOf(t, provider)
			definition, tests, _ := strings.Cut(string(text), "\ntests:")
			mutant := strings.Replace(definition, old, now, 1) + "\ntests:" + tests
			if mutant == string(text) {
				t.Fatalf("%q isn't in the definition", old)
			}
			found := ""
			for _, stage := range [][]string{{"rows", "answers", "limits"}, {"order", "edges", "damaged"}, nil} {
				if found == "" {
					found = broken(mutant, stage...)
				}
			}
			if found == "" {
				t.Error("it breaks no law")
			}
			t.Log(found)
		})
	}
}

// TestTables: a table that lacks any one of its entries breaks a law.
func TestTables(t *testing.T) {
	for _, provider := range declared.BuiltinNames() {
		var document yaml.Node
		require.NoError(t, yaml.Unmarshal(textOf(t, provider), &document))
		for _, table := range tablesIn(&document, provider) {
			entries := table.node.Content // keys and values
			for i := 0; i < len(entries); i += 2 {
				table.node.Content = slices.Delete(slices.Clone(entries), i, i+2)
				mutant, err := yaml.Marshal(&document)
				require.NoError(t, err)
				t.Run(fmt.Sprintf("%s without %s", table.path, entries[i].Value), func(t *testing.T) {
					if broken(string(mutant), "rows") == "" && broken(string(mutant), "answers") == "" {
						t.Error("it breaks no law")
					}
				})
			}
			table.node.Content = entries
		}
	}
}

// table is a table of a definition, and where it stands.
type table struct {
	path string
	node *yaml.Node
}

// tablesIn are the tables below a node.
func tablesIn(node *yaml.Node, path string) (all []table) {
	for i, value := range node.Content {
		if node.Kind != yaml.MappingNode {
			all = append(all, tablesIn(value, path)...)
			continue
		}
		if i%2 == 0 {
			continue
		}
		switch key := node.Content[i-1].Value; {
		case key == "tests" || key == "errors": // errors give advice, which no law judges
		case key == "table" && value.Kind == yaml.MappingNode:
			all = append(all, table{path, value})
		default:
			all = append(all, tablesIn(value, path+"."+key)...)
		}
	}
	return all
}
