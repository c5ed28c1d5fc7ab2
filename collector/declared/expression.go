package declared

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm"

	"github.com/cdr-exporter/cdr-exporter/collector/wire"
)

const (
	// expressionNodes and expressionMemory bound an expression in size, and in what it allocates for a row.
	expressionNodes  = 1_000
	expressionMemory = 1_000_000
)

// expression is compiled once. It sees the row's values by their names, and the source's parameters.
type expression struct {
	program *vm.Program
	names   []string // of the row's values that it uses
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (e *expression) UnmarshalText(text []byte) error {
	compiled, err := compile(string(text), false)
	if err != nil {
		return fmt.Errorf("is no expression: %w", err)
	}
	*e = *compiled
	return nil
}

// compile compiles an expression that gives a truth value, or any.
func compile(text string, truth bool) (*expression, error) {
	used := new(names)
	options := []expr.Option{
		expr.AllowUndefinedVariables(), expr.MaxNodes(expressionNodes), expr.Patch(used),
		expr.DisableBuiltin("now"), expr.DisableBuiltin("date"), expr.DisableBuiltin("duration"), expr.DisableBuiltin("timezone"),
	}
	if truth {
		options = append(options, expr.AsBool())
	}
	program, err := expr.Compile(text, options...)
	if err != nil {
		line, _, _ := strings.Cut(err.Error(), "\n")
		return nil, errors.New(line)
	}
	if used.function != "" {
		return nil, fmt.Errorf("there is no function %s", used.function)
	}
	return &expression{program, used.all}, nil
}

// names collects the values that an expression uses, and a function that there isn't: those of time are among these.
type names struct {
	all      []string
	function string
}

// Visit implements ast.Visitor.
func (n *names) Visit(node *ast.Node) {
	name := ""
	switch of := (*node).(type) {
	case *ast.IdentifierNode:
		name = of.Value
	case *ast.CallNode:
		if called, ok := of.Callee.(*ast.IdentifierNode); ok {
			n.function = called.Value
		}
	case *ast.MemberNode:
		if env, ok := of.Node.(*ast.IdentifierNode); ok && env.Value == "$env" {
			if key, ok := of.Property.(*ast.StringNode); ok {
				name = key.Value
			}
		}
	}
	if name != "" && name != "$env" && !slices.Contains(n.all, name) {
		n.all = append(n.all, name)
	}
}

// expressionFails is what is wrong with a row whose expression has no result.
const expressionFails = "has an expression that fails: what it uses is missing, or is a text where it needs a number"

// run evaluates the expression over a row.
func (e *expression) run(r *row) (result any, problem string) {
	if r.environment == nil {
		r.environment = make(map[string]any)
	}
	env := r.environment
	clear(env)
	for _, name := range e.names {
		if name == "parameter" {
			env[name] = r.parametersAsValues()
		} else if value := r.value(name); value != nil {
			env[name] = value
		}
	}
	r.machine.MemoryBudget = expressionMemory
	result, err := r.machine.Run(e.program, env)
	if err != nil {
		return nil, expressionFails // its own text may quote the row
	}
	return result, ""
}

// truth evaluates a condition; one that fails doesn't hold, and says so.
func (e *expression) truth(r *row) (yes bool, problem string) {
	result, problem := e.run(r)
	yes, _ = result.(bool)
	return yes, problem
}

// text is what the expression gives, as a text; nil is missing.
func (e *expression) text(r *row) (text string, is form, problem string) {
	result, problem := e.run(r)
	switch v := result.(type) {
	case nil:
		return "", missing, problem
	case string:
		return v, formOf(v), ""
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), single, ""
	case int, int64, bool:
		return fmt.Sprint(v), single, ""
	}
	return "", nested, ""
}

// parametersAsValues are the source's parameters as an expression sees them.
func (r *row) parametersAsValues() map[string]any {
	all := make(map[string]any, len(r.parameters))
	for name, values := range r.parameters {
		if len(values) == 1 {
			all[name] = values[0]
		} else {
			all[name] = values
		}
	}
	return all
}

// value is one of the row's as an expression sees it: numbers of JSON are numbers, other values text, objects and arrays what they hold.
func (r *row) value(name string) any {
	if r.columns == nil {
		return valueOf(r.raw(path{name}), r.percent)
	}
	if text, is := r.text(path{name}); is == single {
		return text
	}
	return nil
}

func valueOf(raw []byte, percent bool) any {
	text, is := textOf(raw)
	switch {
	case is == missing:
		return nil
	case is == nested:
		return nestedValue(raw, percent)
	case strings.IndexByte(wire.NumberStarts, raw[0]) < 0: // a text or a truth value
		if percent {
			return percentDecoded(text)
		}
		return text
	}
	if n, err := strconv.Atoi(text); err == nil {
		return n
	}
	f, _ := json.Number(text).Float64()
	return f
}

func nestedValue(raw []byte, percent bool) any {
	if raw[0] == '[' {
		list := []any{}
		wire.Elements(raw, func(element []byte) { list = append(list, valueOf(element, percent)) })
		return list
	}
	object := map[string]any{}
	wire.Members(raw, func(name, value []byte) { object[wire.TextOf(name)] = valueOf(value, percent) })
	return object
}
