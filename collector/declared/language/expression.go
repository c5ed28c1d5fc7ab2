package language

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/vm"

	"github.com/cdr-exporter/cdr-exporter/collector/wire"
)

const (
	// expressionNodes and expressionMemory limit the size of an expression, and the memory that it
	// allocates for a row.
	expressionNodes  = 1_000
	expressionMemory = 1_000_000
)

// expression is compiled once. It has access to the row's values by name, and to the source's
// parameters.
type expression struct {
	source     string // as it is written
	program    *vm.Program
	names      []string // names of the row's values that it uses, and more
	places     []Path   // the row's values that it uses, by their first names
	parameters []string // parameters that it uses
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

// compile compiles an expression, which gives a truth value or anything.
func compile(text string, truth bool) (*expression, error) {
	used := &names{uses: make(map[string]int)}
	options := []expr.Option{
		expr.AllowUndefinedVariables(), expr.MaxNodes(expressionNodes), expr.Patch(used),
		expr.Function(stringFunction, stringOf, new(func(any) any)),
		expr.Function(jsonFunction, jsonOf, new(func(any) any)),
	}
	for _, name := range disabled {
		options = append(options, expr.DisableBuiltin(name))
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
	return &expression{
		source: text, program: program, names: used.all, places: used.places(), parameters: used.parameters,
		usesZone: used.usesZone,
	}, nil
}

// These replace the library's functions of the same names.
const (
	stringFunction = "string"
	jsonFunction   = "fromJSON"
)

// disabled are the library's functions that expressions don't have, or have in another form. functions
// are its others. A row may have values of any of these names, such as type, count or date.
var (
	disabled  = []string{"now", "date", "duration", "timezone"}
	functions = slices.DeleteFunc(slices.Clone(builtin.Names), func(name string) bool {
		return name == stringFunction || name == jsonFunction || slices.Contains(disabled, name)
	})
)

// stringOf is the function string. For a missing value it returns nil, not the text <nil>.
func stringOf(values ...any) (any, error) {
	if values[0] == nil {
		return nil, nil //nolint:nilnil // nil means missing
	}
	return fmt.Sprint(values[0]), nil
}

// jsonOf is the function fromJSON. The library's own rounds numbers, so that two ids could become equal.
func jsonOf(values ...any) (any, error) {
	if values[0] == nil {
		return nil, nil //nolint:nilnil // nil means missing
	}
	text, is := values[0].(string)
	raw := []byte(strings.TrimSpace(text))
	if !is || !json.Valid(raw) {
		return nil, errors.New("isn't a text of JSON")
	}
	return new(Row).valueOf(raw), nil
}

// names collects the values and parameters that an expression uses, and the first wrong call of a
// function.
type names struct {
	all, parameters []string
	uses            map[string]int // of each name as a value: a call takes its name off again
	usesZone        bool
	problem         string
}

// isParameters says whether a node is the mapping of all parameters of the source.
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

// addParameter records a parameter that an expression uses.
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
		if name = of.Value; slices.Contains(functions, name) { // it isn't called: a value of the row
			ast.Patch(node, &ast.MemberNode{
				Node: &ast.IdentifierNode{Value: "$env"}, Property: &ast.StringNode{Value: name},
			})
		}
	case *ast.CallNode:
		if called, ok := of.Callee.(*ast.IdentifierNode); ok {
			n.uses[called.Value]--
			n.call(of, called)
		}
	case *ast.VariableDeclaratorNode: // it is visited after all that uses the variable
		n.uses[of.Name] = 0
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
	if n.uses[name]++; name != "" && name != "$env" && !slices.Contains(n.all, name) {
		n.all = append(n.all, name)
	}
}

// places are the names that are neither called nor variables.
func (n *names) places() (all []Path) {
	for _, name := range n.all {
		if n.uses[name] > 0 && name != "parameter" {
			all = append(all, Path{name})
		}
	}
	return all
}

// paths are the row's values that the expression uses.
func (e *expression) paths() []Path {
	if e == nil {
		return nil
	}
	return e.places
}

// expressionFails is the problem of a row whose expression has no result.
const expressionFails = "has a failing expression: " +
	"a value that it uses is missing, or isn't the number or time that it needs"

// run evaluates the expression over a row.
func (e *expression) run(r *Row) (result any, problem string) {
	if r.environment == nil {
		r.environment = make(map[string]any)
	}
	env := r.environment
	clear(env)
	if e.usesZone {
		env[zoneName] = r.Zone
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
	r.note(e.source, err == nil)
	if err != nil {
		return nil, expressionFails // the error's own text may quote the row
	}
	return result, ""
}

// truth evaluates a condition. If it fails, it is false, with a problem.
func (e *expression) truth(r *Row) (yes bool, problem string) {
	result, problem := e.run(r)
	yes, _ = result.(bool)
	return yes, problem
}

// text is the expression's result as a text; nil means missing.
func (e *expression) text(r *Row) (text string, is Form, problem string) {
	result, problem := e.run(r)
	if n, is := result.(float64); is && (math.IsNaN(n) || math.IsInf(n, 0)) || result == nil { // a division by 0
		return "", Missing, problem
	}
	if text, known := textOfValue(result); known {
		return text, formOf(text), ""
	}
	return "", nested, ""
}

// parametersAsValues are the source's parameters in the form for expressions.
func (r *Row) parametersAsValues() map[string]any {
	all := make(map[string]any, len(r.Parameters))
	for name, values := range r.Parameters {
		if all[name] = values; len(values) == 1 && !r.Lists[name] {
			all[name] = values[0]
		}
	}
	return all
}

// value is a value of the row in the form for expressions: JSON numbers are numbers, objects and
// arrays keep their content, other values are texts.
func (r *Row) value(name string) any {
	if name == ForKey && r.Each != nil {
		return r.Each
	}
	if r.columns == nil {
		return r.valueOf(r.Raw(Path{name}))
	}
	if text, is := r.Text(Path{name}); is == Single {
		return text
	}
	return nil
}

func (r *Row) valueOf(raw []byte) any {
	text, is := TextOf(raw)
	switch {
	case is == Missing:
		return nil
	case is == nested:
		return r.nestedValue(raw)
	case strings.IndexByte(wire.NumberStarts, raw[0]) >= 0:
		return numberOf(text)
	}
	if text, is = r.bare(text); is == Missing {
		return nil
	}
	return text
}

// sureDigits is how many digits of a number a float64 always keeps.
const sureDigits = 15

// numberOf is a JSON number in the form for expressions. A number that neither an int nor a float
// represents exactly stays a text: otherwise two ids, or two amounts, could become equal.
func numberOf(text string) any {
	if n, err := strconv.Atoi(text); err == nil {
		return n
	}
	f, err := strconv.ParseFloat(text, 64)
	digits := len(strings.TrimLeft(strings.NewReplacer("-", "", ".", "").Replace(text), "0"))
	plain := text
	if strings.Contains(text, ".") {
		plain = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	if err != nil || digits > sureDigits && strconv.FormatFloat(f, 'f', -1, 64) != plain {
		return text
	}
	return f
}

func (r *Row) nestedValue(raw []byte) any {
	if raw[0] == '[' {
		list := []any{}
		wire.Elements(raw, func(element []byte) { list = append(list, r.valueOf(element)) })
		return list
	}
	object := map[string]any{}
	wire.Members(raw, func(name, value []byte) { object[wire.TextOf(name)] = r.valueOf(value) })
	return object
}
