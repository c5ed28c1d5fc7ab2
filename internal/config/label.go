package config

import (
	"regexp"
	"slices"
)

// What the keys of a label's file are compared with.
const (
	LabelByUser   = "user"
	LabelByNumber = "number"
	LabelByTrunk  = "trunk"
	LabelBySource = "source"
	LabelBySubnet = "subnet"
)

// mostLabels is how many labels of the operator's there may be.
const mostLabels = 4

// Label is a label of the operator's: of calls, failures, connected seconds and charges or, by subnet, of media streams.
type Label struct {
	// Name is the label's, and that of cdr.label.NAME of log records.
	Name string `yaml:"name"`
	// File is CSV with a header, or Microsoft's building file, which has none; empty: the value comes from the provider's records.
	File File `yaml:"file"`
	// Key says what the keys are compared with.
	Key string `yaml:"key"`
	// Column has the keys; empty: it is named as the key.
	Column string `yaml:"column"`
	// Value is the column of the values; empty: it is named as the label.
	Value string `yaml:"value"`
}

var labelName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// Validate implements [Validator].
func (l *Label) Validate(r *Report) {
	switch {
	case !labelName.MatchString(l.Name):
		r.Problemf("name", "must be a lower-case letter and then letters, digits or _, such as department, is %s", shorten(l.Name))
	case slices.Contains(r.decoder.TakenLabels, l.Name):
		r.Problemf("name", "the metrics have a label %s already; give it another name", l.Name)
	}
	if l.File == "" {
		for _, key := range []string{"key", "column", "value"} {
			if r.Given(key) {
				r.Problemf(key, "is of a file, and file is missing; give the file, or leave this out to take the value from the provider's records")
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

// validateLabels checks what no label can know by itself.
func (c *Config) validateLabels(r *Report) {
	for i := range c.Labels {
		at := indexed("labels", i)
		if i >= mostLabels {
			r.Problemf(at, "is one label too many: at most %d, since each multiplies the series", mostLabels)
		}
		if slices.ContainsFunc(c.Labels[:i], func(l Label) bool { return l.Name == c.Labels[i].Name }) {
			r.Problemf(at+".name", "is given already; give each label a name of its own")
		}
	}
}
