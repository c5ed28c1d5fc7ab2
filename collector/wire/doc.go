// Package wire parses the answers of all providers: JSON in memory, whose rows are
// bounded, and rows of which only the members that matter are decoded.
//
// A provider uses the parts that it needs.
package wire
