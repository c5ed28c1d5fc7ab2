package main

import (
	"encoding/json"
	"fmt"
	"regexp"
)

// mapping shows texts for values: for each of some, or for those that a pattern finds.
type mapping struct {
	texts   map[string]struct{ Text string }
	pattern *regexp.Regexp
	text    string
}

// UnmarshalJSON reads a mapping of one of the kinds that our dashboards have.
func (m *mapping) UnmarshalJSON(text []byte) error {
	var all struct {
		Type    string
		Options json.RawMessage
	}
	if err := json.Unmarshal(text, &all); err != nil {
		return err
	}
	switch all.Type {
	case "value":
		return json.Unmarshal(all.Options, &m.texts)
	case "regex":
		var options struct {
			Pattern string
			Result  struct{ Text string }
		}
		if err := json.Unmarshal(all.Options, &options); err != nil {
			return err
		}
		var err error
		m.pattern, err = regexp.Compile(options.Pattern)
		m.text = options.Result.Text
		return err
	default:
		return fmt.Errorf("the mapping %s isn't known", all.Type)
	}
}

// mapped is the text that a value is shown as.
func (f *field) mapped(value string) string {
	for _, m := range f.Mappings {
		if to, ok := m.texts[value]; ok {
			return to.Text
		}
		if m.pattern != nil && m.pattern.MatchString(value) {
			return m.pattern.ReplaceAllString(value, m.text)
		}
	}
	return value
}
