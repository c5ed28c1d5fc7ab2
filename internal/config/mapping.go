package config

import (
	"fmt"

	"gopkg.in/yaml.v3"
)

// pair is a key of a mapping with its value.
type pair struct {
	key   string
	at    place
	value *yaml.Node
}

// pairs lists the keys of a mapping in the order of the file, each once, and
// reports those that are repeated or no text. Keys that a merge key (<<) brings in
// come last and give way to the mapping's own.
func (d *decoder) pairs(n *yaml.Node, at place) []pair {
	var own, merged []pair
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		keyNode, value := n.Content[i], n.Content[i+1]
		k := d.follow(keyNode, place{at.path, at.key, keyNode.Line})
		if k == nil {
			return nil
		}
		if k.Kind != yaml.ScalarNode {
			d.report(keyNode.Line, at.path, "a key must be plain text, is "+describe(k))
			continue
		}
		p := pair{k.Value, at.child(segment(k.Value), keyNode.Line), value}
		if line, repeated := first[p.key]; repeated {
			d.report(p.at.line, p.at.path, fmt.Sprintf("is repeated, it is already given on line %d; keep one", line))
			continue
		}
		first[p.key] = p.at.line
		if k.ShortTag() == "!!merge" {
			merged = append(merged, d.mergedPairs(value, place{at.path, at.key, p.at.line})...)
			continue
		}
		own = append(own, p)
	}
	for _, p := range merged {
		if _, given := first[p.key]; !given {
			first[p.key] = p.at.line
			own = append(own, p)
		}
	}
	return own
}

// mergedPairs lists the keys that the value of a merge key brings in: those of a
// mapping, or of a list of mappings of which the earlier ones win.
func (d *decoder) mergedPairs(n *yaml.Node, at place) []pair {
	if n = d.follow(n, at); n == nil {
		return nil
	}
	switch n.Kind {
	case yaml.MappingNode:
		return d.pairs(n, at)
	case yaml.SequenceNode:
		var all []pair
		for _, item := range n.Content {
			all = append(all, d.mergedPairs(item, at)...)
		}
		return all
	}
	d.report(at.line, at.path, "<< must be followed by a mapping or a list of mappings, is followed by "+describe(n))
	return nil
}
