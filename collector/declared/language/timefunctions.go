package language

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
)

// timeFunctions are the functions of expressions for times. A row's value may have the name of a
// function, so a call is renamed before it is compiled: its name gets (), which no value has. Each
// gets the zone as its last argument.
var timeFunctions = map[string]struct {
	least, most int // number of arguments in the definition
	call        func(values ...any) (any, error)
	check       func(form string) (problem string) // checks the second argument
}{
	"time": {2, 3, timeOf, func(form string) string {
		switch {
		case !tellsDay(form):
			return "time() needs a form with year, month and day"
		case HidesHalf(form):
			return "the form of time() " + HalfOfDay
		case ForeignZone(form) != "":
			return "the form of time() has " + ForeignZone(form) + " " + HowZones
		}
		return ""
	}},
	"format": {2, 3, formatOf, func(string) string { return "" }},
	"duration": {1, 2, durationOf, func(unit string) string {
		if !slices.Contains(Units, unit) {
			return "duration() needs one of the units " + strings.Join(Units, ", ")
		}
		return ""
	}},
}

const (
	renamed  = "()"
	zoneName = "zone()" // the source's zone in an expression's environment
)

func timeOptions() (all []expr.Option) {
	for name, f := range timeFunctions {
		all = append(all, expr.Function(name+renamed, f.call))
	}
	return all
}

// call checks a call of a function, and prepares a call for times.
func (n *names) call(of *ast.CallNode, called *ast.IdentifierNode) {
	f, known := timeFunctions[called.Value]
	switch {
	case called.Value == stringFunction, called.Value == jsonFunction, strings.HasSuffix(called.Value, renamed):
		return
	case !known:
		n.problem = called.Value + "() doesn't exist"
		return
	case len(of.Arguments) < f.least || len(of.Arguments) > f.most:
		n.problem = fmt.Sprintf("%s() takes %d or %d values, not %d", called.Value, f.least, f.most, len(of.Arguments))
		return
	}
	if len(of.Arguments) > 1 {
		if second, is := of.Arguments[1].(*ast.StringNode); is {
			n.problem = f.check(second.Value)
		}
	}
	if len(of.Arguments) == 3 {
		if zone, is := of.Arguments[2].(*ast.StringNode); is {
			if _, err := zoneOf(zone.Value); err != nil {
				n.problem = called.Value + "() needs a time zone such as Europe/Berlin"
			}
		}
	} else if called.Value != "duration" {
		n.usesZone = true
		of.Arguments = append(of.Arguments, &ast.IdentifierNode{Value: zoneName})
	}
	of.Callee = &ast.IdentifierNode{Value: called.Value + renamed}
}

// errTime quotes nothing of the row.
var errTime = errors.New("no time")

// zones are the zones that expressions name: loading one reads a file.
var zones sync.Map

func zoneOf(value any) (zone *time.Location, err error) {
	if zone, is := value.(*time.Location); is {
		return zone, nil
	}
	name, _ := value.(string)
	if known, is := zones.Load(name); is {
		return known.(*time.Location), nil //nolint:forcetypeassert // nothing else is stored
	}
	if name == "" || name == "Local" {
		return nil, errTime
	}
	if zone, err = time.LoadLocation(name); err == nil {
		zones.Store(name, zone)
	}
	return zone, err
}

// timeOf is the function time(VALUE, FORM, ZONE); nil gives nil.
func timeOf(values ...any) (any, error) {
	text, is := textOfValue(values[0])
	zone, err := zoneOf(values[2])
	if form, ok := values[1].(string); ok && is && err == nil {
		at, problem := ParseTime(text, form, zone)
		switch {
		case problem != "":
			return nil, errTime
		case at.IsZero():
			return nil, nil //nolint:nilnil // nil means missing
		}
		return at, nil
	}
	if values[0] == nil {
		return nil, nil //nolint:nilnil // nil means missing
	}
	return nil, errTime
}

// durationOf is the function duration(VALUE, UNIT).
func durationOf(values ...any) (any, error) {
	text, is := textOfValue(values[0])
	unit, ok := "", true
	if len(values) > 1 {
		unit, ok = values[1].(string)
	}
	if values[0] == nil {
		return nil, nil //nolint:nilnil // nil means missing
	}
	if length, problem := ParseDuration(text, unit); is && ok && problem == "" {
		return length, nil
	}
	return nil, errTime
}

// formatOf is the function format(TIME, FORM, ZONE).
func formatOf(values ...any) (any, error) {
	zone, err := zoneOf(values[2])
	form, ok := values[1].(string)
	switch at, is := values[0].(time.Time); {
	case values[0] == nil:
		return nil, nil //nolint:nilnil // nil means missing
	case !is || !ok || err != nil:
		return nil, errTime
	default:
		return FormatTime(at.In(zone), form), nil
	}
}

// textOfValue is an expression's result as a text: a time in RFC 3339, a length of time in seconds.
func textOfValue(value any) (text string, is bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case int, int64, bool:
		return fmt.Sprint(v), true
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano), true
	case time.Duration:
		return strconv.FormatFloat(v.Seconds(), 'f', -1, 64), true
	}
	return "", false
}
