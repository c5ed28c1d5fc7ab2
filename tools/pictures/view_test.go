package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
)

func TestLegendName(t *testing.T) {
	labels := model.Metric{"source": "acme", "feed": "call_log"}
	for _, tc := range []struct{ name, format, want string }{
		{"labels", "{{source}} {{feed}}", "acme call_log"},
		{"a label that isn't there", "{{source}} {{ trunk }}", "acme"},
		{"text", "p95 {{source}}", "p95 acme"},
		{"nothing is said", "", "{feed=\"call_log\", source=\"acme\"}"},
	} {
		if got := legendName(tc.format, labels); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
	if got := legendName("", nil); got != "" {
		t.Errorf("without labels: %q", got)
	}
}

// TestCourse: values lie where their time is, and where there is none there is nothing.
func TestCourse(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	a := &asker{now: now, shown: 4 * step}
	at := func(i int, v float64) model.SamplePair {
		return model.SamplePair{Timestamp: model.TimeFromUnixNano(a.begin().Add(time.Duration(i) * step).UnixNano()), Value: model.SampleValue(v)}
	}
	nan := 0.0
	c := courseOf(&model.SampleStream{Values: []model.SamplePair{at(1, 5), at(2, nan/nan), at(4, 7)}}, "x", a)
	if want := []float64{nothing, 5, nothing, nothing, 7}; !slices.Equal(c.values, want) {
		t.Errorf("got %v, want %v", c.values, want)
	}
	row := legendOf(c, "red", &field{Unit: "none"})
	if row != (legendRow{"x", "red", "6", "7"}) {
		t.Errorf("the legend says %v", row)
	}
	if none := courseOf(&model.SampleStream{}, "x", a); none.values != nil {
		t.Errorf("of no values: %v", none)
	}
}

// TestChart: thresholds that lie on the chart are dashed lines, and nothing is filled below.
func TestChart(t *testing.T) {
	f := field{Unit: "s", Thresholds: &thresholds{}}
	if err := json.Unmarshal([]byte(`{"steps": [{"color": "green"}, {"color": "yellow", "value": 3}, {"color": "red", "value": 300}]}`), f.Thresholds); err != nil {
		t.Fatal(err)
	}
	f.Custom.ThresholdsStyle.Mode = "dashed"
	c := &chart{width: 300, height: 100, all: []course{{"a", []float64{1, 2, 4}}, {"b", []float64{2, 1, 1}}}, field: &f}
	svg, err := c.svg()
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(svg), "stroke-dasharray"); n != 1 {
		t.Errorf("%d dashed lines, want 1: %s", n, svg)
	}
	if n := strings.Count(string(svg), "fill:rgba"); n != 2 {
		t.Errorf("%d filled areas, want 2: %s", n, svg)
	}
	if f.Thresholds.colour(2) != judgements["green"] || f.Thresholds.colour(3) != judgements["yellow"] || f.Thresholds.colour(1000) != judgements["red"] {
		t.Error("thresholds begin elsewhere")
	}
}

func TestStacked(t *testing.T) {
	f := field{Unit: "cpm"}
	f.Custom.Stacking.Mode = "normal"
	c := &chart{all: []course{{"a", []float64{1, nothing, 4}}, {"b", []float64{2, 6, 1}}}, field: &f}
	if c.most() != 6 || c.least() != 1 {
		t.Errorf("from %v to %v", c.least(), c.most())
	}
	f.Custom.Stacking.Mode = ""
	c.all[1].values[1] = 3
	if c.most() != 4 {
		t.Errorf("not stacked, up to %v", c.most())
	}
}

// TestTable: the answers of several queries are joined by their labels, named, sorted and
// cut where there is no more room.
func TestTable(t *testing.T) {
	var p panel
	err := json.Unmarshal([]byte(`{
		"type": "table", "targets": [{"refId": "A"}, {"refId": "B"}],
		"options": {"sortBy": [{"displayName": "Calls", "desc": true}]},
		"fieldConfig": {"defaults": {"unit": "short"}, "overrides": [
			{"matcher": {"id": "byName", "options": "ASR"}, "properties": [{"id": "unit", "value": "percentunit"}, {"id": "decimals", "value": 1},
				{"id": "thresholds", "value": {"steps": [{"color": "red"}, {"color": "green", "value": 0.5}]}}]},
			{"matcher": {"id": "byName", "options": "Code"}, "properties": [{"id": "mappings", "value": [
				{"type": "value", "options": {"486": {"text": "486 busy"}}}, {"type": "regex", "options": {"pattern": "^(5\\d\\d)$", "result": {"text": "$1 server"}}}]}]}]},
		"transformations": [{"id": "merge"}, {"id": "organize", "options": {
			"indexByName": {"code": 0, "Value #A": 1, "Value #B": 2}, "renameByName": {"code": "Code", "Value #A": "Calls", "Value #B": "ASR"}}}]}`), &p)
	if err != nil {
		t.Fatal(err)
	}
	sample := func(code string, v float64) *model.Sample {
		return &model.Sample{Metric: model.Metric{"code": model.LabelValue(code)}, Value: model.SampleValue(v)}
	}
	rows := merge(nil, p.valueName(p.Targets[0]), model.Vector{sample("486", 5), sample("503", 9), sample("0", 1), sample("200", 2)})
	rows = merge(rows, p.valueName(p.Targets[1]), model.Vector{sample("503", 0.25), sample("486", 0.5)})
	columns, err := p.columns()
	if err != nil {
		t.Fatal(err)
	}
	p.sort(rows, columns)
	var got []string
	v := view(rows, columns, 3)
	for _, cells := range append([][]tableCell{v.Head}, v.Rows...) {
		for _, c := range cells {
			got = append(got, c.Text)
		}
	}
	if want := []string{"Code", "Calls", "ASR", "503 server", "9", "25.0%", "486 busy", "5", "50.0%"}; !slices.Equal(got, want) || v.More != 2 {
		t.Errorf("got %q and %d more, want %q and 2", got, v.More, want)
	}
	if v.Rows[0][2].Colour != judgements["red"] || v.Rows[1][2].Colour != judgements["green"] {
		t.Errorf("the colours are %v", v.Rows)
	}
	if v := view(rows, columns, 4); len(v.Rows) != 4 || v.More != 0 {
		t.Errorf("where all have room: %d rows, %d more", len(v.Rows), v.More)
	}
}
