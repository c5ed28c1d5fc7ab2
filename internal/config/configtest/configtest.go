// Package configtest compares an example configuration with the types that it is
// decoded into. It is for tests.
//
// An example documents a key by giving it, or by giving it in a comment: a line with
// # directly before its text is a part of the configuration that is left out, such
// as an alternative, while a line with # and a space is prose.
package configtest

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"

	"gopkg.in/yaml.v3"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// leftOut is a line of configuration in a comment.
var leftOut = regexp.MustCompile(`(?m)^([ \t]*)#([^#\s])`)

// Uncomment puts the configuration that is left out of an example back in. Its lines
// keep their numbers.
func Uncomment(example []byte) []byte {
	return leftOut.ReplaceAll(example, []byte("$1$2"))
}

// MissingKeys returns those keys of a type, as [config.Keys] lists them, that an
// example does not document under a path such as "sources[].msgraph"; the empty
// path is the whole file. A key that is documented by an element of a list counts
// for the list.
func MissingKeys(example []byte, under string, t reflect.Type) ([]string, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(Uncomment(example), &root); err != nil {
		return nil, fmt.Errorf("parse example with its comments: %w", err)
	}
	documented := map[string]bool{}
	for _, node := range root.Content {
		collect(node, "", documented)
	}
	if under != "" {
		under += "."
	}
	return slices.DeleteFunc(config.Keys(t), func(key string) bool { return documented[under+key] }), nil
}

// collect notes the paths of all keys in a node.
func collect(n *yaml.Node, path string, keys map[string]bool) {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i].Value
			if path != "" {
				key = path + "." + key
			}
			keys[key] = true
			collect(n.Content[i+1], key, keys)
		}
	case yaml.SequenceNode:
		for _, item := range n.Content {
			collect(item, path+"[]", keys)
		}
	}
}
