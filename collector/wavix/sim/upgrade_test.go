package sim

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// TestUpgrade: a record keeps its id and what it says while the API goes from one
// generation to the next, which call_id outlives.
func TestUpgrade(t *testing.T) {
	server, c := start(t, Settings{Account: account(t, 400, spoilt), Generation: GenerationA})
	var before []plainRow
	for g := GenerationA; g <= GenerationD; g++ {
		server.Upgrade(g)
		c.query = g == GenerationA
		raw, _ := c.pages(options(Placed), 1000)
		rows := rowsOfJSON(t, raw)
		uuids, callIDs := 0, 0
		for i, row := range rows {
			if row["uuid"] != "" {
				uuids++
			}
			if row["call_id"] != "" {
				callIDs++
			}
			if row["uuid"] != "" && row["call_id"] != "" && row["uuid"] != row["call_id"] {
				t.Errorf("generation %d: %v", g, row)
			}
			if before != nil && idOf(row) != idOf(before[i]) {
				t.Errorf("generation %d: row %d has another id", g, i)
			}
			if before != nil && (millionthsOf(row["charge"]) != millionthsOf(before[i]["charge"]) || row["date"] != before[i]["date"]) {
				t.Errorf("generation %d: row %d is another one: %v, %v", g, i, row, before[i])
			}
		}
		if (uuids > 0) != (g < GenerationD) || (callIDs > 0) != (g >= GenerationC) {
			t.Errorf("generation %d: %d uuids, %d call ids", g, uuids, callIDs)
		}
		before = rows
	}
}

func idOf(row plainRow) string {
	if row["call_id"] != "" {
		return row["call_id"]
	}
	return row["uuid"]
}

// types counts the JSON types of each member.
func types(t *testing.T, raw []json.RawMessage) map[string]map[string]int {
	t.Helper()
	counts := map[string]map[string]int{}
	for _, r := range raw {
		var members map[string]any
		if err := json.Unmarshal(r, &members); err != nil {
			t.Fatal(err)
		}
		for name, value := range members {
			if counts[name] == nil {
				counts[name] = map[string]int{}
			}
			counts[name][typeOf(value)]++
		}
	}
	return counts
}

func typeOf(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case string:
		return "string"
	case float64:
		if v == float64(int64(v)) {
			return "integer"
		}
		return "number"
	case bool:
		return "boolean"
	default:
		return "object"
	}
}

// TestDocumented: rows of a world that keeps to Wavix's document of June 2026 have the
// types of its schema CDR, in each of whose required members they have a value.
func TestDocumented(t *testing.T) {
	plain := func(s *simulator.Settings) { s.Revised = 0 }
	a := accountOf(t, AccountSettings{
		Placed: world(t, Documented(PlacedMix()), 2000, plain), Received: world(t, Documented(ReceivedMix()), 2000, plain),
	})
	_, c := start(t, Settings{Account: a})
	// nullable by member; those that aren't required may be missing.
	schema := map[string]bool{
		"date": false, "from": false, "to": false, "disposition": false, "duration": false, "destination": false,
		"per_minute": false, "charge": false, "uuid": false, "call_id": false,
		"sip_trunk": true, "forward_fee": false, "parent_uuid": true, "parent_call_id": true, "answered_by": true,
	}
	for _, callType := range []string{Placed, Received} {
		raw, _ := c.pages(options(callType), 1000)
		counts := types(t, raw)
		for name, got := range counts {
			nullable, known := schema[name]
			kind := "string"
			if name == "duration" {
				kind = "integer"
			}
			if !known || !nullable && got[kind] != len(raw) || got[kind]+got["null"] != len(raw) {
				t.Errorf("%s: %s: %v of %d rows", callType, name, got, len(raw))
			}
		}
		if len(counts) != len(schema) {
			t.Errorf("%s: members %v", callType, counts)
		}
		for _, row := range rowsOfJSON(t, raw) {
			if !slices.Contains([]string{"answered", "noanswer", "busy", "failed"}, row["disposition"]) {
				t.Errorf("disposition %s", row["disposition"])
			}
		}
	}
}

// TestTraps: the account has every kind of row that Wavix's documents make one expect.
func TestTraps(t *testing.T) {
	_, c := start(t, Settings{Account: account(t, 3000, spoilt), Generation: GenerationB})
	ids := map[string]plainRow{}
	found := map[string]int{}
	raw, _ := c.pages(options(Received), 1000)
	for _, row := range rowsOfJSON(t, raw) {
		if row["uuid"] != "" {
			ids[row["uuid"]] = row
		}
		found["forwarding fee"] += when01(millionthsOf(row["forward_fee"]) > 0)
		found["anonymous"] += when01(row["from"] == "anonymous")
		found["nobody"] += when01(row["from"] == "")
		found["SIP user"] += when01(row["from"] == "front.desk")
		found["five decimals"] += when01(millionthsOf(row["forward_fee"])%100 != 0)
	}
	raw, _ = c.pages(options(Placed), 1000)
	for _, row := range rowsOfJSON(t, raw) {
		found["upper case"] += when01(row["disposition"] == "ANSWERED")
		found["rejected"] += when01(row["disposition"] == "rejected")
		found["unknown"] += when01(row["disposition"] == "congestion")
		found["none, with a duration"] += when01(row["disposition"] == "" && row["duration"] > "0")
		found["none, without"] += when01(row["disposition"] == "" && row["duration"] == "0")
		found["no id"] += when01(row["date"] != "" && row["uuid"] == "")
		found["plus"] += when01(len(row["to"]) > 5 && row["to"][0] == '+')
		found["no price"] += when01(row["disposition"] == "failed" && row["charge"] == "")
		found["less than nothing"] += when01(millionthsOf(row["charge"]) < 0)
		found["a duration without an answer"] += when01(row["disposition"] == "noanswer" && row["duration"] != "0")
		parent, known := ids[row["parent_uuid"]]
		switch {
		case row["parent_uuid"] == "":
		case row["parent_uuid"] == row["uuid"]:
			found["its own parent"]++
		case !known:
			found["another's child"]++
		default:
			found[outcomeOf(parent["disposition"], 0).String()+" parent, "+outcomeOf(row["disposition"], 0).String()+" child"]++
		}
		if twin, ok := ids[row["uuid"]]; ok && row["uuid"] != "" && twin["from"] == row["from"] && twin["to"] == row["to"] {
			found["both types"]++
		}
	}
	for _, name := range []string{
		"forwarding fee", "anonymous", "nobody", "SIP user", "five decimals", "upper case", "rejected", "unknown", "none, with a duration",
		"none, without", "no id", "plus", "no price", "less than nothing", "a duration without an answer", "its own parent", "another's child",
		"both types", "answered parent, answered child", "answered parent, failed child", "failed parent, failed child",
		"no_answer parent, failed child", "no_answer parent, answered child",
	} {
		if found[name] == 0 {
			t.Errorf("there is no %s: %v", name, found)
		}
	}
}

func when01(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// TestOneType: who reads placed calls alone can't know of parents.
func TestOneType(t *testing.T) {
	a := account(t, 1000, nil)
	view := View{View: simulator.View{At: []time.Time{begin.AddDate(0, 0, 10)}}}
	both := a.TotalsOf(view)
	view.Type = Placed
	one := a.TotalsOf(view)
	view.Type = Received
	other := a.TotalsOf(view)
	if one.Records+other.Records != both.Records || one.Excused != 0 || both.Excused == 0 || other.Children != 0 {
		t.Errorf("%d + %d of %d records, %d of %d excused", one.Records, other.Records, both.Records, one.Excused, both.Excused)
	}
}
