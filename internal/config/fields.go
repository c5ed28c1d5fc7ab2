package config

import (
	"encoding"
	"reflect"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// fileSuffix is what is put behind the key of a secret to name a file instead.
const fileSuffix = "_file"

var (
	secretType    = reflect.TypeFor[Secret]()
	secretMapType = reflect.TypeFor[map[string]Secret]()
	fileType      = reflect.TypeFor[File]()
	pathType      = reflect.TypeFor[Path]()
	durationType  = reflect.TypeFor[time.Duration]()
	nodeType      = reflect.TypeFor[yaml.Node]()
	sourceType    = reflect.TypeFor[Source]()
	textType      = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// field is one key of a struct.
type field struct {
	key   string
	index []int
	typ   reflect.Type
}

// takesFile reports whether the field may also be given as key_file.
func (f field) takesFile() bool { return f.typ == secretType || f.typ == secretMapType }

// fieldsOf lists the keys of a struct type in the order of its fields, those of
// inlined structs included.
func fieldsOf(t reflect.Type) []field {
	var fields []field
	for sf := range t.Fields() {
		tag, tagged := sf.Tag.Lookup("yaml")
		name, _, _ := strings.Cut(tag, ",")
		switch {
		case isInline(sf):
			for _, inner := range fieldsOf(sf.Type) {
				inner.index = append(slices.Clone(sf.Index), inner.index...)
				fields = append(fields, inner)
			}
		case tagged && name != "" && name != "-" && sf.IsExported():
			fields = append(fields, field{key: name, index: sf.Index, typ: sf.Type})
		}
	}
	return fields
}

// isInline reports whether a field is a struct whose keys belong to the outer one.
func isInline(f reflect.StructField) bool {
	return f.Tag.Get("yaml") == ",inline" && f.Type.Kind() == reflect.Struct && f.IsExported()
}

// isLeaf reports whether a struct type is a single value rather than a mapping.
func isLeaf(t reflect.Type) bool {
	return t == secretType || t == nodeType || reflect.PointerTo(t).Implements(textType)
}

// keyNames lists the keys that a mapping for the type accepts.
func keyNames(fields []field) []string {
	var names []string
	for _, f := range fields {
		names = append(names, f.key)
		if f.takesFile() {
			names = append(names, f.key+fileSuffix)
		}
	}
	return names
}

// Keys lists the paths of all keys that the type accepts, in the order of its
// fields: "storage.path", "sources[].name", "client_secret", "client_secret_file".
// Elements of lists are written as [], those of maps as [*]. The blocks of
// providers are not included. It is meant for tests that compare an example file
// with the types.
func Keys(t reflect.Type) []string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	var keys []string
	switch {
	case t.Kind() == reflect.Struct && !isLeaf(t):
		for _, f := range fieldsOf(t) {
			keys = append(keys, f.key)
			if f.takesFile() {
				keys = append(keys, f.key+fileSuffix)
			}
			for _, inner := range Keys(f.typ) {
				keys = append(keys, joinPath(f.key, inner))
			}
		}
	case t.Kind() == reflect.Slice:
		for _, inner := range Keys(t.Elem()) {
			keys = append(keys, joinPath("[]", inner))
		}
	case t.Kind() == reflect.Map:
		for _, inner := range Keys(t.Elem()) {
			keys = append(keys, joinPath("[*]", inner))
		}
	}
	return keys
}
