package docs_test

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/golden"
)

// TestDocsShowTheCauses fails if the tables of codes in the docs differ from the taxonomies; with
// -update it rewrites them.
func TestDocsShowTheCauses(t *testing.T) {
	golden.Tables(t, "causes.md", map[string]string{
		"sip-codes":   causeTable(cdr.SIPTaxonomy(), "`unknown`"),
		"q850-causes": causeTable(cdr.Q850Taxonomy(), ""),
	})
	golden.Tables(t, filepath.Join("providers", "msgraph.md"), map[string]string{
		"sub-codes": causeTable(msgraph.Provider().SubCodes, "–"), // the SIP code's
	})
}

// causeTable lists codes; undecided stands for an outcome that a code doesn't give.
func causeTable(rows []cdr.Cause, undecided string) string {
	var b strings.Builder
	b.WriteString("| code | outcome | reason | fault domain | source |\n| --- | --- | --- | --- | --- |\n")
	for _, row := range rows {
		code := strconv.FormatInt(row.Code, 10)
		if row.Last != 0 {
			code += " to " + strconv.FormatInt(row.Last, 10)
		}
		outcome, reason := undecided, "–"
		if row.Outcome != cdr.Unknown {
			outcome = "`" + row.Outcome.String() + "`"
		}
		if row.Reason != "" {
			reason = "`" + row.Reason + "`"
		}
		fault := "–"
		if domain := cmp.Or(row.FaultDomain, row.Outcome.FaultDomain()); domain != cdr.FaultUnknown {
			fault = "`" + domain.String() + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", code, outcome, reason, fault, row.Source)
	}
	return b.String()
}
