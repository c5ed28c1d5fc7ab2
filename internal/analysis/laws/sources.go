package laws

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
)

// source is a place of a row that a field is taken from.
type source struct {
	Field, Path string
	// Steps lead to the value: names of members, or of a column.
	Steps []string
	// Words are what a table translates.
	Words []string

	times []string
	zone  *time.Location
}

// sources are all places of a row that the feed's fields are taken from.
func sources(f *declared.Feed) (all []source) {
	values := language.Values(f, "")
	for _, field := range slices.Sorted(maps.Keys(values)) {
		var leg []string // the first leg of a row
		if f.Legs != nil && strings.HasPrefix(field, "legs.") {
			for _, step := range append(slices.Clone(f.Legs.Rows), "*") {
				leg = append(leg, strings.Replace(step, "*", "0", 1))
			}
		}
		for _, p := range values[field].Places() {
			if _, parameter := p.Path.ParameterName(); parameter || p.Path[0] == language.ForKey {
				continue
			}
			steps := slices.Concat(leg, p.Path)
			all = append(all, source{field, strings.Join(steps, "."), steps, p.Words, p.Times, p.Zone})
		}
	}
	return all
}

// shift is a time at the source, moved by a length; empty: it isn't one. zone is for times without one.
func (s *source) shift(text string, by time.Duration, zone *time.Location) string {
	zone = cmp.Or(s.zone, zone)
	for _, form := range s.times {
		if at, problem := language.ParseTime(text, form, zone); problem == "" && !at.IsZero() {
			return language.FormatTime(at.Add(by).In(zone), form)
		}
	}
	return ""
}
