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
	isFile bool
}

// fieldsOf lists the keys of a struct type in the order of its fields, those of embedded structs included.
func fieldsOf(t reflect.Type) (fields []field) {
	for _, sf := range reflect.VisibleFields(t) {
		key, _, _ := strings.Cut(sf.Tag.Get("yaml"), ",")
		if key == "" {
			continue
		}
		fields = append(fields, field{key: key, index: sf.Index})
		if sf.Type == secretType || sf.Type == secretMapType {
			fields = append(fields, field{key: key + fileSuffix, index: sf.Index, isFile: true})
		}
	}
	return fields
}
