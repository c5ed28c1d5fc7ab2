package sim

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"math/big"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// plainRow is a row that came, as text: what is null or missing is empty.
type plainRow map[string]string

// rowsOfJSON are rows whose types are right; another is an empty map.
func rowsOfJSON(t testing.TB, raw []json.RawMessage) []plainRow {
	t.Helper()
	var rows []plainRow
	for _, r := range raw {
		if !json.Valid(r) {
			t.Fatalf("not JSON: %s", r)
		}
		decoder := json.NewDecoder(bytes.NewReader(r))
		decoder.UseNumber()
		var members map[string]any
		if decoder.Decode(&members) != nil {
			rows = append(rows, plainRow{})
			continue
		}
		rows = append(rows, plainOf(members))
	}
	return rows
}

func plainOf(members map[string]any) plainRow {
	row := plainRow{}
	for name, value := range members {
		switch v := value.(type) {
		case nil:
		case string:
			if name == "duration" {
				return plainRow{}
			}
			row[name] = v
		case json.Number:
			if name == "uuid" || name == "call_id" || name == "date" {
				return plainRow{}
			}
			row[name] = v.String()
		default:
			return plainRow{}
		}
	}
	return row
}

func rowsOfCSV(t testing.TB, body []byte) []plainRow {
	t.Helper()
	reader := csv.NewReader(bytes.NewReader(body))
	reader.FieldsPerRecord = -1
	lines, err := reader.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []plainRow
	for _, line := range lines[1:] {
		row := plainRow{}
		for i, name := range lines[0] {
			if len(line) == len(lines[0]) && line[i] != "" {
				row[name] = line[i]
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// linesOf are the rows of an export.
func linesOf(body []byte) []json.RawMessage {
	var rows []json.RawMessage
	for line := range bytes.Lines(body) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			rows = append(rows, line)
		}
	}
	return rows
}

// read reads all rows of a type in each format there is.
func (c *client) read(callType string) map[string][]plainRow {
	c.t.Helper()
	_, export, csvPath, _ := paths(c.server.Generation())
	listed, first := c.pages(options(callType), 200)
	formats := map[string][]plainRow{"list": rowsOfJSON(c.t, listed)}
	_, body := c.get(export, options(callType))
	formats["export"] = rowsOfJSON(c.t, linesOf(body))
	var rows []plainRow
	for n := range first.Pagination.Pages {
		response, body := c.get(csvPath, options(callType, "page", strconv.Itoa(n+1), "per_page", "200"))
		if response.StatusCode != http.StatusOK {
			return formats
		}
		rows = append(rows, rowsOfCSV(c.t, body)...)
	}
	formats["csv"] = rows
	return formats
}

// tally counts rows by the contract's text.
type tally struct {
	Totals
	seen map[string]bool
	// last is how a record was seen last, by type and id.
	last map[string]seenRow
	// failures are those of rows, by type and id, and waiting the failed rows that have
	// a parent.
	failed  map[string]bool
	waiting []failedChild
}

// seenRow is what may change of a record.
type seenRow struct {
	outcome cdr.Outcome
	amounts map[string]string
	key     simulator.ChargeKey
}

type failedChild struct {
	parent string
	key    simulator.FailureKey
}

func newTally() *tally {
	return &tally{Totals: Totals{
		Totals:  simulator.NewTotals(),
		Charges: map[simulator.ChargeKey]Millionths{}, Corrections: map[simulator.CorrectionKey]Millionths{},
	}, seen: map[string]bool{}, failed: map[string]bool{}, last: map[string]seenRow{}}
}

// add counts a row of a type.
func (c *tally) add(callType string, row plainRow) {
	c.Rows++
	at, err := time.Parse("2006-01-02T15:04:05.000Z", row["date"])
	seconds, wrong := strconv.Atoi(row["duration"])
	id := row["call_id"]
	if id == "" {
		id = row["uuid"]
	}
	if err != nil || wrong != nil || seconds < 0 {
		c.Invalid++
		return
	}
	if id != "" {
		if key := callType + " " + id; c.seen[key] {
			c.Duplicates++
			c.revise(key, row, time.Duration(seconds)*time.Second)
			return
		}
		c.seen[callType+" "+id] = true
	} else {
		key := callType + at.Truncate(time.Second).String() + strings.TrimPrefix(row["from"], "+") + ">" + strings.TrimPrefix(row["to"], "+")
		if c.seen[key] {
			c.Twins++
		}
		c.seen[key] = true
	}
	c.Records++
	c.call(callType, id, row, time.Duration(seconds)*time.Second)
}

func (c *tally) call(callType, id string, row plainRow, duration time.Duration) {
	way, other := cdr.Outbound, row["to"]
	if callType == Received {
		way, other = cdr.Inbound, row["from"]
	}
	outcome, trunk, country := outcomeOf(row["disposition"], duration), row["sip_trunk"], countryOf(other)
	c.Calls[simulator.CallKey{Direction: way, CallType: callType, Outcome: outcome, Trunk: trunk}]++
	if outcome == cdr.Answered {
		key := simulator.DurationKey{Direction: way, CallType: callType, Trunk: trunk}
		c.Durations[key] = simulator.Span{Count: c.Durations[key].Count + 1, Sum: c.Durations[key].Sum + duration}
		c.Connected[simulator.ConnectedKey{Direction: way, CallType: callType, Trunk: trunk, Country: country}] += duration
	} else {
		c.failure(id, row, simulator.FailureKey{Direction: way, Trunk: trunk, Outcome: outcome})
	}
	if way == cdr.Outbound && (other == "911" || other == "933" || other == "112") {
		c.Emergency[simulator.EmergencyKey{Outcome: outcome, Test: other == "933"}]++
	}
	key := simulator.ChargeKey{Direction: way, CallType: callType, Currency: "USD", Country: country}
	for component, amount := range amountsOf(row) {
		key.Component = component
		c.amount(key, amount)
	}
	c.last[callType+" "+id] = seenRow{outcome, amountsOf(row), key}
}

func amountsOf(row plainRow) map[string]string {
	return map[string]string{"usage": row["charge"], "forwarding": row["forward_fee"]}
}

// revise counts what changed of a record.
func (c *tally) revise(id string, row plainRow, duration time.Duration) {
	last := c.last[id]
	outcome, changed, filled := outcomeOf(row["disposition"], duration), false, false
	if outcome != last.outcome {
		c.OutcomeChanges[simulator.OutcomeChange{From: last.outcome, To: outcome}]++
		changed = true
	}
	for component, amount := range amountsOf(row) {
		key, before := last.key, last.amounts[component]
		key.Component = component
		switch {
		case before == "" && amount != "":
			c.amount(key, amount)
			filled = true
		case before != amount:
			difference := millionthsOf(amount) - millionthsOf(before)
			sign := "debit"
			if difference < 0 {
				difference, sign = -difference, "credit"
			}
			c.Corrections[simulator.CorrectionKey{ChargeKey: key, Sign: sign}] += difference
			changed = true
		}
	}
	switch {
	case changed:
		c.Revisions++
	case filled:
		c.Filled++
	}
	c.last[id] = seenRow{outcome, amountsOf(row), last.key}
}

func (c *tally) failure(id string, row plainRow, key simulator.FailureKey) {
	parent := row["parent_call_id"]
	if parent == "" {
		parent = row["parent_uuid"]
	}
	c.failed[id] = c.failed[id] || id != ""
	if parent != "" && parent != id {
		c.waiting = append(c.waiting, failedChild{parent, key})
		return
	}
	c.Failures[key]++
}

// finish counts the failures whose parent's isn't counted.
func (c *tally) finish() *tally {
	for _, w := range c.waiting {
		if c.failed[w.parent] {
			c.Excused++
		} else {
			c.Failures[w.key]++
		}
	}
	return c
}

func (c *tally) amount(key simulator.ChargeKey, text string) {
	switch n := millionthsOf(text); {
	case n > 0:
		c.Charges[key] += n
	case n < 0:
		c.Corrections[simulator.CorrectionKey{ChargeKey: key, Sign: "credit"}] -= n
	}
}

func millionthsOf(text string) Millionths {
	if text == "" {
		return 0
	}
	rat, ok := new(big.Rat).SetString(text)
	if !ok {
		panic("not an amount: " + text)
	}
	rat.Mul(rat, big.NewRat(1_000_000, 1))
	if !rat.IsInt() {
		panic("more decimals than six: " + text)
	}
	return Millionths(rat.Num().Int64())
}

func outcomeOf(disposition string, duration time.Duration) cdr.Outcome {
	switch strings.ToLower(disposition) {
	case "answered":
		return cdr.Answered
	case "noanswer":
		return cdr.NoAnswer
	case "busy":
		return cdr.Busy
	case "rejected":
		return cdr.Rejected
	case "failed":
		return cdr.Failed
	case "":
		if duration > 0 {
			return cdr.Answered
		}
	}
	return cdr.Unknown
}

// countryOf is by the prefixes that are in the world.
func countryOf(number string) string {
	number = strings.TrimPrefix(number, "+")
	for prefix, country := range map[string]string{
		"1425": "US", "1415": "US", "1206": "US", "1613": "CA", "1876": "JM", "44": "GB", "49": "DE", "33": "FR", "800": "001",
	} {
		if len(number) > 5 && strings.HasPrefix(number, prefix) {
			return country
		}
	}
	return ""
}
