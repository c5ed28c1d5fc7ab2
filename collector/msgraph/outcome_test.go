package msgraph

import (
	"regexp"
	"slices"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

func TestSubCodeTables(t *testing.T) {
	slug := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	for name, table := range map[string][]cdr.Cause{"codes": subCodes, "ranges": subCodeRanges} {
		if !slices.IsSortedFunc(table, func(a, b cdr.Cause) int { return int(a.Code - b.Code) }) {
			t.Errorf("%s: the table isn't ordered by code", name)
		}
		for i, row := range table {
			if i > 0 && table[i-1].Code == row.Code {
				t.Errorf("%s: %d has two rows", name, row.Code)
			}
			if row.Reason != "" && (!slug.MatchString(row.Reason) || len(row.Reason) > 24) {
				t.Errorf("%s: %d has the slug %q", name, row.Code, row.Reason)
			}
			if row.Source == "" {
				t.Errorf("%s: %d has no source", name, row.Code)
			}
		}
	}
}
