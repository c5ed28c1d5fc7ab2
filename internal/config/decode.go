package config

import (
	"encoding"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// decoder decodes the nodes of one file and collects its problems. yaml.v3 decodes scalars and
// follows merge keys (<<). It can't report the path of a problem, nor accept x_file for x, so the
// decoder walks mappings and lists itself.
type decoder struct {
	Options

	file, dir string
	foreign   bool // see UnmarshalNode

	problems Problems
	lines    map[string]int  // lines of all keys and elements, by path
	broken   map[string]bool // paths of values that couldn't be decoded
	rules    *Rules          // collects the validators' rules; nil while a file is decoded
}

// place is the position of a value: its path, and the line of its key or list element. File: it is
// the value of x_file and names a file.
type place struct {
	path string
	line int
	file bool
}

func (at place) child(segment string, line int) place {
	return place{joinPath(at.path, segment), line, at.file}
}

func (d *decoder) report(line int, path, message string) {
	d.problems = append(d.problems, Problem{File: d.file, Line: line, Path: path, Message: message})
}

// fail reports the value itself, and drops Validate's problems with it.
func (d *decoder) fail(at place, format string, args ...any) {
	d.broken[at.path] = true
	d.report(at.line, at.path, fmt.Sprintf(format, args...))
}

// outward are a path and its ancestors; the whole file (an empty path) comes last.
func outward(path string) []string {
	all := []string{path}
	for path != "" {
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
		all = append(all, path)
	}
	return all
}

// isBroken reports whether the value at a path, or an ancestor, couldn't be decoded.
func (d *decoder) isBroken(path string) bool {
	return slices.ContainsFunc(outward(path), func(outer string) bool { return d.broken[outer] })
}

// lineOf returns the line of a path, or of its nearest ancestor; 0 without lines.
func (d *decoder) lineOf(path string) int {
	for _, outer := range outward(path) {
		if line := d.lines[outer]; line > 0 {
			return line
		}
	}
	return 0
}

// decode decodes a node into a settable value. A bare key keeps the defaults of a mapping.
func (d *decoder) decode(v reflect.Value, n *yaml.Node, at place) {
	d.lines[at.path] = at.line
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	optional := v.Kind() == reflect.Pointer
	if optional {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
		setDefaults(v)
	}
	forms, hasForms := reflect.TypeAssert[NodeDecoder](v.Addr())
	switch {
	case hasForms:
		forms.DecodeNode(d.node(n, at))
	case isLeaf(v.Type()):
		d.decodeScalar(v, n, at)
	case v.Kind() == reflect.Slice:
		d.decodeSlice(v, n, at)
	case optional && n.ShortTag() == "!!bool":
		d.fail(at, "must be a mapping of keys to values, is true or false; write `%s:`, without a value, for "+
			"the defaults, or remove it",
			at.path[strings.LastIndex(at.path, ".")+1:])
	case n.Kind != yaml.MappingNode && !isNull(n):
		d.fail(at, "must be a mapping of keys to values, is %s", describe(n))
	case v.Kind() == reflect.Struct:
		d.decodeStruct(v, n, at)
	default:
		d.decodeMap(v, n, at)
	}
}

// decodeSlice replaces the default.
func (d *decoder) decodeSlice(v reflect.Value, n *yaml.Node, at place) {
	if n.Kind != yaml.SequenceNode {
		d.fail(at, "must be a list, is %s; write [] for none", describe(n))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		setDefaults(v.Index(i))
		d.decode(v.Index(i), item, at.child(indexed("", i), item.Line))
	}
}

// decodeMap adds to the map, which x and x_file may share.
func (d *decoder) decodeMap(v reflect.Value, n *yaml.Node, at place) {
	if v.IsNil() {
		v.Set(reflect.MakeMap(v.Type()))
	}
	for _, e := range d.entries(n, at) {
		key, value := reflect.ValueOf(e.key), reflect.New(v.Type().Elem()).Elem()
		setDefaults(value)
		if earlier := v.MapIndex(key); earlier.IsValid() {
			value.Set(earlier)
		}
		d.decode(value, &e.value, e.at)
		v.SetMapIndex(key, value)
	}
}

func (d *decoder) decodeStruct(v reflect.Value, n *yaml.Node, at place) {
	fields := KeysOf(v.Type())
	for _, e := range d.entries(n, at) {
		i := slices.IndexFunc(fields, func(f Setting) bool { return f.Key == e.key })
		source, isSource := reflect.TypeAssert[*Source](v.Addr())
		switch {
		case i >= 0 && fields[i].Secret:
			d.decodeFile(v.FieldByIndex(fields[i].index), &e.value, e.at)
		case i >= 0:
			d.decode(v.FieldByIndex(fields[i].index), &e.value, e.at)
		case isSource && d.decodeBlock(source, &e):
		default:
			var known []string
			for _, f := range fields {
				known = append(known, f.Key)
			}
			if isSource {
				known = slices.AppendSeq(known, maps.Keys(d.Providers))
			}
			d.fail(e.at, "unknown key; the keys here are %s", strings.Join(slices.Sorted(slices.Values(known)), ", "))
		}
	}
	d.validate(v, at.path)
}

// decodeFile decodes the value of x_file, the name of a file with a secret. It counts as x too, see
// Report.Given.
func (d *decoder) decodeFile(v reflect.Value, n *yaml.Node, at place) {
	d.lines[strings.TrimSuffix(at.path, fileSuffix)] = at.line
	at.file = true
	d.decode(v, n, at)
}

type entry struct {
	key   string
	at    place
	value yaml.Node
}

// entries lists the keys of a mapping in the order of the file, those of merge keys included.
func (d *decoder) entries(n *yaml.Node, at place) (all []entry) {
	lines := map[string]int{}
	once := yaml.Node{Kind: n.Kind, Tag: n.Tag, Line: n.Line}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if first, repeated := lines[key.Value]; repeated && key.Kind == yaml.ScalarNode {
			d.report(key.Line, KeyPath(at.path, key.Value),
				fmt.Sprintf("is repeated; it is already on line %d; keep one", first))
			continue
		}
		if key.ShortTag() == "!!null" { // yaml leaves it out
			d.report(key.Line, at.path,
				fmt.Sprintf("has the key %q, which YAML reads as no value; put it in quotes", key.Value))
		}
		lines[key.Value] = key.Line
		once.Content = append(once.Content, key, n.Content[i+1])
	}
	var values map[string]yaml.Node
	switch err := once.Decode(&values); {
	case errors.As(err, new(*yaml.TypeError)):
		d.fail(at, "has a key that isn't plain text")
	case err != nil:
		d.fail(at, "%s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		line, own := lines[key]
		if !own {
			line = values[key].Line
		}
		all = append(all, entry{key, at.child(segment(key), line), values[key]})
	}
	slices.SortStableFunc(all, func(a, b entry) int { return a.at.line - b.at.line })
	return all
}

func setDefaults(v reflect.Value) {
	if defaulter, ok := reflect.TypeAssert[Defaulter](v.Addr()); ok {
		defaulter.SetDefaults()
	}
}

// validate applies the rules of a struct, those of structs embedded in it first.
func (d *decoder) validate(v reflect.Value, path string) {
	for sf, inner := range v.Fields() {
		if sf.Anonymous {
			d.validate(inner, path)
		}
	}
	if validator, ok := reflect.TypeAssert[Validator](v.Addr()); ok {
		validator.Validate(&Report{decoder: d, path: path})
	}
}

// isLeaf reports whether a type is read from a scalar.
func isLeaf(t reflect.Type) bool {
	if reflect.PointerTo(t).Implements(reflect.TypeFor[NodeDecoder]()) {
		return true // it reads its keys itself
	}
	composite := slices.Contains([]reflect.Kind{reflect.Struct, reflect.Slice, reflect.Map, reflect.Pointer}, t.Kind())
	return !composite || t == secretType || reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}
