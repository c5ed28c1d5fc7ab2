package declared

import (
	"iter"
	"regexp"
	"slices"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// each are the alternatives, each as a value.
func (v *Value) each() iter.Seq[*Value] {
	return func(yield func(*Value) bool) {
		for i := range v.alternatives {
			if !yield(&Value{alternatives: v.alternatives[i : i+1]}) {
				return
			}
		}
	}
}

// place is a place of a row that a value is taken from.
type place struct {
	path path
	// table says that a table translates the text there.
	table bool
}

// places are the places of a row that the value is taken from, and the parameters and values of
// `for` that stand for one.
func (v *Value) places() (all []place) {
	for i := range v.alternatives {
		a := &v.alternatives[i]
		isTable := a.Table != nil && a.Match == nil && a.When == nil
		for _, p := range append([]path{a.Path, a.Since, a.Minus}, a.Join...) {
			if p != nil {
				all = append(all, place{p, isTable})
			}
		}
	}
	return all
}

// uses are what else a value names: parameters, parameters with networks, and lists of names.
func (v *Value) uses() (parameters, networks, lists []string) {
	for i := range v.alternatives {
		a := &v.alternatives[i]
		parameters = append(parameters, a.When.parameters()...)
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
	for _, p := range v.places() {
		if name, is := p.path.parameterName(); is {
			parameters = append(parameters, name)
		}
	}
	return parameters, networks, lists
}

// usesPercent says whether the value has the unit percent.
func (v *Value) usesPercent() bool {
	return slices.ContainsFunc(v.alternatives, func(a alternative) bool { return a.Unit == percent })
}

// lacksTime says whether the value isn't always a time.
func (v *Value) lacksTime() bool {
	return slices.ContainsFunc(v.alternatives, func(a alternative) bool { return len(a.Time) == 0 })
}

// isPossible says whether the value may be there with a source's parameters.
func (v *Value) isPossible(parameters map[string][]string) bool {
	r := &row{parameters: parameters}
	return slices.ContainsFunc(v.alternatives, func(a alternative) bool {
		if !a.When.onlyParameters() {
			return true
		}
		holds, _ := a.When.holds(r)
		return holds
	})
}

// hasOther says whether the value may be another word than these: by a table, a constant, a code or
// an expression.
func (v *Value) hasOther(words map[string]bool) bool {
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
var zoneIn = regexp.MustCompile(`Z07|-07|MST`)

// needsZone says whether a time has no zone, neither in the row nor in the definition.
func (v *Value) needsZone() bool { return v.hasTimesWithout(zoneIn) }

// takesZone says whether a configured zone affects a time: as its zone, or as the meaning of its
// zone's name.
func (v *Value) takesZone() bool {
	return v.hasTimesWithout(offsetIn) || slices.ContainsFunc(v.alternatives, func(a alternative) bool {
		return a.When.takesZone() || a.Expr != nil && a.Expr.usesZone
	})
}

func (v *Value) hasTimesWithout(zone *regexp.Regexp) bool {
	return slices.ContainsFunc(v.alternatives, func(a alternative) bool {
		return a.Zone == nil && slices.ContainsFunc(a.Time, func(form string) bool {
			_, carriesOffset := timeForms[form]
			return !carriesOffset && !zone.MatchString(form)
		})
	})
}

// validateWords reports words in tables and constants that a field doesn't allow.
func validateWords[T any](r *config.Report, key string, v *Value, known map[string]T, words string) {
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
