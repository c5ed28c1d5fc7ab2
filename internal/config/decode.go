package config

import (
	"encoding"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"

	"gopkg.in/yaml.v3"
)

// maxNodes bounds how many values are decoded, aliases followed, so that a small
// file of aliases to aliases can't keep the decoder busy.
const maxNodes = 100_000

// decoder decodes the nodes of one file and collects what is wrong with them.
type decoder struct {
	file      string
	dir       string
	lookupEnv func(string) (string, bool)
	providers []Provider

	problems Problems
	lines    map[string]int  // by path, of everything in the file
	broken   map[string]bool // paths that couldn't be decoded
	files    []fileRef
	nodes    int
}

// place is where a value stands: its path and the line of its key, or of the element
// of a list. Within x_file, key is the path within x.
type place struct {
	path, key string
	line      int
}

// isFile reports whether the value names the file of a secret.
func (at place) isFile() bool { return at.path != at.key }

// child is a place below.
func (at place) child(segment string, line int) place {
	return place{joinPath(at.path, segment), joinPath(at.key, segment), line}
}

// report adds a problem.
func (d *decoder) report(line int, path, message string) {
	d.problems = append(d.problems, Problem{File: d.file, Line: line, Path: path, Message: message})
}

// fail adds a problem with the value at a place itself.
func (d *decoder) fail(at place, format string, args ...any) {
	d.broken[at.path], d.broken[at.key] = true, true
	d.report(at.line, at.path, fmt.Sprintf(format, args...))
}

// isBroken reports whether the value at a path, or one around it, couldn't be decoded.
func (d *decoder) isBroken(path string) bool {
	for ok := true; ok; path, ok = parentPath(path) {
		if d.broken[path] {
			return true
		}
	}
	return false
}

// lineOf returns the line of a path, or of the nearest one around it.
func (d *decoder) lineOf(path string) int {
	for ok := true; ok; path, ok = parentPath(path) {
		if line, known := d.lines[path]; known {
			return line
		}
	}
	return 1
}

// enter remembers that a place is in the file, counts its node and follows an alias. It returns nil when there are too many nodes.
func (d *decoder) enter(n *yaml.Node, at place) *yaml.Node {
	for _, path := range []string{at.path, at.key} {
		if _, known := d.lines[path]; !known {
			d.lines[path] = at.line
		}
	}
	return d.follow(n, at)
}

func (d *decoder) follow(n *yaml.Node, at place) *yaml.Node {
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

// decode decodes a node into a value that can be set.
func (d *decoder) decode(v reflect.Value, n *yaml.Node, at place) {
	if n = d.enter(n, at); n == nil {
		return
	}
	if v.Kind() == reflect.Pointer {
		// It is set even if its value turns out to be wrong: the key is there.
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
		d.setDefaults(v)
	}
	switch {
	case isLeaf(v.Type()):
		d.decodeScalar(v, n, at)
	case v.Kind() == reflect.Slice:
		d.decodeSlice(v, n, at)
	case v.Kind() == reflect.Struct && d.isMapping(n, at, "keys"):
		d.decodeStruct(v, n, at)
	case v.Kind() == reflect.Map && d.isMapping(n, at, "names"):
		d.decodeMap(v, n, at)
	}
}

// isMapping reports whether a node is a mapping. A null leaves the defaults.
func (d *decoder) isMapping(n *yaml.Node, at place, what string) bool {
	if n.Kind != yaml.MappingNode && !isNull(n) {
		d.fail(at, "must be a mapping of %s to values, is %s", what, describe(n))
	}
	return n.Kind == yaml.MappingNode
}

// decodeSlice decodes a sequence; it replaces a default.
func (d *decoder) decodeSlice(v reflect.Value, n *yaml.Node, at place) {
	if n.Kind != yaml.SequenceNode {
		d.fail(at, "must be a list, is %s; write [] for none", describe(n))
		return
	}
	list := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, item := range n.Content {
		d.setDefaults(list.Index(i))
		d.decode(list.Index(i), item, at.child(indexed("", i), item.Line))
	}
	v.Set(list)
}

// decodeMap decodes a mapping with keys of the user's choice; it replaces a default. A
// map of secrets takes those of x and of x_file.
func (d *decoder) decodeMap(v reflect.Value, n *yaml.Node, at place) {
	if v.IsNil() || v.Type() != secretMapType {
		v.Set(reflect.MakeMap(v.Type()))
	}
	for _, p := range d.pairs(n, at) {
		key := reflect.ValueOf(p.key)
		value := reflect.New(v.Type().Elem()).Elem()
		d.setDefaults(value)
		if earlier := v.MapIndex(key); earlier.IsValid() {
			value.Set(earlier)
		}
		d.decode(value, p.value, p.at)
		v.SetMapIndex(key, value)
	}
}

// decodeStruct decodes a mapping with fixed keys.
func (d *decoder) decodeStruct(v reflect.Value, n *yaml.Node, at place) {
	fields := fieldsOf(v.Type())
	for _, p := range d.pairs(n, at) {
		if !d.decodeField(v, fields, p) && !d.decodeBlock(v, p) {
			d.enter(p.value, p.at)
			known := keyNames(fields)
			if v.Type() == sourceType {
				known = append(known, d.providerNames()...)
			}
			d.fail(p.at, "%s", unknownKey(p.key, known))
		}
	}
}

// decodeField decodes a value into the field that has its key.
func (d *decoder) decodeField(v reflect.Value, fields []field, p pair) bool {
	for _, f := range fields {
		if f.key == p.key {
			if f.isFile {
				p.at.key = p.at.key[:len(p.at.key)-len(fileSuffix)]
			}
			d.decode(v.FieldByIndex(f.index), p.value, p.at)
			return true
		}
	}
	return false
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
		if f.typ == fileType || f.typ == pathType {
			field := v.FieldByIndex(f.index)
			field.SetString(d.resolve(field.String()))
		}
	}
}

// resolve makes a path absolute, starting at the folder of the configuration file.
func (d *decoder) resolve(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(d.dir, path)
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
	for _, f := range fieldsOf(v.Type()) {
		if !f.isFile {
			d.validate(v.FieldByIndex(f.index), joinPath(path, f.key))
		}
	}
	for i := range v.NumField() {
		// Not left to promotion: an outer Validate would hide the inner one.
		if isInline(v.Type().Field(i)) {
			d.validate(v.Field(i), path)
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
