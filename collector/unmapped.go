package collector

import "strings"

const (
	// unmappedKept is how many values are remembered as logged.
	unmappedKept = 1000
	// unmappedShown is how much of a value is logged, in bytes.
	unmappedShown = 64
)

// countUnmapped counts the values that the mapping doesn't know, and logs each once.
func (f *RangeFeed) countUnmapped(values []Unmapped) {
	for _, one := range values {
		f.settings.Own.Unmapped(one.Field)
		one.Value = one.Value[:min(len(one.Value), unmappedShown)]
		if f.unmapped[one] || len(f.unmapped) == unmappedKept {
			continue
		}
		// The strings may point into a page that is used again.
		one.Field, one.Value = strings.Clone(one.Field), strings.Clone(one.Value)
		f.unmapped[one] = true
		f.settings.Logger.Warn("the provider sent a value that is new", "field", one.Field, "value", one.Value)
		if len(f.unmapped) == unmappedKept {
			f.settings.Logger.Warn("further values that are new are counted and not logged", "logged", unmappedKept)
		}
	}
}
