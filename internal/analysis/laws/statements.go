package laws

import (
	"regexp"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/sql"
)

var tableIn = regexp.MustCompile(`(?i)^CREATE TABLE (?:IF NOT EXISTS )?(\w+)`)

var insertIn = regexp.MustCompile("(?i)^INSERT\\s+INTO\\s+([\\w.\"`]+)")

// tableOf is the table that a statement inserts into.
func tableOf(text string) string {
	if found := insertIn.FindStringSubmatch(text); found != nil {
		return strings.ToLower(found[1])
	}
	return ""
}

// statements are those of SQL, each by itself.
func statements(text string) (all []string) {
	begin := 0
	for at, token := range sql.Tokens(text, "sqlite") {
		if token == ";" {
			all = append(all, strings.TrimSpace(text[begin:at]))
			begin = at + 1
		}
	}
	if rest := strings.TrimSpace(text[begin:]); rest != "" {
		all = append(all, rest)
	}
	return all
}

// value is a value in a statement: its column, with the column's type, and where it stands.
type value struct {
	table, column, typed string
	from, to             int
}

// fields are what stands between the commas of each outer pair of brackets: where each begins and ends.
func fields(text string) (groups [][][2]int) {
	depth, first := 0, false
	for at, token := range sql.Tokens(text, "sqlite") {
		if strings.TrimSpace(token) == "" {
			continue
		}
		if token == ")" {
			depth--
		}
		switch last := len(groups) - 1; {
		case depth == 0 && token == "(":
			groups, first = append(groups, nil), true
		case depth == 1 && token == ",":
			first = true
		case depth > 0 && first:
			groups[last], first = append(groups[last], [2]int{at, at + len(token)}), false
		case depth > 0:
			groups[last][len(groups[last])-1][1] = at + len(token)
		}
		if token == "(" {
			depth++
		}
	}
	return groups
}

// valuesIn are the values that a statement inserts.
func (b *bench) valuesIn(text string) (all []value) {
	table, groups := tableOf(text), fields(text)
	types := make(map[string]string)
	var columns []string
	for _, r := range b.setup {
		made, found := fields(r.text), tableIn.FindStringSubmatch(r.text)
		if found == nil || !strings.EqualFold(found[1], table) || len(made) == 0 {
			continue
		}
		for _, at := range made[0] {
			words := append(strings.Fields(r.text[at[0]:at[1]]), "")
			columns = append(columns, words[0])
			types[words[0]] = words[1]
		}
	}
	if named, _, _ := strings.Cut(text, "("); len(groups) > 0 && !strings.Contains(strings.ToUpper(named), "VALUES") {
		columns = nil
		for _, at := range groups[0] {
			columns = append(columns, text[at[0]:at[1]])
		}
		groups = groups[1:]
	}
	for _, group := range groups {
		for i, at := range group[:min(len(group), len(columns))] {
			all = append(all, value{table, columns[i], types[columns[i]], at[0], at[1]})
		}
	}
	return all
}
