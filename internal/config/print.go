package config

import (
	"encoding"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// String writes the configuration as YAML, with defaults filled in and secrets as
// <secret>.
func (c *Config) String() string {
	text, err := yaml.Marshal(encode(reflect.ValueOf(c)))
	if err != nil {
		return "configuration that cannot be printed: " + err.Error()
	}
	return string(text)
}

// Format prints what String returns, whatever the verb.
func (c *Config) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, c.String()) }

// MarshalYAML returns what String writes.
func (c *Config) MarshalYAML() (any, error) { return encode(reflect.ValueOf(c)), nil }

// MarshalJSON writes the same keys and values as String.
func (c *Config) MarshalJSON() ([]byte, error) {
	var tree any
	if err := encode(reflect.ValueOf(c)).Decode(&tree); err != nil {
		return nil, fmt.Errorf("encode configuration: %w", err)
	}
	return json.Marshal(tree)
}

// LogValue returns what String writes.
func (c *Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

// encode turns a value of the configuration into a node. Keys that are empty are
// left out.
func encode(v reflect.Value) *yaml.Node {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return encode(v.Elem())
	case reflect.Struct:
		if isLeaf(v.Type()) {
			return encodeLeaf(v)
		}
		return encodeStruct(v)
	case reflect.Slice:
		list := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		for i := range v.Len() {
			item := encode(v.Index(i))
			if item.Kind == yaml.MappingNode {
				list.Style = 0
			}
			list.Content = append(list.Content, item)
		}
		return list
	case reflect.Map:
		m := &yaml.Node{Kind: yaml.MappingNode}
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, key := range keys {
			appendKey(m, key.String(), encode(v.MapIndex(key)))
		}
		return m
	default:
		return encodeLeaf(v)
	}
}

// encodeStruct turns a struct into a mapping of its keys, a source with the block of
// its provider.
func encodeStruct(v reflect.Value) *yaml.Node {
	m := &yaml.Node{Kind: yaml.MappingNode}
	for _, f := range fieldsOf(v.Type()) {
		value := v.FieldByIndex(f.index)
		switch {
		case value.Kind() == reflect.Pointer && value.IsNil(), isEmptyValue(value):
		case f.typ == secretType:
			encodeSecret(m, f.key, value.Interface().(Secret))
		case f.typ == secretMapType:
			encodeSecretMap(m, f.key, value.Interface().(map[string]Secret))
		default:
			appendKey(m, f.key, encode(value))
		}
	}
	if source, ok := reflect.TypeAssert[Source](v); ok && source.Provider != nil {
		appendKey(m, source.ProviderName, encode(reflect.ValueOf(source.Provider)))
	}
	return m
}

// isEmptyValue reports whether a value says nothing. False and 0 say something.
func isEmptyValue(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.String, reflect.Map:
		return v.Len() == 0
	case reflect.Struct:
		return v.IsZero()
	default:
		return false
	}
}

// encodeSecret writes x: <secret> or x_file: name.
func encodeSecret(m *yaml.Node, key string, s Secret) {
	if s.file != "" {
		appendKey(m, key+fileSuffix, textNode(s.file))
		return
	}
	appendKey(m, key, textNode(s.String()))
}

// encodeSecretMap splits secrets into x and x_file, as they were written.
func encodeSecretMap(m *yaml.Node, key string, secrets map[string]Secret) {
	inline := &yaml.Node{Kind: yaml.MappingNode}
	files := &yaml.Node{Kind: yaml.MappingNode}
	names := make([]string, 0, len(secrets))
	for name := range secrets {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if s := secrets[name]; s.file != "" {
			appendKey(files, name, textNode(s.file))
		} else {
			appendKey(inline, name, textNode(s.String()))
		}
	}
	for _, part := range []struct {
		key  string
		node *yaml.Node
	}{{key, inline}, {key + fileSuffix, files}} {
		if len(part.node.Content) > 0 {
			appendKey(m, part.key, part.node)
		}
	}
}

// encodeLeaf turns a single value into a scalar.
func encodeLeaf(v reflect.Value) *yaml.Node {
	if v.Type() == durationType {
		return textNode(formatDuration(time.Duration(v.Int())))
	}
	if v.Type() == nodeType {
		// What is a secret in it is not known here.
		return textNode(redacted)
	}
	if text, ok := reflect.TypeAssert[encoding.TextMarshaler](v); ok {
		if content, err := text.MarshalText(); err == nil {
			return textNode(string(content))
		}
	}
	n := new(yaml.Node)
	if err := n.Encode(v.Interface()); err != nil {
		return textNode("(cannot be printed)")
	}
	return n
}

// textNode is a scalar that is read back as text.
func textNode(text string) *yaml.Node {
	n := new(yaml.Node)
	n.SetString(text)
	return n
}

// appendKey adds a key to a mapping.
func appendKey(m *yaml.Node, key string, value *yaml.Node) {
	if value != nil {
		m.Content = append(m.Content, textNode(key), value)
	}
}
