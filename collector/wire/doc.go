// Package wire reads what answers of providers are made of, whoever the provider is:
// JSON in memory, whose rows are bounded, and rows of which only the members that
// matter are decoded.
//
// A provider uses what it needs of it, and may do without.
package wire
