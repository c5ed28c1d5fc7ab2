package language

import (
	"iter"
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// Each are the alternatives, each as a value.
func (v *Value) Each() iter.Seq[*Value] {
	return func(yield func(*Value) bool) {
		for i := range v.alternatives {
			if !yield(&Value{alternatives: v.alternatives[i : i+1]}) {
				return
			}
		}
	}
}

// Place is a place of a row that a value is taken from.
type Place struct {
	Path Path
	// Words are the texts that a table translates; nil: none does.
	Words []string
	// Times are the forms of a time there, and Zone is that of times without one; nil: the source's.
	Times []string
	Zone  *time.Location
}

// Places are the places of a row that the value is taken from, and the parameters and values of
// `for` that stand for one.
func (v *Value) Places() (all []Place) {
	for i := range v.alternatives {
		a := &v.alternatives[i]
		var words []string
		if a.Match == nil && a.When == nil {
			words = slices.Sorted(maps.Keys(a.Table))
		}
		var in *time.Location
		if a.Zone != nil {
			in = a.Zone.Location
		}
		if a.Minus != nil { // it is a length
			all = append(all, Place{a.Minus, words, nil, in})
		}
		for _, p := range append([]Path{a.Path, a.Since}, a.Join...) {
			if p != nil {
				all = append(all, Place{p, words, a.Time, in})
			}
		}
	}
	return all
}

// Paths are the places of a row that the value and its conditions name; of an expression, the first names.
func (v *Value) Paths() (all []Path) {
	for _, place := range v.Places() {
		all = append(all, place.Path)
	}
	for i := range v.alternatives {
		all = append(all, v.alternatives[i].Expr.paths()...)
		all = append(all, v.alternatives[i].When.Paths()...)
	}
	return slices.DeleteFunc(all, isNoPlace)
}

// isNoPlace says whether a path leads to a parameter or to a value of `for`.
func isNoPlace(p Path) bool {
	_, isParameter := p.ParameterName()
	return isParameter || p[0] == ForKey
}

// Uses are what else a value names: parameters, parameters with networks, and lists of names.
func (v *Value) Uses() (parameters, networks, lists []string) {
	for i := range v.alternatives {
		a := &v.alternatives[i]
		parameters = append(parameters, a.When.Parameters()...)
		if a.Expr != nil {
			parameters = append(parameters, a.Expr.parameters...)
		}
		if a.Networks != "" {
			networks = append(networks, a.Networks)
		}
		if a.Names != "" {
			lists = append(lists, a.Names)
		}
	}
	for _, p := range v.Places() {
		if name, is := p.Path.ParameterName(); is {
			parameters = append(parameters, name)
		}
	}
	return parameters, networks, lists
}

// UsesPercent says whether the value has the unit percent.
func (v *Value) UsesPercent() bool {
	return slices.ContainsFunc(v.alternatives, func(a alternative) bool { return a.Unit == percent })
}

// LacksTime says whether the value isn't always a time.
func (v *Value) LacksTime() bool {
	return slices.ContainsFunc(v.alternatives, func(a alternative) bool { return len(a.Time) == 0 })
}

// IsPossible says whether the value may be there with a source's parameters.
func (v *Value) IsPossible(parameters map[string][]string) bool {
	r := &Row{Parameters: parameters}
	return slices.ContainsFunc(v.alternatives, func(a alternative) bool {
		if !a.When.OnlyParameters() {
			return true
		}
		holds, _ := a.When.Holds(r)
		return holds
	})
}

// HasOther says whether the value may be another word than these: by a table, a constant, a code or
// an expression.
func (v *Value) HasOther(words map[string]bool) bool {
	return slices.ContainsFunc(v.alternatives, func(a alternative) bool {
		for _, e := range a.Table {
			if !words[e.Word] {
				return true
			}
		}
		return a.codes != nil || a.Expr != nil || a.Is != nil && !words[*a.Is]
	})
}

// zoneIn matches an offset in a layout, or the name of a zone.
var zoneIn = regexp.MustCompile(`Z07|-07|MST|Z$`)

// NeedsZone says whether a time has no zone, neither in the row nor in the definition.
func (v *Value) NeedsZone() bool { return v.hasTimesWithout(zoneIn) }

// TakesZone says whether a configured zone affects a time: as its zone, or as the meaning of its
// zone's name.
func (v *Value) TakesZone() bool {
	return v.hasTimesWithout(offsetIn) || slices.ContainsFunc(v.alternatives, func(a alternative) bool {
		return a.When.TakesZone() || a.Expr != nil && a.Expr.usesZone
	})
}

func (v *Value) hasTimesWithout(zone *regexp.Regexp) bool {
	return slices.ContainsFunc(v.alternatives, func(a alternative) bool {
		return a.Zone == nil && slices.ContainsFunc(a.Time, func(form string) bool {
			_, carriesOffset := timeForms[form]
			return !carriesOffset && !zone.MatchString(form) && !namesUTC(form)
		})
	})
}

// ValidateWords reports words in tables and constants that a field doesn't allow.
func ValidateWords[T any](r *config.Report, key string, v *Value, known map[string]T, words string) {
	for _, a := range v.alternatives {
		for text, e := range a.Table {
			if a.codes != nil {
				break // its table has codes
			}
			if _, is := known[e.Word]; !is {
				r.Problemf(key, "has %q for %q in its table, must be %s", e.Word, text, words)
			}
		}
		if a.Is != nil {
			if _, is := known[*a.Is]; !is {
				r.Problemf(key, "is %q, must be %s", *a.Is, words)
			}
		}
	}
}
