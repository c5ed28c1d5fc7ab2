package config

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Patterns of scalars. The first is the pattern of a variable, which any scalar may be.
const (
	variablePattern = `^\$\{env:[A-Za-z_][A-Za-z0-9_]*(:-.*)?\}$`
	durationPattern = `^(([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h|d|w|y))+|0|\$\{env:.*\})$`
)

type schema = map[string]any

// Schema describes a configuration file as a JSON Schema, for editors. It accepts what the decoder
// accepts, and refuses what is visible without looking at other files, the environment or the
// relation of two values.
func Schema(providers map[string]func() any) map[string]any {
	s := objectSchema(reflect.TypeFor[Config](), providers)
	sources := valueSchema(Setting{Type: reflect.TypeFor[[]Source]()}, nil, providers)
	sources["minItems"] = 1
	s["properties"].(schema)["sources"] = sources //nolint:forcetypeassert // it was made there
	s["$schema"], s["$id"] = "https://json-schema.org/draft/2020-12/schema", SchemaURL
	s["title"], s["required"], s["type"] = "Configuration of cdr-exporter", []string{"sources"}, "object"
	return s
}

// objectSchema describes a struct. A bare key stands for its defaults, unless something in it is required.
func objectSchema(t reflect.Type, providers map[string]func() any) schema {
	rules, properties, files := RulesOf(t), schema{}, map[string]bool{}
	var conditions []any
	for _, f := range KeysOf(t) {
		properties[f.Key] = valueSchema(f, rules, providers)
		if f.Secret && f.Type == secretType {
			text := strings.TrimSuffix(f.Key, fileSuffix)
			files[text] = true
			conditions = append(conditions, schema{"not": schema{"required": []string{text, f.Key}}})
		}
	}
	if t == reflect.TypeFor[Source]() {
		for name, newBlock := range providers {
			if d, ok := newBlock().(Described); ok {
				properties[name] = describedSchema(d)
			} else {
				properties[name] = objectSchema(reflect.TypeOf(newBlock()).Elem(), nil)
			}
		}
		rules.ExactlyOne = append(rules.ExactlyOne, slices.Sorted(maps.Keys(providers)))
	}
	given := func(keys []string) (each []any) {
		for _, key := range keys {
			one := schema{"required": []string{key}}
			if files[key] {
				one = schema{"anyOf": []any{one, schema{"required": []string{key + fileSuffix}}}}
			}
			each = append(each, one)
		}
		return each
	}
	optional := len(rules.Required)+len(rules.AnyOf)+len(rules.ExactlyOne) == 0
	conditions = append(conditions, given(rules.Required)...)
	for _, keys := range rules.AnyOf {
		conditions = append(conditions, schema{"anyOf": given(keys)})
	}
	for _, keys := range rules.ExactlyOne {
		conditions = append(conditions, schema{"oneOf": given(keys)})
	}
	for _, keys := range rules.NotBoth {
		conditions = append(conditions, schema{"not": schema{"required": keys}})
	}
	s := schema{"type": "object", "properties": properties, "additionalProperties": false}
	if optional {
		s["type"] = []string{"object", "null"}
	}
	if len(conditions) > 0 {
		s["allOf"] = conditions
	}
	return s
}

// describedSchema describes a block whose keys don't come from a struct.
func describedSchema(d Described) schema {
	properties, feeds := schema{}, []any{}
	var conditions []any
	for _, s := range d.Settings() {
		one := schema{"required": []string{s.Key}}
		if s.Block {
			properties[s.Key] = feedSchema(s)
			feeds = append(feeds, one)
			continue
		}
		properties[s.Key] = describedValue(s)
		other := s.Key + fileSuffix
		switch {
		case s.Secret: // with the key that holds the text itself
		case s.Required && slices.ContainsFunc(d.Settings(), func(s Setting) bool { return s.Key == other }):
			conditions = append(conditions, schema{"oneOf": []any{one, schema{"required": []string{other}}}})
		case s.Required:
			conditions = append(conditions, one)
		}
	}
	conditions = append(conditions, schema{"anyOf": feeds})
	return schema{"type": "object", "properties": properties, "additionalProperties": false, "allOf": conditions}
}

// feedSchema describes the block of a feed. A bare key stands for its defaults, unless something in it is required.
func feedSchema(s Setting) schema {
	properties := schema{"ignore": schema{"type": []string{"object", "array", "string"}}}
	feed := schema{"type": []string{"object", "null"}, "properties": properties, "additionalProperties": false}
	for _, inner := range s.Keys {
		properties[inner.Key] = describedValue(inner)
		if inner.Required {
			feed["type"], feed["required"] = "object", []string{inner.Key}
		}
	}
	return feed
}

// describedValue describes the value of a described key: a field's, a text, or several texts.
func describedValue(s Setting) schema {
	text := leafSchema(reflect.TypeFor[string](), s.Values)
	if slices.Equal(s.Values, []string{"false", "true"}) {
		text = leafSchema(reflect.TypeFor[bool](), nil)
	}
	texts := schema{"type": "array", "items": text}
	textOrTexts := schema{"anyOf": []any{text, texts}}
	switch {
	case s.Type != nil:
		return leafSchema(s.Type, nil)
	case s.Map:
		return schema{"type": []string{"object", "null"}, "additionalProperties": textOrTexts}
	case s.OneWillDo:
		return textOrTexts
	case s.List:
		return texts
	}
	return text
}

// valueSchema describes the value of a key.
func valueSchema(f Setting, rules *Rules, providers map[string]func() any) schema {
	t := f.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case isLeaf(t):
		s := leafSchema(t, rules.Values[f.Key])
		if least, ok := rules.Least[f.Key]; ok {
			s["minimum"] = least
		}
		return s
	case t.Kind() == reflect.Slice:
		items := Setting{Key: f.Key + "[0]", Type: t.Elem()}
		return schema{"type": "array", "items": valueSchema(items, rules, providers)}
	case t.Kind() == reflect.Map:
		return schema{
			"type":                 []string{"object", "null"},
			"additionalProperties": valueSchema(Setting{Type: t.Elem()}, rules, providers),
		}
	}
	return objectSchema(t, providers)
}

// leafSchema describes a scalar. What is read as a text may be a number or a truth value in YAML.
func leafSchema(t reflect.Type, allowed []string) schema {
	switch {
	case allowed != nil:
		return schema{"anyOf": []any{schema{"enum": allowed}, schema{"type": "string", "pattern": variablePattern}}}
	case t == reflect.TypeFor[time.Duration]():
		return schema{"type": []string{"string", "integer"}, "pattern": durationPattern, "minimum": 0, "maximum": 0}
	case t.Kind() == reflect.Bool:
		return schema{"type": []string{"boolean", "string"}, "pattern": variablePattern}
	case t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64:
		return schema{"type": []string{"integer", "string"}, "pattern": variablePattern}
	case t == secretType:
		return schema{"type": []string{"string", "number", "boolean"}, "minLength": 1}
	}
	return schema{"type": []string{"string", "number", "boolean"}}
}
