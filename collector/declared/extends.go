package declared

import (
	"fmt"
	"slices"

	"gopkg.in/yaml.v3"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// layers are the mappings of a definition whose keys are replaced one by one. Any other key is
// replaced as a whole: half of one condition, value or `next` and half of another make no sense. *
// stands for each key.
type layers map[string]layers

var amended = layers{
	"parameters": {"*": {}}, "http": {"headers": {}}, "files": {}, "sql": {}, "push": {},
	"feeds": {"*": {
		"defaults": {}, "request": {"query": {}}, "filter": {}, "files": {}, "record": {"extra": {}, "labels": {}},
	}},
}

// extend adds the definition that a file names under `extends`: it provides what the file doesn't
// set.
func extend(root *yaml.Node) *config.Problem {
	at := keyOf(root, "extends")
	if at < 0 {
		return nil
	}
	key, name := root.Content[at], root.Content[at+1]
	problem := func(format string, args ...any) *config.Problem {
		return &config.Problem{Line: key.Line, Path: "extends", Message: fmt.Sprintf(format, args...)}
	}
	text, err := BuiltinText(name.Value)
	if err != nil {
		return problem("must be a built-in definition: %s", err)
	}
	var base yaml.Node
	if err := yaml.Unmarshal(text, &base); err != nil {
		return problem("can't be read: %s", err)
	}
	moveTo(&base, key.Line)
	if at := keyOf(base.Content[0], "tests"); at >= 0 { // they are of the definition without what is amended
		base.Content[0].Content = slices.Delete(base.Content[0].Content, at, at+2)
	}
	*root = *amend(base.Content[0], root, amended)
	return nil
}

// moveTo gives all lines of a text the same position: a problem in the base definition comes from
// the file that extends it.
func moveTo(n *yaml.Node, line int) {
	n.Line = line
	for _, inner := range n.Content {
		moveTo(inner, line)
	}
}

// keyOf is the index of a key in a mapping, before its value; -1 if it doesn't have the key.
func keyOf(mapping *yaml.Node, name string) int {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == name {
			return i
		}
	}
	return -1
}

// amend returns the mapping base with the keys of with, which replace the keys of base. A key
// without a value removes the key.
func amend(base, with *yaml.Node, inner layers) *yaml.Node {
	all := *with
	all.Content = slices.Clone(with.Content)
	for pair := range slices.Chunk(base.Content, 2) {
		key, value := pair[0].Value, pair[1]
		deeper, is := inner[key]
		if !is {
			deeper, is = inner["*"]
		}
		switch at := keyOf(&all, key); {
		case at < 0:
			all.Content = append(all.Content, pair...)
		case all.Content[at+1].ShortTag() == "!!null":
			all.Content = slices.Delete(all.Content, at, at+2)
		case is && all.Content[at+1].Kind == yaml.MappingNode && value.Kind == yaml.MappingNode:
			all.Content[at+1] = amend(value, all.Content[at+1], deeper)
		}
	}
	return &all
}
