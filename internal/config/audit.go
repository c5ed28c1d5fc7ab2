package config

import "time"

// TimeOfDay is the layout of a time of day.
const TimeOfDay = "15:04"

// Audit says when the exporter audits by itself.
type Audit struct {
	// Daily is a time of day in UTC, in the form TimeOfDay; empty: never.
	Daily string `yaml:"daily"`
}

// Validate implements [Validator].
func (a *Audit) Validate(r *Report) {
	if at, err := time.Parse(TimeOfDay, a.Daily); a.Daily != "" && (err != nil || at.Format(TimeOfDay) != a.Daily) {
		r.Problemf("daily", "must be a time of day in UTC, such as \"03:30\", is %s", shorten(a.Daily))
	}
}
