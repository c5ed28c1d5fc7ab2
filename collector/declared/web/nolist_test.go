package web_test

import (
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/declaredtest"
)

// TestAnswersWithoutAList: an answer of another kind isn't an empty list of CSV. A list that is empty by `empty` needs no total.
func TestAnswersWithoutAList(t *testing.T) {
	for _, c := range []struct {
		name, feed, answer string
		refused            bool
	}{
		{"an error in JSON for CSV", "    format: csv\n", `{"error":"rate limited"}`, true},
		{"an error in JSON of several lines", "    format: csv\n", "{\n  \"error\": \"rate limited\"\n}\n", true},
		{"an error in JSON for named columns", "    format: csv\n    columns: [id, start]\n", `{"error":"rate limited"}`, true},
		{"a text for CSV", "    format: csv\n", "Service temporarily unavailable", true},
		{"a text with a comma and a line end", "    format: csv\n", "Sorry, try again later.\n", true},
		{"a part of the names", "    format: csv\n", "id,sta", true},
		{"a row in place of the names", "    format: csv\n", "1,2026-11-23T11:59:00Z\n", true},
		{"names alone", "    format: csv\n", "id,start\n", false},
		{
			"empty, with complete", "    rows: rows\n    total: n\n    complete: total\n    next: {page: p}\n" +
				"    empty: {status: no_cdr}\n",
			`{"status":"no_cdr"}`, false,
		},
	} {
		f := declaredtest.Always(c.answer)
		info := f.Open(t, "", "    request: {path: /calls, query: {from: '{from|rfc3339}', to: '{to|rfc3339}'}}\n"+
			"    filter: {by: start}\n"+c.feed)
		if _, err := declaredtest.ReadHour(t, info); (err != nil) != c.refused {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestManyRowsInAnAnswer: a provider without pages gives all calls of a busy day at once.
func TestManyRowsInAnAnswer(t *testing.T) {
	minutes := make([]int, 10_001)
	for i := range minutes {
		minutes[i] = 30
	}
	f := declaredtest.Always(`{"rows":` + declaredtest.Rows(minutes...) + "}")
	info := f.Open(t, "", "    request: {path: /calls, query: {d: '{from|2006-01-02}'}}\n"+
		"    filter: {by: start, grain: 24h, step: 24h}\n    rows: rows\n")
	if got, err := declaredtest.ReadHour(t, info); err != nil || len(got) != len(minutes) {
		t.Errorf("%d rows, %v", len(got), err)
	}
}
