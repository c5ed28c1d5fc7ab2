package ringcentral

import (
	"errors"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cdr-exporter/cdr-exporter/collector/wire"
)

// maxPath bounds the path of a field in a problem's text, in bytes.
const maxPath = 64

// rowOptions: text that isn't UTF-8 is repaired; a name that is given twice is a fault,
// because whoever reads it may take either value.
var rowOptions = json.JoinOptions(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(false))

// decodeRow reads a row, which is valid JSON, or says what is wrong with it without
// anything of its content.
func decodeRow(value []byte, into *row) (problem string) {
	*into = row{}
	if value[0] != '{' {
		return "it is no object"
	}
	if err := json.Unmarshal(value, into, rowOptions); err != nil {
		return problemOf(err)
	}
	// Ids are compared by their bytes, so one that had to be repaired could be taken for
	// another.
	if !utf8.Valid(value) && strings.ContainsRune(into.ID, utf8.RuneError) {
		return "id is not UTF-8"
	}
	for i, leg := range into.Legs {
		if leg == nil {
			return pathOf(jsontext.Pointer("/legs").AppendToken(digits(i))) + " is null, must be an object"
		}
	}
	return ""
}

// problemOf words what the decoder says of a row. Its own text may quote the row.
func problemOf(err error) string {
	semantic, ok := errors.AsType[*json.SemanticError](err)
	if !ok {
		if errors.Is(err, jsontext.ErrDuplicateName) {
			return "a member is given twice"
		}
		return "it can't be decoded"
	}
	path := pathOf(semantic.JSONPointer)
	if own, ok := errors.AsType[*fieldError](err); ok {
		return path + " " + own.Error()
	}
	if semantic.GoType == nil {
		return path + " has another type than is documented"
	}
	got, want := "something else", goType(semantic.GoType)
	if semantic.JSONKind != 0 {
		got = wire.TypeOf(byte(semantic.JSONKind))
	}
	if got == "a number" && want == "a whole number" {
		return path + " is not a whole number of 64 bits"
	}
	return path + " is " + got + ", must be " + want
}

// pathOf writes where a field is: only names that the mapping knows, and positions, get
// here, since nothing else is decoded.
func pathOf(pointer jsontext.Pointer) string {
	var parts []string
	for token := range pointer.Tokens() {
		parts = append(parts, token)
	}
	path := strings.Join(parts, ".")
	if path == "" {
		return "it"
	}
	return path[:min(len(path), maxPath)]
}

func goType(t reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Int64:
		return "a whole number"
	case reflect.Bool:
		return "a boolean"
	case reflect.Slice:
		return "an array"
	}
	return "an object"
}
