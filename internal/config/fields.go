package config

import (
	"reflect"
	"slices"
	"strings"
)

// fileSuffix follows the key of a secret whose value is a file's name.
const fileSuffix = "_file"

var (
	secretType    = reflect.TypeFor[Secret]()
	secretMapType = reflect.TypeFor[map[string]Secret]()
)

// field is one key of a struct. A secret has two: x and x_file.
type field struct {
	key    string
	index  []int
	typ    reflect.Type
	isFile bool
}

// fieldsOf lists the keys of a struct type in the order of its fields, those of
// inlined structs included.
func fieldsOf(t reflect.Type) []field {
	var fields []field
	for sf := range t.Fields() {
		name, _, _ := strings.Cut(sf.Tag.Get("yaml"), ",")
		switch {
		case isInline(sf):
			for _, inner := range fieldsOf(sf.Type) {
				inner.index = append(slices.Clone(sf.Index), inner.index...)
				fields = append(fields, inner)
			}
		case name != "" && name != "-" && sf.IsExported():
			fields = append(fields, field{key: name, index: sf.Index, typ: sf.Type})
			if sf.Type == secretType || sf.Type == secretMapType {
				fields = append(fields, field{key: name + fileSuffix, index: sf.Index, typ: sf.Type, isFile: true})
			}
		}
	}
	return fields
}

// isInline reports whether a field is a struct whose keys belong to the outer one.
func isInline(f reflect.StructField) bool {
	return f.Tag.Get("yaml") == ",inline" && f.Type.Kind() == reflect.Struct && f.IsExported()
}

// keyNames lists the keys of fields.
func keyNames(fields []field) []string {
	var names []string
	for _, f := range fields {
		names = append(names, f.key)
	}
	return names
}

// Keys lists the paths of all keys that the type accepts, in the order of its
// fields: "storage.path", "sources[].name", "client_secret", "client_secret_file".
// Elements of lists are written as [], those of maps as [*]. The blocks of
// providers are not included. It is for tests that compare an example file
// with the types.
func Keys(t reflect.Type) []string {
	var keys []string
	below := func(prefix string, t reflect.Type) {
		for _, inner := range Keys(t) {
			keys = append(keys, joinPath(prefix, inner))
		}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return Keys(t.Elem())
	case reflect.Slice:
		below("[]", t.Elem())
	case reflect.Map:
		below("[*]", t.Elem())
	case reflect.Struct:
		if isLeaf(t) {
			return nil
		}
		for _, f := range fieldsOf(t) {
			keys = append(keys, f.key)
			below(f.key, f.typ)
		}
	}
	return keys
}
