package config

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// maxNodes bounds how many values are decoded, aliases followed, so that a small file of aliases to aliases can't keep the decoder busy.
const maxNodes = 100_000

// decoder decodes the nodes of one file and collects its problems.
type decoder struct {
	file, dir string
	lookupEnv func(string) (string, bool)
	providers []Provider

	problems Problems
	lines    map[string]int  // of all keys and elements in the file, by path
	broken   map[string]bool // paths of values that couldn't be decoded
	files    []fileRef
	nodes    int
}

// place is where a value stands: its path, and the line of its key or list element. Within x_file, key is the path within x.
type place struct {
	path, key string
	line      int
}

func (at place) isFile() bool { return at.path != at.key }

func (at place) child(segment string, line int) place {
	return place{joinPath(at.path, segment), joinPath(at.key, segment), line}
}

func (d *decoder) report(line int, path, message string) {
	d.problems = append(d.problems, Problem{File: d.file, Line: line, Path: path, Message: message})
}

// fail reports the value itself: Validate's problems with it are dropped.
func (d *decoder) fail(at place, format string, args ...any) {
	d.broken[at.path], d.broken[at.key] = true, true
	d.report(at.line, at.path, fmt.Sprintf(format, args...))
}

// isBroken reports whether the value at a path, or one around it, couldn't be decoded.
func (d *decoder) isBroken(path string) bool {
	for outer := range d.broken {
		if isWithin(path, outer) {
			return true
		}
	}
	return false
}

// lineOf returns the line of a path, or of the nearest one around it.
func (d *decoder) lineOf(path string) int {
	nearest := ""
	for outer := range d.lines {
		if len(outer) > len(nearest) && isWithin(path, outer) {
			nearest = outer
		}
	}
	return d.lines[nearest]
}

// enter records the line of a place and follows an alias. It returns nil after too many nodes.
func (d *decoder) enter(n *yaml.Node, at place) *yaml.Node {
	for _, path := range []string{at.path, at.key} {
		if _, known := d.lines[path]; !known {
			d.lines[path] = at.line
		}
	}
	if d.nodes++; d.nodes == maxNodes {
		d.fail(at, "the file holds more than %d values, aliases followed; use fewer of them", maxNodes)
	}
	if d.nodes >= maxNodes {
		return nil
	}
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// decode decodes a node into a value that can be set. A bare key leaves the defaults of a mapping.
func (d *decoder) decode(v reflect.Value, n *yaml.Node, at place) {
	if n = d.enter(n, at); n == nil {
		return
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
		d.setDefaults(v)
	}
	switch {
	case isLeaf(v.Type()):
		d.decodeScalar(v, n, at)
	case v.Kind() == reflect.Slice:
		d.decodeSlice(v, n, at)
	case n.Kind != yaml.MappingNode && !isNull(n):
		what := "keys"
		if v.Kind() == reflect.Map {
			what = "names"
		}
		d.fail(at, "must be a mapping of %s to values, is %s", what, describe(n))
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
		d.setDefaults(v.Index(i))
		d.decode(v.Index(i), item, at.child(indexed("", i), item.Line))
	}
}

// decodeMap replaces the default; a map of secrets is filled from x and x_file.
func (d *decoder) decodeMap(v reflect.Value, n *yaml.Node, at place) {
	if v.IsNil() || v.Type() != secretMapType {
		v.Set(reflect.MakeMap(v.Type()))
	}
	for _, p := range d.pairs(n, at) {
		key, value := reflect.ValueOf(p.key), reflect.New(v.Type().Elem()).Elem()
		d.setDefaults(value)
		if earlier := v.MapIndex(key); earlier.IsValid() {
			value.Set(earlier)
		}
		d.decode(value, p.value, p.at)
		v.SetMapIndex(key, value)
	}
}

func (d *decoder) decodeStruct(v reflect.Value, n *yaml.Node, at place) {
	fields := fieldsOf(v.Type())
	for _, p := range d.pairs(n, at) {
		if i := slices.IndexFunc(fields, func(f field) bool { return f.key == p.key }); i >= 0 {
			if fields[i].isFile {
				p.at.key = strings.TrimSuffix(p.at.key, fileSuffix)
			}
			d.decode(v.FieldByIndex(fields[i].index), p.value, p.at)
			continue
		}
		known := keyNames(fields)
		if source, ok := reflect.TypeAssert[*Source](v.Addr()); ok {
			if d.decodeBlock(source, p) {
				continue
			}
			known = append(known, d.providerNames()...)
		}
		d.enter(p.value, p.at)
		d.fail(p.at, "%s", unknownKey(p.key, known))
	}
}

// pair is a key of a mapping with its value.
type pair struct {
	key   string
	at    place
	value *yaml.Node
}

// pairs lists the keys of a mapping in the order of the file, each once. Keys that a merge key (<<) brings in come last and give way to
// the mapping's own.
func (d *decoder) pairs(n *yaml.Node, at place) []pair {
	var own, merged []pair
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		line, value := n.Content[i].Line, n.Content[i+1]
		k := d.enter(n.Content[i], place{at.path, at.key, line})
		if k == nil {
			return nil
		}
		if k.Kind != yaml.ScalarNode {
			d.report(line, at.path, "a key must be plain text, is "+describe(k))
			continue
		}
		p := pair{k.Value, at.child(segment(k.Value), line), value}
		if earlier, repeated := first[p.key]; repeated {
			d.report(line, p.at.path, fmt.Sprintf("is repeated, it is already given on line %d; keep one", earlier))
			continue
		}
		first[p.key] = line
		if k.ShortTag() == "!!merge" {
			merged = append(merged, d.mergedPairs(value, place{at.path, at.key, line})...)
		} else {
			own = append(own, p)
		}
	}
	for _, p := range merged {
		if _, given := first[p.key]; !given {
			first[p.key] = p.at.line
			own = append(own, p)
		}
	}
	return own
}

// mergedPairs lists the keys of a mapping, or of a list of mappings of which the earlier ones win.
func (d *decoder) mergedPairs(n *yaml.Node, at place) (all []pair) {
	if n = d.enter(n, at); n == nil {
		return nil
	}
	switch n.Kind {
	case yaml.MappingNode:
		return d.pairs(n, at)
	case yaml.SequenceNode:
		for _, item := range n.Content {
			all = append(all, d.mergedPairs(item, at)...)
		}
	default:
		d.report(at.line, at.path, "<< must be followed by a mapping or a list of mappings, is followed by "+describe(n))
	}
	return all
}

// setDefaults gives a fresh value its defaults, those of inner structs first.
func (d *decoder) setDefaults(v reflect.Value) {
	if v.Kind() != reflect.Struct || isLeaf(v.Type()) {
		return
	}
	for i := range v.NumField() {
		if v.Type().Field(i).IsExported() {
			d.setDefaults(v.Field(i))
		}
	}
	if defaulter, ok := reflect.TypeAssert[Defaulter](v.Addr()); ok {
		defaulter.SetDefaults()
	}
	for _, f := range fieldsOf(v.Type()) {
		if path, ok := reflect.TypeAssert[*Path](v.FieldByIndex(f.index).Addr()); ok {
			*path = Path(d.resolve(string(*path)))
		}
	}
}

// validate applies the rules of a decoded value, those of its parts first.
func (d *decoder) validate(v reflect.Value, path string) {
	if d.nodes >= maxNodes {
		return // half of the file is not decoded, so rules about it would mislead
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			d.validate(v.Elem(), path)
		}
	case reflect.Slice:
		for i := range v.Len() {
			d.validate(v.Index(i), indexed(path, i))
		}
	case reflect.Struct:
		if !isLeaf(v.Type()) {
			d.validateStruct(v, path)
		}
	}
}

func (d *decoder) validateStruct(v reflect.Value, path string) {
	for sf, inner := range v.Fields() {
		if key, _, _ := strings.Cut(sf.Tag.Get("yaml"), ","); key != "" || isInline(sf) {
			d.validate(inner, joinPath(path, key))
		}
	}
	if validator, ok := reflect.TypeAssert[Validator](v.Addr()); ok {
		validator.Validate(&Report{decoder: d, path: path, typ: v.Type()})
	}
}

// isLeaf reports whether a type is read from a scalar.
func isLeaf(t reflect.Type) bool {
	composite := slices.Contains([]reflect.Kind{reflect.Struct, reflect.Slice, reflect.Map, reflect.Pointer}, t.Kind())
	return !composite || t == secretType || reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}
