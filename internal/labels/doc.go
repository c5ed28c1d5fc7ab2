// Package labels looks up the operator's labels of a call: departments, sites, cost centres, from CSV files of the operator's or as the provider tells
// them. They are bounded by what the files have. A record is looked up before redaction, and only the value is kept.
//
// Our own party decides: the caller of an outbound or internal call, the callee of an inbound one.
package labels
