package simulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
)

// Object is a JSON object that is written member by member, in order. Rows are rendered for each
// request, and encoding/json takes several times as long. Nil is an empty object.
type Object []byte

// NewObject makes an object of pairs of a name and a value.
func NewObject(pairs ...any) Object {
	o := make(Object, 0, 64*len(pairs)/2)
	o.Set(pairs...)
	return o
}

// Set adds pairs of a name and a value. A name must be plain ASCII; Set doesn't check for repeated
// names.
func (o *Object) Set(pairs ...any) {
	for i := 0; i < len(pairs); i += 2 {
		separator := byte(',')
		if len(*o) == 0 {
			separator = '{'
		}
		*o = append(append(append(*o, separator, '"'), pairs[i].(string)...), '"', ':')
		*o = appendJSON(*o, pairs[i+1])
	}
}

// SetKnown is Set without nil, empty texts and nil objects.
func (o *Object) SetKnown(pairs ...any) {
	for i := 0; i < len(pairs); i += 2 {
		object, ok := pairs[i+1].(Object)
		if value := pairs[i+1]; value != nil && value != "" && (!ok || object != nil) {
			o.Set(pairs[i], value)
		}
	}
}

// OrNull is null for an empty text.
func OrNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// JSON encodes a value that always has a JSON form, without escapes for HTML.
func JSON(v any) []byte { return appendJSON(nil, v) }

func appendJSON(dst []byte, value any) []byte {
	switch v := value.(type) {
	case nil:
		return append(dst, "null"...)
	case string:
		return appendText(dst, v)
	case int:
		return strconv.AppendInt(dst, int64(v), 10)
	case json.Number:
		return append(dst, v...)
	case json.RawMessage:
		return append(dst, v...)
	case Object:
		if len(v) == 0 {
			dst = append(dst, '{')
		}
		return append(append(dst, v...), '}')
	case []any:
		return appendList(dst, v)
	case []Object:
		return appendList(dst, v)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		panic(fmt.Sprintf("simulated provider: %v", err))
	}
	return append(dst, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
}

func appendList[T any](dst []byte, list []T) []byte {
	dst = append(dst, '[')
	for i, v := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendJSON(dst, v)
	}
	return append(dst, ']')
}

// appendText appends a string; few need an escape.
func appendText(dst []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(text) // a string always has a JSON form
			return append(dst, quoted...)
		}
	}
	return append(append(append(dst, '"'), text...), '"')
}
