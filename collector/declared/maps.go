package declared

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// A parameter with `map` has networks by name, or a table's columns by name. Its values are stored
// like other parameters' values, under PARAMETER.NAME.
const (
	mapOfNetworks = "networks"
	mapOfColumns  = "columns"
)

// columnName matches the name of a column that needs no quotes.
var columnName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// columnIn matches a column in a query: {PARAMETER.NAME}.
var columnIn = regexp.MustCompile(`\{([a-z_][a-z0-9_]*)\.([a-z_][a-z0-9_]*)\}`)

// decodeMap decodes the value of a parameter with `map`.
func (b *Block) decodeMap(f config.Field, of string) {
	if !f.Value.IsMap() {
		f.Value.Problemf("must be a mapping of names to %s, is %s", of, f.Value.Form())
		return
	}
	for _, e := range f.Value.Fields() {
		var values language.Texts
		e.Value.Decode(&values)
		b.Values[f.Key+"."+e.Key] = values
		if of == mapOfColumns {
			if known := b.definition.columnsOf(f.Key); !slices.Contains(known, e.Key) {
				e.Value.Problemf("is unknown; the columns here are %s", strings.Join(known, ", "))
			} else if len(values) != 1 || !columnName.MatchString(values[0]) {
				e.Value.Problemf("must be the name of one column, of letters, digits and _")
			}
			continue
		}
		for _, text := range values {
			if _, err := language.ParseNetwork(text); err != nil {
				e.Value.Problemf("must be addresses or networks such as 192.0.2.7 or 10.1.0.0/16")
			}
		}
	}
}

// columnsOf are the columns of a parameter that the queries name.
func (d *Definition) columnsOf(parameter string) (names []string) {
	for _, f := range d.Feeds {
		for _, found := range columnIn.FindAllStringSubmatch(f.Query, -1) {
			if found[1] == parameter && !slices.Contains(names, found[2]) {
				names = append(names, found[2])
			}
		}
	}
	slices.Sort(names)
	return names
}

// expandColumns puts columns into a query, and NULL in place of those that the source doesn't set.
func expandColumns(query string, parameters map[string][]string) string {
	return columnIn.ReplaceAllStringFunc(query, func(found string) string {
		return cmp.Or(strings.Join(parameters[found[1:len(found)-1]], ""), "NULL")
	})
}
