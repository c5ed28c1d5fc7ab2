package cdrreceiver

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"go.opentelemetry.io/collector/confmap/xconfmap"
	"gopkg.in/yaml.v3"
)

// nodeOf makes a node for [config.UnmarshalNode] of a value that the Collector has read. A value
// from the environment or from a separate file still has its text, which is read as if it stood
// there without quotes.
func nodeOf(value any) *yaml.Node {
	switch v := value.(type) {
	case xconfmap.ExpandedValue:
		switch v.Value.(type) {
		case map[string]any, []any:
			return nodeOf(v.Value)
		}
		return &yaml.Node{Kind: yaml.ScalarNode, Value: v.Original}
	case map[string]any:
		n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			n.Content = append(n.Content, scalar("!!str", key), nodeOf(v[key]))
		}
		return n
	case []any:
		n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for _, item := range v {
			n.Content = append(n.Content, nodeOf(item))
		}
		return n
	case nil:
		return scalar("!!null", "")
	case string:
		return scalar("!!str", v)
	case bool:
		return scalar("!!bool", fmt.Sprint(v))
	case time.Time:
		return scalar("!!timestamp", v.Format(time.RFC3339))
	case float32, float64:
		return scalar("!!float", fmt.Sprint(v))
	}
	return scalar("!!int", fmt.Sprint(value))
}

func scalar(tag, text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: text}
}
