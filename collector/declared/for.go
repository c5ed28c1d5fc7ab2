package declared

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

const completeTotal = "total"

// forIn matches the use of a value of the feed's `for` in a text of its request.
var forIn = regexp.MustCompile(`\{for\.([a-z0-9_]+)\}`)

// combinations are the sets of values, by name, with which the list is read. Without `for` the feed
// has one empty set.
func (l *List) combinations(parameters map[string][]string) []map[string]string {
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

// with is the list with values of `for` in place of their names in its request.
func (l *List) with(values map[string]string) *List {
	if values == nil {
		return l
	}
	with := *l
	put := func(text string) string {
		return forIn.ReplaceAllStringFunc(text, func(found string) string {
			return values[forIn.FindStringSubmatch(found)[1]]
		})
	}
	with.Request.Path, with.Request.Query = make(language.Texts, len(l.Request.Path)), make(map[string]string)
	for i, text := range l.Request.Path {
		with.Request.Path[i] = put(text)
	}
	for key, text := range l.Request.Query {
		with.Request.Query[key] = put(text)
	}
	if l.Request.Body != nil {
		with.Request.Body = &requestBody{mapTexts(l.Request.Body.value, func(text string) any { return put(text) })}
	}
	return &with
}

// validateFor reports names in a request or a record that `for` doesn't have, and the other way
// round.
func (d *Definition) validateFor(r *config.Report, key string, f *Feed) {
	used := make(map[string]bool)
	for where, text := range language.TextsIn(&f.Request, "") {
		for _, found := range forIn.FindAllStringSubmatch(text, -1) {
			if used[found[1]] = true; f.For[found[1]] == nil {
				r.Problemf(key+".request."+where, "names %s, but the feed's for doesn't have %s", found[0], found[1])
			}
		}
	}
	for value, v := range language.Values(&f.Record, "") {
		for _, place := range v.Places() {
			p := place.Path
			if len(p) == 2 && p[0] == language.ForKey && f.For != nil && f.For[p[1]] == nil {
				r.Problemf(key+".record."+value, "names %s, but the feed's for doesn't have %s",
					strings.Join(p, "."), p[1])
			}
		}
	}
	for of, values := range f.For {
		at := key + ".for." + of
		switch {
		case !name.MatchString(of):
			r.Problemf(at, "must have a name of lower-case letters, digits and _, such as type")
		case len(values) == 0:
			r.Problemf(at, "is empty; add the values to read")
		case !used[of]:
			r.Problemf(at, "isn't in the request; use {for.%s} in its path, query or body", of)
		}
		for _, text := range values {
			for _, found := range language.ParameterIn.FindAllStringSubmatch(text, -1) {
				if !d.Parameters[found[1]].List || text != found[0] {
					r.Problemf(at, "has %s, which must be a text, or a parameter with list: true alone", text)
				}
			}
		}
	}
}
