package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
)

// Defaulter is implemented, with a pointer receiver, by types that have defaults. It is called on a
// new value before anything is decoded into it, and not for the structs that it contains by value.
type Defaulter interface {
	SetDefaults()
}

// Validator is implemented, with a pointer receiver, by types with rules beyond a value's type. It
// is called after decoding, after the validators of everything in it, and also if some values
// couldn't be decoded and still have their defaults. A struct contained by value whose key is
// absent isn't validated.
type Validator interface {
	Validate(r *Report)
}

// Report collects the problems that a [Validator] finds. Keys are relative to the validated
// mapping: "interval", "pstn.interval", "types[0]", or "" for the mapping itself. It isn't safe for
// concurrent use.
type Report struct {
	decoder *decoder
	path    string
}

// Problemf reports a wrong value. The message says what would be right, and contains no secret. It
// is dropped if the value couldn't be decoded.
func (r *Report) Problemf(key, format string, args ...any) {
	path := joinPath(r.path, key)
	if r.decoder.rules == nil && !r.decoder.isBroken(path) {
		r.decoder.report(r.decoder.lineOf(path), path, fmt.Sprintf(format, args...))
	}
}

// Given reports whether the key is in the file, even if it is bare. A secret's key is also given by
// its x_file.
func (r *Report) Given(key string) bool {
	_, given := r.decoder.lines[joinPath(r.path, key)]
	return given || r.decoder.rules != nil
}

// At is the report of a mapping below this one.
func (r *Report) At(key string) *Report { return &Report{r.decoder, joinPath(r.path, key)} }

// Refuse reports the keys of a list that are in the file.
func (r *Report) Refuse(keys []string, format string, args ...any) {
	for _, key := range keys {
		if r.Given(key) {
			r.Problemf(key, format, args...)
		}
	}
}

// hasProblems reports whether the mapping, or anything in it, has a problem.
func (r *Report) hasProblems() bool {
	return slices.ContainsFunc(r.decoder.problems,
		func(p Problem) bool { return p.Path == r.path || strings.HasPrefix(p.Path, r.path+".") })
}

// declare records a rule for [RulesOf].
func (r *Report) declare(note func(*Rules)) {
	if r.decoder.rules != nil {
		note(r.decoder.rules)
	}
}

// Required reports an empty value. what describes the value, for example "the id of the directory".
func (r *Report) Required(key, value, what string) {
	if value == "" { // also while rules are listed: a key with a default isn't required
		r.declare(func(rules *Rules) { rules.Required = append(rules.Required, key) })
		r.Problemf(key, "is missing; give %s", what)
	}
}

// RequiredUnless is Required unless the other key is given.
func (r *Report) RequiredUnless(other, key, value, what string) {
	r.declare(func(rules *Rules) { rules.AnyOf = append(rules.AnyOf, []string{key, other}) })
	if value == "" && !r.Given(other) {
		r.Problemf(key, "is missing; give %s", what)
	}
}

// RequiredSecret reports a secret that is not set.
func (r *Report) RequiredSecret(key string, value Secret, what string) {
	r.declare(func(rules *Rules) { rules.Required = append(rules.Required, key) })
	if !value.IsSet() && !r.Given(key) {
		r.Problemf(key, "is missing; give %s in %s or %s", what, key, key+fileSuffix)
	}
}

// OneOf reports a value that is not among the allowed ones.
func (r *Report) OneOf(key, value string, allowed ...string) {
	r.declare(func(rules *Rules) { rules.Values[key] = allowed })
	if !slices.Contains(allowed, value) {
		words := slices.DeleteFunc(slices.Clone(allowed), func(word string) bool { return word == "" }) // it is absent
		r.Problemf(key, "must be %s, is %s", orList(words), shorten(value))
	}
}

// AtLeast reports a number that is too small.
func (r *Report) AtLeast(key string, value, least int64) {
	r.declare(func(rules *Rules) { rules.Least[key] = least })
	if value < least {
		r.Problemf(key, "must be at least %d, is %d", least, value)
	}
}

// DurationAtLeast reports a duration that is too short.
func (r *Report) DurationAtLeast(key string, value, least time.Duration) {
	if value < least {
		r.Problemf(key, "must be at least %s, is %s", formatDuration(least), formatDuration(value))
	}
}

// BaseURL reports a value that [CheckBaseURL] refuses, unless it is empty.
func (r *Report) BaseURL(key, value string) {
	if err := CheckBaseURL(value); value != "" && err != nil {
		r.Problemf(key, "%s", err)
	}
}

// AtLeastOne reports the mapping if none of the keys is in the file. what describes them, such as
// "a feed".
func (r *Report) AtLeastOne(what string, keys ...string) {
	r.declare(func(rules *Rules) { rules.AnyOf = append(rules.AnyOf, keys) })
	if !slices.ContainsFunc(keys, r.Given) {
		r.Problemf("", "%s is missing; give at least one of %s", what, strings.Join(keys, ", "))
	}
}

// ExactlyOne reports the mapping if none of the keys is in the file, and every key after the first.
// what describes them, such as "a credential".
func (r *Report) ExactlyOne(what string, keys ...string) {
	r.declare(func(rules *Rules) { rules.ExactlyOne = append(rules.ExactlyOne, keys) })
	if r.firstGiven(what, keys) == "" {
		r.Problemf("", "%s is missing; give exactly one of %s; a secret in a file has the key NAME_file", what,
			strings.Join(keys, ", "))
	}
}

// NotBoth reports the second key if both are in the file.
func (r *Report) NotBoth(what, first, second string) {
	r.declare(func(rules *Rules) { rules.NotBoth = append(rules.NotBoth, []string{first, second}) })
	r.firstGiven(what, []string{first, second})
}

// firstGiven is the first of the keys in the file; it reports every other one.
func (r *Report) firstGiven(what string, keys []string) (first string) {
	for _, key := range keys {
		switch {
		case !r.Given(key):
		case first == "":
			first = key
		default:
			r.Problemf(key, "%s is already set by %s; keep one of them", what, first)
		}
	}
	return first
}

// orList writes alternatives for a message: a, b or c.
func orList(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// formatDuration writes a duration in the file's form.
func formatDuration(d time.Duration) string {
	if d%time.Millisecond != 0 {
		return d.String()
	}
	return model.Duration(d).String()
}

// SchemaURL is where editors find the schema of the configuration.
const SchemaURL = "https://raw.githubusercontent.com/cdr-exporter/cdr-exporter/main/docs/config.schema.json"

// Rules are the rules for its keys that a [Validator] declares with the methods of [Report].
type Rules struct {
	// Required keys must be in the file.
	Required []string
	// Values are the allowed values of a key; for an element of a list the key is "types[0]".
	Values map[string][]string
	// Least is the least number allowed for a key.
	Least map[string]int64
	// AnyOf and ExactlyOne are groups of keys; at least one, or exactly one, must be in the file.
	AnyOf, ExactlyOne [][]string
	// NotBoth are pairs of keys of which at most one may be in the file.
	NotBoth [][]string
}

// RulesOf lists the rules of a struct type, which its Validate declares for a value with its
// defaults.
func RulesOf(t reflect.Type) *Rules {
	d := &decoder{rules: &Rules{Values: map[string][]string{}, Least: map[string]int64{}}, broken: map[string]bool{}}
	v := reflect.New(t).Elem()
	setDefaults(v)
	d.validate(v, "")
	return d.rules
}
