package config

import (
	"regexp"
	"slices"
)

// The values that a label's file is looked up by.
const (
	LabelByUser   = "user"
	LabelByNumber = "number"
	LabelByTrunk  = "trunk"
	LabelBySource = "source"
	LabelBySubnet = "subnet"
)

// mostLabels limits the operator's labels.
const mostLabels = 4

// Label is a label of the operator: for calls, failures, connected seconds and charges or, by
// subnet, for media streams.
type Label struct {
	// Name is the label's name, and NAME in cdr.label.NAME of log records.
	Name string `yaml:"name"`
	// File is CSV with a header, or Microsoft's building file, which has none; if empty, the value
	// comes from the provider's records.
	File File `yaml:"file"`
	// Key says what the keys are compared with.
	Key string `yaml:"key"`
	// Column has the keys; if empty, its name is the key's.
	Column string `yaml:"column"`
	// Value is the column of the values; if empty, its name is the label's.
	Value string `yaml:"value"`
}

var labelName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// Validate implements [Validator].
func (l *Label) Validate(r *Report) {
	switch {
	case !labelName.MatchString(l.Name):
		r.Problemf("name", "must be a lower-case letter and then letters, digits or _, such as department, is %s",
			shorten(l.Name))
	case slices.Contains(r.decoder.TakenLabels, l.Name):
		r.Problemf("name", "%s is already a label of the metrics or a column of report; choose another name", l.Name)
	}
	if l.File == "" {
		for _, key := range []string{"key", "column", "value"} {
			if r.Given(key) {
				r.Problemf(key, "needs file; set it, or remove this key to take the value from the provider's records")
			}
		}
		return
	}
	r.OneOf("key", l.Key, LabelByUser, LabelByNumber, LabelByTrunk, LabelBySource, LabelBySubnet)
	if l.Column == "" {
		l.Column = l.Key
	}
	if l.Value == "" {
		l.Value = l.Name
	}
}

// validateLabels checks the rules that involve several labels.
func (c *Config) validateLabels(r *Report) {
	for i := range c.Labels {
		at := indexed("labels", i)
		if i >= mostLabels {
			r.Problemf(at, "is one label too many: at most %d are allowed, since each multiplies the series",
				mostLabels)
		}
		if slices.ContainsFunc(c.Labels[:i], func(l Label) bool { return l.Name == c.Labels[i].Name }) {
			r.Problemf(at+".name", "is already used; give each label a different name")
		}
	}
}
