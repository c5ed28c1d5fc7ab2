package config

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// NodeDecoder is implemented, with a pointer receiver, by types that are written in several forms:
// a text, a list or a mapping.
type NodeDecoder interface {
	// DecodeNode decodes the value and reports its problems.
	DecodeNode(n *Node)
}

// Node is a value as written in the file. It is valid while its DecodeNode runs.
type Node struct {
	decoder *decoder
	yaml    *yaml.Node
	at      place
}

// Field is one key of a mapping.
type Field struct {
	Key   string
	Value *Node
}

// IsNull says that the key has no value.
func (n *Node) IsNull() bool { return isNull(n.yaml) }

// IsText says that the value is a single one.
func (n *Node) IsText() bool { return n.yaml.Kind == yaml.ScalarNode && !isNull(n.yaml) }

// IsList says that the value is a list.
func (n *Node) IsList() bool { return n.yaml.Kind == yaml.SequenceNode }

// IsMap says that the value is a mapping.
func (n *Node) IsMap() bool { return n.yaml.Kind == yaml.MappingNode }

// Text is a single value as written.
func (n *Node) Text() string { return n.yaml.Value }

// Line is where the value stands in the file.
func (n *Node) Line() int { return n.yaml.Line }

// IsPlain says that the value is a number or a truth value, written without quotes.
func (n *Node) IsPlain() bool {
	return slices.Contains([]string{"!!int", "!!float", "!!bool"}, n.yaml.ShortTag())
}

// Written is the value as the file has it, in a form that doesn't depend on its layout.
func (n *Node) Written() string { return written(n.yaml) }

func written(n *yaml.Node) string {
	switch {
	case n.Alias != nil:
		return written(n.Alias)
	case n.Kind == yaml.ScalarNode:
		return strconv.Quote(n.Value)
	}
	size := 1
	if n.Kind == yaml.MappingNode {
		size = 2 // a key and its value
	}
	var parts []string
	for part := range slices.Chunk(n.Content, size) {
		texts := make([]string, size)
		for i, one := range part {
			texts[i] = written(one)
		}
		parts = append(parts, strings.Join(texts, ":"))
	}
	if n.Kind == yaml.MappingNode {
		slices.Sort(parts)
	}
	return "[" + strings.Join(parts, ",") + "]"
}

// Items are the elements of a list.
func (n *Node) Items() (all []*Node) {
	for i, item := range n.yaml.Content {
		all = append(all, n.decoder.node(item, n.at.child(indexed("", i), item.Line)))
	}
	return all
}

// Fields are the keys of a mapping in the order of the file; a key that is repeated is reported.
func (n *Node) Fields() (all []Field) {
	for _, e := range n.decoder.entries(n.yaml, n.at) {
		all = append(all, Field{e.key, n.decoder.node(&e.value, e.at)})
	}
	return all
}

// Without is the mapping without some keys, which the caller decodes by itself.
func (n *Node) Without(keys ...string) *Node {
	rest := *n.yaml
	rest.Content = nil
	for pair := range slices.Chunk(n.yaml.Content, 2) {
		if !slices.Contains(keys, pair[0].Value) {
			rest.Content = append(rest.Content, pair...)
		}
	}
	return &Node{n.decoder, &rest, n.at}
}

// Decode decodes the value into a pointer by the rules of this package.
func (n *Node) Decode(into any) {
	v := reflect.ValueOf(into).Elem()
	setDefaults(v)
	n.decoder.decode(v, n.yaml, n.at)
}

// DecodeFile decodes the name of a file that holds a secret.
func (n *Node) DecodeFile(into *Secret) {
	n.decoder.decodeFile(reflect.ValueOf(into).Elem(), n.yaml, n.at)
}

// Resolve makes the name of a file absolute, relative to the folder of the configuration file.
func (n *Node) Resolve(name string) string { return n.decoder.resolve(name) }

// Report reports on the value as a [Validator] does, with keys below it.
func (n *Node) Report() *Report { return &Report{decoder: n.decoder, path: n.at.path} }

// Problemf reports what is wrong with the value, and what would be right.
func (n *Node) Problemf(format string, args ...any) {
	n.decoder.fail(n.at, "%s", fmt.Sprintf(format, args...))
}

// Form says what the value is, for a message: a mapping, a list, a single value or empty.
func (n *Node) Form() string { return describe(n.yaml) }

func (d *decoder) node(n *yaml.Node, at place) *Node {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	d.lines[at.path] = at.line
	return &Node{d, n, at}
}
