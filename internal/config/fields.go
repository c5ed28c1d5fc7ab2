package config

import (
	"reflect"
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
	ask    string // the tag of that name; see Setting
}

// fieldsOf lists the keys of a struct type in the order of its fields, those of embedded structs included.
func fieldsOf(t reflect.Type) (fields []field) {
	for _, sf := range reflect.VisibleFields(t) {
		key, _, _ := strings.Cut(sf.Tag.Get("yaml"), ",")
		if key == "" {
			continue
		}
		fields = append(fields, field{key: key, index: sf.Index, typ: sf.Type, ask: sf.Tag.Get("ask")})
		if sf.Type == secretType || sf.Type == secretMapType {
			fields = append(fields, field{key: key + fileSuffix, index: sf.Index, typ: sf.Type, isFile: true, ask: sf.Tag.Get("ask")})
		}
	}
	return fields
}

// Keys lists the paths of all keys that the type accepts, in the order of its fields: "storage.path", "sources[].name",
// "client_secret", "client_secret_file". Elements of lists are written as [], those of maps as [*]. The blocks of providers are not
// included. It is for tests that compare documentation with the types.
func Keys(t reflect.Type) (keys []string) {
	below := func(prefix string, t reflect.Type) {
		for _, inner := range Keys(t) {
			keys = append(keys, joinPath(prefix, inner))
		}
	}
	switch {
	case t.Kind() == reflect.Pointer:
		return Keys(t.Elem())
	case isLeaf(t):
	case t.Kind() == reflect.Slice:
		below("[]", t.Elem())
	case t.Kind() == reflect.Map:
		below("[*]", t.Elem())
	default:
		for _, f := range fieldsOf(t) {
			keys = append(keys, f.key)
			below(f.key, f.typ)
		}
	}
	return keys
}
