package declared

import (
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
	program    *vm.Program
	names      []string // of the row's values that it uses
	parameters []string // that it names
	usesZone   bool     // it reads or writes a time in the source's zone
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (e *expression) UnmarshalText(text []byte) error {
	compiled, err := compile(string(text), false)
	if err != nil {
		return fmt.Errorf("isn't a valid expression: %w", err)
	}
	*e = *compiled
	return nil
}

// compile compiles an expression that gives a truth value, or any.
func compile(text string, truth bool) (*expression, error) {
	used := new(names)
	options := []expr.Option{
		expr.AllowUndefinedVariables(), expr.MaxNodes(expressionNodes), expr.Patch(used),
		expr.Function(stringFunction, stringOf, new(func(any) any)),
		expr.DisableBuiltin("now"), expr.DisableBuiltin("date"), expr.DisableBuiltin("duration"), expr.DisableBuiltin("timezone"),
	}
	options = append(options, timeOptions()...)
	if truth {
		options = append(options, expr.AsBool())
	}
	program, err := expr.Compile(text, options...)
	if err != nil {
		line, _, _ := strings.Cut(err.Error(), "\n")
		return nil, errors.New(line)
	}
	if used.problem != "" {
		return nil, errors.New(used.problem)
	}
	return &expression{program, used.all, used.parameters, used.usesZone}, nil
}

const stringFunction = "string"

// stringOf is the function string: of a missing value it is missing, and not the text <nil>.
func stringOf(values ...any) (any, error) {
	if values[0] == nil {
		return nil, nil //nolint:nilnil // nil is what is missing
	}
	return fmt.Sprint(values[0]), nil
}

// names collects the values and parameters that an expression uses, and what is wrong with a call
// of a function.
type names struct {
	all, parameters []string
	usesZone        bool
	problem         string
}

// isParameters says whether a node is all parameters of the source.
func isParameters(node ast.Node) bool {
	switch of := node.(type) {
	case *ast.ChainNode:
		return isParameters(of.Node)
	case *ast.IdentifierNode:
		return of.Value == "parameter"
	case *ast.MemberNode:
		env, ok := of.Node.(*ast.IdentifierNode)
		key, isText := of.Property.(*ast.StringNode)
		return ok && isText && env.Value == "$env" && key.Value == "parameter"
	}
	return false
}

// addParameter notes a parameter that an expression names.
func (n *names) addParameter(of, name ast.Node) {
	if key, ok := name.(*ast.StringNode); ok && isParameters(of) {
		n.parameters = append(n.parameters, key.Value)
	}
}

// Visit implements ast.Visitor.
func (n *names) Visit(node *ast.Node) {
	name := ""
	switch of := (*node).(type) {
	case *ast.IdentifierNode:
		name = of.Value
	case *ast.CallNode:
		if called, ok := of.Callee.(*ast.IdentifierNode); ok {
			n.call(of, called)
		}
	case *ast.BuiltinNode:
		if of.Name == "get" && len(of.Arguments) == 2 {
			n.addParameter(of.Arguments[0], of.Arguments[1])
		}
	case *ast.BinaryNode:
		if of.Operator == "in" {
			n.addParameter(of.Right, of.Left)
		}
	case *ast.MemberNode:
		n.addParameter(of.Node, of.Property)
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
const expressionFails = "has an expression that fails: " +
	"what it uses is missing, or isn't the number or time that it needs"

// run evaluates the expression over a row.
func (e *expression) run(r *row) (result any, problem string) {
	if r.environment == nil {
		r.environment = make(map[string]any)
	}
	env := r.environment
	clear(env)
	if e.usesZone {
		env[zoneName] = r.zone
	}
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
	if result == nil {
		return "", missing, problem
	}
	if text, known := textOfValue(result); known {
		return text, formOf(text), ""
	}
	return "", nested, ""
}

// parametersAsValues are the source's parameters as an expression sees them.
func (r *row) parametersAsValues() map[string]any {
	all := make(map[string]any, len(r.parameters))
	for name, values := range r.parameters {
		if all[name] = values; len(values) == 1 && !r.lists[name] {
			all[name] = values[0]
		}
	}
	return all
}

// value is one of the row's as an expression sees it: numbers of JSON are numbers, other values text, objects and arrays what they hold.
func (r *row) value(name string) any {
	if name == forKey && r.each != nil {
		return r.each
	}
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
	case strings.IndexByte(wire.NumberStarts, raw[0]) >= 0:
		return numberOf(text)
	}
	if text = bare(text, percent); text == "" {
		return nil
	}
	return text
}

// sureDigits is how many digits of a number a float64 always keeps.
const sureDigits = 15

// numberOf is a number of JSON as an expression sees it. One that neither an int nor a float holds
// exactly stays the text that it is: two ids must not become one, nor an amount another.
func numberOf(text string) any {
	if n, err := strconv.Atoi(text); err == nil {
		return n
	}
	f, err := strconv.ParseFloat(text, 64)
	mantissa, _, hasExponent := strings.Cut(strings.ToLower(text), "e")
	digits := len(strings.TrimLeft(strings.NewReplacer("-", "", ".", "").Replace(mantissa), "0"))
	plain := text
	if strings.Contains(text, ".") {
		plain = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	if err != nil || digits > sureDigits && (hasExponent || strconv.FormatFloat(f, 'f', -1, 64) != plain) {
		return text
	}
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
