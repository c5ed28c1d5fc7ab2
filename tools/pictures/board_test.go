package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/dashboards"
	definitions "github.com/cdr-exporter/cdr-exporter/internal/dashboards"
)

// TestBoards: all of the dashboards that are drawn is known, and each is drawn but the
// one that asks Loki.
func TestBoards(t *testing.T) {
	boards, err := readBoards()
	if err != nil {
		t.Fatal(err)
	}
	files, err := dashboards.Files.ReadDir("grafana")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name := strings.TrimSuffix(f.Name(), ".json")
		if slices.Contains(drawn, name) == (name == "calls") {
			t.Errorf("is there a picture of %s? There is one of each but calls", name)
		}
	}
	for _, b := range boards {
		if b.Title == "" || b.Description == "" || len(b.Panels) < 10 {
			t.Errorf("%s: not all of it was read: %q, %d panels", b.name, b.Title, len(b.Panels))
		}
		asked := &asker{shown: shown}
		for _, p := range b.Panels {
			if p.Type != typeRow && len(p.Targets) == 0 {
				t.Errorf("%s: %s asks nothing", b.name, p.Title)
			}
			for _, target := range p.Targets {
				if _, err := asked.expand(target.Expr, p.TimeFrom); err != nil {
					t.Errorf("%s: %s: %v", b.name, p.Title, err)
				}
			}
			checkTable(t, b.name, &p)
		}
	}
}

func checkTable(t *testing.T, name string, p *panel) {
	t.Helper()
	if p.Type != typeTable {
		return
	}
	columns, err := p.columns()
	if err != nil || len(columns) < 2 || columns[0].number || !columns[len(columns)-1].number {
		t.Errorf("%s: %s has the columns %v, %v", name, p.Title, columns, err)
	}
}

// TestTargets: the pictures ask what the dashboards' source says.
func TestTargets(t *testing.T) {
	boards, err := readBoards()
	if err != nil {
		t.Fatal(err)
	}
	all, err := definitions.Targets()
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, target := range all {
		if !target.Log {
			want = append(want, target.Expr)
		}
	}
	for _, b := range boards {
		for _, p := range b.Panels {
			for _, target := range p.Targets {
				got = append(got, target.Expr)
			}
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if len(got) == 0 || !slices.Equal(got, want) {
		t.Errorf("%d queries, the source has %d, and they differ", len(got), len(want))
	}
}

func TestUnknown(t *testing.T) {
	for _, tc := range []struct{ name, panel, problem string }{
		{"known", `{"type": "stat", "fieldConfig": {"defaults": {"unit": "s"}}}`, ""},
		{"type", `{"type": "gauge"}`, "panels of type gauge"},
		{"unit", `{"type": "stat", "fieldConfig": {"defaults": {"unit": "parsec"}}}`, `the unit "parsec"`},
		{"time", `{"type": "stat", "timeFrom": "1w", "fieldConfig": {"defaults": {"unit": "s"}}}`, `the time "1w"`},
		{"stacking", `{"type": "timeseries", "fieldConfig": {"defaults": {"unit": "s", "custom": {"stacking": {"mode": "percent"}}}}}`, `the stacking "percent"`},
		{"transformation", `{"type": "stat", "transformations": [{"id": "reduce"}], "fieldConfig": {"defaults": {"unit": "s"}}}`, `"reduce"`},
		{"property", `{"type": "stat", "fieldConfig": {"defaults": {"unit": "s"}, "overrides": [{"matcher": {"id": "byName"}, "properties": [{"id": "width"}]}]}}`, `"width"`},
		{"matcher", `{"type": "stat", "fieldConfig": {"defaults": {"unit": "s"}, "overrides": [{"matcher": {"id": "byRegexp"}}]}}`, `"byRegexp"`},
		{"mapping", `{"type": "stat", "fieldConfig": {"defaults": {"unit": "s", "mappings": [{"type": "range"}]}}}`, "the mapping range"},
		{"table without columns", `{"type": "table", "fieldConfig": {"defaults": {"unit": "s"}}}`, "which columns"},
	} {
		_, err := readBoard("x", []byte(`{"panels": [`+tc.panel+`]}`))
		if (err == nil) != (tc.problem == "") || err != nil && !strings.Contains(err.Error(), tc.problem) {
			t.Errorf("%s: got %v, want %q", tc.name, err, tc.problem)
		}
	}
}

// TestPlaces: no two panels of a dashboard lie on each other, and none leaves the page.
func TestPlaces(t *testing.T) {
	boards, err := readBoards()
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range boards {
		for i, p := range b.Panels {
			at := p.GridPos.place()
			if at.Left < pageMargin || at.Left+at.Width > pageWidth-pageMargin || at.Top+at.Height > b.height() || at.Width <= 0 || at.Height <= 0 {
				t.Errorf("%s: %s leaves the page: %v", b.name, p.Title, at)
			}
			for _, other := range b.Panels[:i] {
				o := other.GridPos.place()
				if at.Left < o.Left+o.Width && o.Left < at.Left+at.Width && at.Top < o.Top+o.Height && o.Top < at.Top+at.Height {
					t.Errorf("%s: %s lies on %s", b.name, p.Title, other.Title)
				}
			}
		}
	}
	whole := gridPos{X: 0, Y: 2, W: columns, H: 3}.place()
	if want := (rectangle{Left: pageMargin, Top: 2 * unitHeight, Width: pageWidth - 2*pageMargin, Height: 3*unitHeight - gap}); whole != want {
		t.Errorf("all of the width is %v, want %v", whole, want)
	}
}
