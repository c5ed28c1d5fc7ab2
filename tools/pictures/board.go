package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/dashboards"
)

// drawn are the dashboards of which there are pictures. Calls asks Loki, which isn't
// here.
var drawn = []string{"overview", "trunks", "cost", "quality", "exporter"}

// board is a dashboard: what of its JSON can be drawn.
type board struct {
	name               string
	Title, Description string
	Panels             []panel
}

// panel is one of its panels, or the title of a row of them.
type panel struct {
	Type, Title string
	GridPos     gridPos
	// TimeFrom is a time of the panel's own.
	TimeFrom    string
	Targets     []target
	FieldConfig struct {
		Defaults  field
		Overrides []struct {
			Matcher    struct{ ID, Options string }
			Properties []property
		}
	}
	Options struct {
		Legend struct{ Placement string }
		SortBy []struct {
			DisplayName string
			Desc        bool
		}
	}
	Transformations []struct {
		ID      string
		Options struct {
			IndexByName  map[string]int
			RenameByName map[string]string
		}
	}
}

// target is a query.
type target struct {
	RefID, Expr, LegendFormat string
	Instant                   bool
}

// field is how values are shown.
type field struct {
	Unit       string
	Decimals   *int
	Min, Max   *float64
	Thresholds *thresholds
	Color      struct{ Mode, FixedColor string }
	Mappings   []mapping
	Custom     struct {
		AxisCenteredZero bool
		Stacking         struct{ Mode string }
		ThresholdsStyle  struct{ Mode string }
	}
}

// thresholds are colours from values on, the first from minus infinity.
type thresholds struct {
	Steps []struct {
		Color string
		Value *float64
	}
}

// property is a setting of one column of a table.
type property struct {
	ID    string
	Value json.RawMessage
}

// readBoards reads the dashboards as they are shipped.
func readBoards() ([]board, error) {
	all := make([]board, len(drawn))
	for i, name := range drawn {
		text, err := dashboards.Files.ReadFile("grafana/" + name + ".json")
		if err != nil {
			return nil, err
		}
		if all[i], err = readBoard(name, text); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// readBoard reads one and sees that all of it can be drawn.
func readBoard(name string, text []byte) (board, error) {
	b := board{name: name}
	if err := json.Unmarshal(text, &b); err != nil {
		return board{}, fmt.Errorf("read the dashboard %s: %w", name, err)
	}
	for i := range b.Panels {
		if err := b.Panels[i].check(); err != nil {
			return board{}, fmt.Errorf("the dashboard %s: %s: %w", name, b.Panels[i].Title, err)
		}
	}
	slices.SortStableFunc(b.Panels, func(x, y panel) int {
		if x.GridPos.Y != y.GridPos.Y {
			return x.GridPos.Y - y.GridPos.Y
		}
		return x.GridPos.X - y.GridPos.X
	})
	return b, nil
}

// The types of panels that are known.
const (
	typeRow    = "row"
	typeStat   = "stat"
	typeSeries = "timeseries"
	typeTable  = "table"
)

// check says what of a panel can't be drawn.
func (p *panel) check() error {
	switch p.Type {
	case typeRow:
		return nil
	case typeStat, typeSeries, typeTable:
	default:
		return fmt.Errorf("panels of type %s aren't known", p.Type)
	}
	var problems []error
	unknown := func(what, value string, known ...string) {
		if !slices.Contains(known, value) {
			problems = append(problems, fmt.Errorf("the %s %q isn't known", what, value))
		}
	}
	d := &p.FieldConfig.Defaults
	if units[d.Unit] == nil {
		unknown("unit", d.Unit)
	}
	unknown("time", p.TimeFrom, "", thisMonth)
	unknown("place of the legend", p.Options.Legend.Placement, "", "bottom", "right")
	unknown("colour mode", d.Color.Mode, "", "fixed", "thresholds")
	unknown("stacking", d.Custom.Stacking.Mode, "", "normal")
	unknown("style of thresholds", d.Custom.ThresholdsStyle.Mode, "", "dashed")
	for _, t := range p.Transformations {
		unknown("transformation", t.ID, "merge", "organize")
	}
	for _, o := range p.FieldConfig.Overrides {
		unknown("matcher", o.Matcher.ID, "byName")
		for _, property := range o.Properties {
			unknown("property", property.ID, "unit", "decimals", "links", "thresholds", "mappings", "custom.cellOptions")
		}
	}
	if strings.Contains(p.Type, typeTable) && p.organized() == nil {
		problems = append(problems, errors.New("nothing says which columns the table has"))
	}
	return errors.Join(problems...)
}

// organized says which columns a table has: the index of each field.
func (p *panel) organized() map[string]int {
	for _, t := range p.Transformations {
		if t.ID == "organize" {
			return t.Options.IndexByName
		}
	}
	return nil
}
