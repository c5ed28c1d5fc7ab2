// Package wire reads what answers of providers are made of, whoever the provider is:
// JSON in memory, whose rows are bounded, rows of which only the members that
// matter are decoded, and the memory that a batch of them takes.
//
// A provider uses what it needs of it, and may do without.
package wire
