package web

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// forIn matches the use of a value of the feed's `for` in a text of its request.
var forIn = regexp.MustCompile(`\{for\.([a-z0-9_]+)\}`)

var forName = regexp.MustCompile(`^[a-z0-9][a-z0-9_]*$`)

// Combinations are the sets of values, by name, with which the list is read. Without `for` the feed
// has one empty set.
func (l *List) Combinations(parameters map[string][]string) []map[string]string {
	all := []map[string]string{nil}
	for _, key := range slices.Sorted(maps.Keys(l.For)) {
		var more []map[string]string
		for _, values := range all {
			for _, text := range l.For[key] {
				list := []string{text}
				if found := language.ParameterIn.FindStringSubmatch(text); found != nil {
					list = parameters[found[1]]
				}
				for _, value := range list {
					with := map[string]string{key: value}
					maps.Copy(with, values)
					more = append(more, with)
				}
			}
		}
		all = more
	}
	return all
}

// ValidateFor reports values of `for` that aren't used, and uses of values that aren't there. isList says
// whether a parameter is a list.
func (l *List) ValidateFor(r *config.Report, key string, record map[string]*language.Value, isList func(string) bool) {
	used := make(map[string]bool)
	for where, text := range language.TextsIn(&l.Request, "") {
		for _, found := range forIn.FindAllStringSubmatch(text, -1) {
			if used[found[1]] = true; l.For[found[1]] == nil {
				r.Problemf(key+".request."+where, "names %s, but the feed's for doesn't have %s", found[0], found[1])
			}
		}
	}
	for value, v := range record {
		for _, place := range v.Places() {
			p := place.Path
			if len(p) == 2 && p[0] == language.ForKey && l.For != nil && l.For[p[1]] == nil {
				r.Problemf(key+"."+value, "names %s, but the feed's for doesn't have %s", strings.Join(p, "."), p[1])
			}
		}
	}
	for of, values := range l.For {
		at := key + ".for." + of
		switch {
		case !forName.MatchString(of):
			r.Problemf(at, "must have a name of lower-case letters, digits and _, such as type")
		case len(values) == 0:
			r.Problemf(at, "is empty; add the values to read")
		case !used[of]:
			r.Problemf(at, "isn't in the request; use {for.%s} in its path, query or body", of)
		}
		for _, text := range values {
			for _, name := range language.ParametersIn(text) {
				if !isList(name) || text != "{"+name+"}" {
					r.Problemf(at, "has %s, which must be a text, or a parameter with list: true alone", text)
				}
			}
		}
	}
}
