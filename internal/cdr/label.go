package cdr

import (
	"cmp"
	"iter"
	"slices"
	"strings"
)

// Label is a label that the operator may show, from the provider's own fields: a department, a
// site.
type Label struct{ Name, Value string }

// Labels are the operator's labels of a record that have a value: lines of NAME=VALUE, sorted by
// name. Equal labels give equal texts.
type Labels string

// NewLabels makes Labels without the labels that have no value. A value must not have control
// characters.
func NewLabels(all []Label) Labels {
	all = slices.DeleteFunc(slices.Clone(all), func(l Label) bool { return l.Value == "" })
	slices.SortFunc(all, func(a, b Label) int { return strings.Compare(a.Name, b.Name) })
	var text strings.Builder
	for _, l := range all {
		text.WriteString(l.Name + "=" + l.Value + "\n")
	}
	return Labels(text.String())
}

// All are the names and values.
func (l Labels) All() iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for line := range strings.Lines(string(l)) {
			if name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "="); !ok || !yield(name, value) {
				return
			}
		}
	}
}

// Value is the value of a label, empty if there is none.
func (l Labels) Value(name string) string {
	for n, value := range l.All() {
		if n == name {
			return value
		}
	}
	return ""
}

// With returns the same labels, each with this value.
func (l Labels) With(value string) Labels {
	var all []Label
	for name := range l.All() {
		all = append(all, Label{name, value})
	}
	return NewLabels(all)
}

// LabelCount is how many records have a value of a label.
type LabelCount struct {
	Label

	Count int
}

// CountLabels counts the records' values, the most frequent first.
func CountLabels(records iter.Seq[Labels]) (all []LabelCount) {
	counts := make(map[Label]int)
	for labels := range records {
		for name, value := range labels.All() {
			counts[Label{name, value}]++
		}
	}
	for label, n := range counts {
		all = append(all, LabelCount{label, n})
	}
	slices.SortFunc(all, func(a, b LabelCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value))
	})
	return all
}
