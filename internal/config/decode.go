package config

import (
	"encoding"
	"fmt"
	"path/filepath"
	"reflect"

	"gopkg.in/yaml.v3"
)

// maxNodes bounds how many values are decoded, aliases followed, so that a small
// file of aliases to aliases cannot keep the decoder busy.
const maxNodes = 100_000

// decoder decodes the nodes of one file and collects what is wrong with them.
type decoder struct {
	file      string
	dir       string
	lookupEnv func(string) (string, bool)
	providers []Provider

	problems Problems
	// lines holds the line of every path that is in the file.
	lines map[string]int
	// broken holds the paths that could not be decoded.
	broken map[string]bool
	files  []FileRef
	nodes  int
}

// place is where a value stands: the path of its key and the line of the key, or of
// the element of a list.
type place struct {
	path string
	line int
}

// report adds a problem.
func (d *decoder) report(line int, path, message string) {
	d.problems = append(d.problems, Problem{File: d.file, Line: line, Path: path, Message: message})
}

// fail adds a problem with the value at a place itself.
func (d *decoder) fail(at place, format string, args ...any) {
	d.broken[at.path] = true
	d.report(at.line, at.path, fmt.Sprintf(format, args...))
}

// isBroken reports whether the value at a path, or one that it is part of, could
// not be decoded.
func (d *decoder) isBroken(path string) bool {
	for ok := true; ok; path, ok = parentPath(path) {
		if d.broken[path] {
			return true
		}
	}
	return false
}

// lineOf returns the line of a path, or of the nearest one around it that is in the
// file.
func (d *decoder) lineOf(path string) int {
	for ok := true; ok; path, ok = parentPath(path) {
		if line, known := d.lines[path]; known {
			return line
		}
	}
	return 1
}

// mark remembers that a path is in the file.
func (d *decoder) mark(at place) {
	if _, known := d.lines[at.path]; !known {
		d.lines[at.path] = at.line
	}
}

// follow counts a node and resolves it if it is an alias. It returns nil when the
// file has too many of them.
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
	d.mark(at)
	if n = d.follow(n, at); n == nil {
		return
	}
	t := v.Type()
	switch {
	case t == nodeType:
		v.Set(reflect.ValueOf(*n))
	case t == fileType || t == pathType:
		d.decodeFile(v, n, at)
	case t == secretType:
		d.decodeSecret(v, n, at, false)
	case reflect.PointerTo(t).Implements(textType):
		d.decodeText(v.Addr().Interface().(encoding.TextUnmarshaler), n, at)
	case t == durationType:
		d.decodeDuration(v, n, at)
	default:
		d.decodeKind(v, n, at)
	}
}

// decodeKind decodes a node into a value without a meaning of its own.
func (d *decoder) decodeKind(v reflect.Value, n *yaml.Node, at place) {
	switch v.Kind() {
	case reflect.Pointer:
		// It is set even if its value turns out to be wrong: the key is there.
		v.Set(reflect.New(v.Type().Elem()))
		d.setDefaults(v.Elem())
		d.decodeKind(v.Elem(), n, at)
	case reflect.Struct:
		d.decodeStruct(v, n, at)
	case reflect.Slice:
		d.decodeSlice(v, n, at)
	case reflect.Map:
		d.decodeMap(v, n, at)
	default:
		d.decodeScalar(v, n, at)
	}
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
		d.decode(list.Index(i), item, place{indexed(at.path, i), item.Line})
	}
	v.Set(list)
}

// decodeMap decodes a mapping with keys of the user's choice; it replaces a default.
func (d *decoder) decodeMap(v reflect.Value, n *yaml.Node, at place) {
	if isNull(n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		d.fail(at, "must be a mapping of names to values, is %s", describe(n))
		return
	}
	m := reflect.MakeMap(v.Type())
	for _, p := range d.pairs(n, at) {
		value := reflect.New(v.Type().Elem()).Elem()
		d.setDefaults(value)
		d.decode(value, p.value, p.at)
		m.SetMapIndex(reflect.ValueOf(p.key).Convert(v.Type().Key()), value)
	}
	v.Set(m)
}

// decodeStruct decodes a mapping with fixed keys. A null leaves the defaults.
func (d *decoder) decodeStruct(v reflect.Value, n *yaml.Node, at place) {
	if isNull(n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		d.fail(at, "must be a mapping of keys to values, is %s", describe(n))
		return
	}
	fields := fieldsOf(v.Type())
	for _, p := range d.pairs(n, at) {
		if !d.decodeField(v, fields, p) && !d.decodeBlock(v, p) {
			d.mark(p.at)
			d.fail(p.at, "%s", unknownKey(p.key, append(keyNames(fields), d.blockNames(v.Type())...)))
		}
	}
}

// decodeField decodes a value into the field that has its key.
func (d *decoder) decodeField(v reflect.Value, fields []field, p pair) bool {
	for _, f := range fields {
		switch target := v.FieldByIndex(f.index); {
		case f.key == p.key && f.typ == secretMapType:
			d.decodeSecretMap(target, p, p.at.path, false)
			return true
		case f.key == p.key:
			d.decode(target, p.value, p.at)
			return true
		case f.takesFile() && f.key+fileSuffix == p.key:
			d.decodeSecretFile(target, p)
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
	fields := fieldsOf(v.Type())
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.IsExported() {
			d.setDefaults(v.Field(i))
		}
	}
	if defaulter, ok := reflect.TypeAssert[Defaulter](v.Addr()); ok {
		defaulter.SetDefaults()
	}
	for _, f := range fields {
		if f.typ == fileType || f.typ == pathType {
			field := v.FieldByIndex(f.index)
			field.SetString(d.resolve(field.String()))
		}
	}
}

// resolve makes a path absolute, starting at the folder of the configuration file.
// An empty one stays empty.
func (d *decoder) resolve(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(d.dir, path)
}

// validate applies the rules of a decoded value, those of its parts first.
func (d *decoder) validate(v reflect.Value, path string) {
	if d.nodes >= maxNodes {
		// Half of the file is not decoded, so rules about it would mislead.
		return
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
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			// Values of maps cannot be addressed, which a Validator needs.
			value := reflect.New(it.Value().Type()).Elem()
			value.Set(it.Value())
			d.validate(value, joinPath(path, segment(it.Key().String())))
		}
	case reflect.Struct:
		if isLeaf(v.Type()) {
			return
		}
		for _, f := range fieldsOf(v.Type()) {
			d.validate(v.FieldByIndex(f.index), joinPath(path, f.key))
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
}
