package web

import (
	"regexp"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// Filter says what the provider's time filter means.
type Filter struct {
	// By is the time that the filter applies to: start or end of a call, or when its row was
	// inserted.
	By        string        `yaml:"by"`
	Grain     time.Duration `yaml:"grain"`
	MaxRange  time.Duration `yaml:"max_range"`
	Retention time.Duration `yaml:"retention"`
	// MinAge is the age that a record must have before it is requested.
	MinAge time.Duration `yaml:"min_age"`
	// Key is the SQL column that numbers rows by insertion.
	Key     string  `yaml:"key"`
	Overlap Overlap `yaml:"overlap"`
	// Step is the length of time that each list of a read covers; zero: one list covers all of it.
	Step time.Duration `yaml:"step"`
	// Margin is how much more is requested on both sides.
	Margin time.Duration `yaml:"margin"`
}

// Overlap is how much is read again of a feed by insertion: a number of keys in SQL, or a time over
// HTTP.
type Overlap struct {
	Keys  int64
	Time  time.Duration
	given string // the text in the definition
}

// defaultOverlap: a row may become visible a little after its time or its number.
var defaultOverlap = Overlap{Keys: 1000, Time: time.Minute}

var wholeNumber = regexp.MustCompile(`^-?[0-9]+$`)

// DecodeNode implements config.NodeDecoder.
func (o *Overlap) DecodeNode(n *config.Node) {
	if o.given = n.Text(); wholeNumber.MatchString(o.given) {
		n.Decode(&o.Keys)
	} else {
		n.Decode(&o.Time)
	}
}

// IsFor says whether the definition gives the overlap in the form of databases, or else of APIs. It is true if the
// definition gives none.
func (o *Overlap) IsFor(database bool) bool {
	return o.given == "" || wholeNumber.MatchString(o.given) == database
}

// The times that a filter may apply to.
const (
	ByStart    = "start"
	ByEnd      = "end"
	ByInserted = "inserted"
)

// Validate implements config.Validator.
func (f *Filter) Validate(r *config.Report) {
	if !r.Given("by") {
		r.Problemf("by", "is missing; say whether the filter applies to the start or the end of calls, or to "+
			"when their rows were inserted")
	} else {
		r.OneOf("by", f.By, ByStart, ByEnd, ByInserted)
	}
	r.DurationAtLeast("grain", f.Grain, time.Second)
	r.DurationAtLeast("step", f.Step, 0)
	r.DurationAtLeast("margin", f.Margin, 0)
	if f.Grain > 0 && f.Step%f.Grain != 0 {
		r.Problemf("step", "must be a multiple of grain, %s", f.Grain)
	}
	r.AtLeast("overlap", f.Overlap.Keys, 0)
	r.DurationAtLeast("overlap", f.Overlap.Time, 0)
}

// span is a requested range of time.
type span struct{ from, to time.Time }

func (s span) has(at time.Time) bool { return !at.Before(s.from) && at.Before(s.to) }

func (s span) length() time.Duration { return s.to.Sub(s.from) }

// widened is the span in whole grains.
func (f *Filter) widened(s span) span {
	from := s.from.Truncate(f.Grain)
	to := s.to.Truncate(f.Grain)
	if to.Before(s.to) {
		to = to.Add(f.Grain)
	}
	return span{from, to}
}

// upTo is the part of the span that is old enough to be requested.
func (f *Filter) upTo(s span, now time.Time) span {
	grain := time.Second
	if f.MinAge > 0 {
		grain = f.Grain
	}
	s.to = earliest(s.to, now.Add(-f.MinAge).Truncate(grain))
	return s
}

func earliest(times ...time.Time) time.Time { return slices.MinFunc(times, time.Time.Compare) }
func latest(times ...time.Time) time.Time   { return slices.MaxFunc(times, time.Time.Compare) }

var timeIn = regexp.MustCompile(`\{(from|to)\|([^}]+)\}`)

// formatTime is the end of the span that a placeholder names, in its form.
func (s span) formatTime(placeholder string) string {
	parts := timeIn.FindStringSubmatch(placeholder)
	at := s.from
	if parts[1] == "to" {
		at = s.to
	}
	return language.FormatTime(at.UTC(), parts[2])
}

// everything is a span that contains every call.
var everything span

// Contains says whether a record lies in a span, by the time that the filter applies to. Zero times
// mean that each does. For a row without an end, the start decides.
func (f *Filter) Contains(from, to time.Time, r *cdr.Record) bool {
	at := f.At(r)
	return from.IsZero() && to.IsZero() || !at.Before(from) && at.Before(to)
}

// At is the time of a record that decides which day it belongs to.
func (f *Filter) At(r *cdr.Record) time.Time {
	if f.By == ByEnd && !r.End.IsZero() {
		return r.End
	}
	return r.Start
}

// isDay says whether the span is one day.
func (s span) isDay() bool {
	return s.to.Sub(s.from) == dayLength && s.from.Equal(s.from.Truncate(dayLength))
}
