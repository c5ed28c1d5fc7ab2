package cdr

import (
	"cmp"
	"slices"
)

// Cause is one row of the taxonomy: the meaning of a code or of a range of codes.
type Cause struct {
	// Code is the code, or the first of a range; Last is the last of a range and 0 for a single code.
	Code, Last int64
	// Outcome is the outcome of a call that didn't connect. Unknown in the row of a provider's own
	// code means that the SIP code decides.
	Outcome Outcome
	// Reason is the label `reason`; empty if the code says nothing about a failure, and then the SIP code's applies.
	Reason string
	// FaultDomain is set if the code says more than the outcome implies.
	FaultDomain FaultDomain
	// Source names the document that defines the code.
	Source string
}

// SIPTaxonomy is a copy of the table of SIP codes, by code.
func SIPTaxonomy() []Cause { return slices.Clone(sipCauses) }

// SIPCause is the row of a final SIP code (RFC 3261 21 and its successors). One from 400 to 699
// without a row is a failure without a reason; any other is unknown. 0 stands for none.
func SIPCause(code int64) Cause {
	row, found := FindCause(sipCauses, code)
	if !found && code >= 400 && code <= 699 {
		row.Outcome = Failed
	}
	return row
}

// Q850Taxonomy is a copy of the table of causes of ITU-T Q.850, by code.
func Q850Taxonomy() []Cause { return slices.Clone(q850Causes) }

// Q850Cause is the row of a cause of ITU-T Q.850. One without a row is a failure without a reason.
// Q.850 has no cause 0.
func Q850Cause(code int64) Cause {
	row, found := FindCause(q850Causes, code)
	if !found {
		row.Outcome = Failed
	}
	return row
}

// FindCause looks a code up in a table that is ordered by code.
func FindCause(table []Cause, code int64) (row Cause, found bool) {
	i, found := slices.BinarySearchFunc(table, code,
		func(row Cause, code int64) int { return cmp.Compare(row.Code, code) })
	if found {
		row = table[i]
	}
	return row, found
}
