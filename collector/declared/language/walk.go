package language

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// Text is a text of a definition that may name parameters. Its field in a struct has the tag text:
// secret if the text may name secrets too, otherwise plain.
type Text struct {
	Text    string
	Secrets bool
}

// ParametersIn are the parameters that a text names.
func ParametersIn(text string) (names []string) {
	for _, found := range ParameterIn.FindAllStringSubmatch(text, -1) {
		names = append(names, found[1])
	}
	return names
}

// Walked is a part of a definition whose keys aren't the fields of its struct.
type Walked interface {
	// Walk visits the part's texts, or returns another part that has its keys.
	Walk(path string, visit func(key string, found any)) (other any)
}

// Walk visits each *Value, *Condition and Text below a part of a definition, a pointer, with its key.
func Walk(part any, path string, visit func(key string, found any)) {
	walk(reflect.ValueOf(part).Elem(), path, "", visit)
}

func walk(v reflect.Value, path, text string, visit func(key string, found any)) {
	switch of := v.Addr().Interface().(type) {
	case *Value:
		if of.IsSet() {
			visit(path, of)
		}
		return
	case *Condition:
		visit(path, of)
		return
	case Walked:
		if other := of.Walk(path, visit); other != nil {
			Walk(other, path, visit)
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			walk(v.Elem(), path, text, visit)
		}
	case reflect.Struct:
		for field, value := range v.Fields() {
			if key := field.Tag.Get("yaml"); key != "" {
				walk(value, strings.TrimPrefix(path+"."+key, "."), field.Tag.Get("text"), visit)
			} else if field.Anonymous && field.IsExported() {
				walk(value, path, "", visit)
			}
		}
	case reflect.Map:
		for key, value := range v.Seq2() {
			element := reflect.New(value.Type()).Elem()
			element.Set(value)
			walk(element, config.KeyPath(path, key.String()), text, visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			at := path
			if v.Len() > 1 || v.Type() != reflect.TypeFor[Texts]() {
				at = fmt.Sprintf("%s[%d]", path, i)
			}
			walk(v.Index(i), at, text, visit)
		}
	case reflect.String:
		if text != "" && v.String() != "" {
			visit(path, Text{v.String(), text == "secret"})
		}
	}
}

// Values are the values below a part of a definition by their keys.
func Values(part any, path string) map[string]*Value {
	all := make(map[string]*Value)
	Walk(part, path, func(key string, found any) {
		if v, is := found.(*Value); is {
			all[key] = v
		}
	})
	return all
}

// TextsIn are the texts below a part of a definition by their keys.
func TextsIn(part any, path string) map[string]string {
	all := make(map[string]string)
	Walk(part, path, func(key string, found any) {
		if t, is := found.(Text); is {
			all[key] = t.Text
		}
	})
	return all
}

// OnlyKeys calls each for the values below a part whose keys aren't in a list, in order. A key of the
// list that ends with a dot or a bracket stands for all keys that begin with it.
func OnlyKeys(part any, path string, allowed []string, each func(key string)) {
	for _, key := range slices.Sorted(maps.Keys(Values(part, ""))) {
		if !slices.ContainsFunc(allowed, func(one string) bool {
			return key == one || strings.ContainsAny(one[len(one)-1:], ".[") && strings.HasPrefix(key, one)
		}) {
			each(strings.TrimPrefix(path+"."+key, "."))
		}
	}
}
