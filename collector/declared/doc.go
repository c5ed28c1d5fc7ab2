// Package declared reads providers that are described by a file of YAML instead of Go: how rows are asked for, what the time filter means, and
// which value of a row is which field of a call (docs/definitions.md is the language).
//
//	definition.go   a provider: parameters, feeds, ways in
//	block.go        what a source says of it
//	value.go        what a field is taken from: paths, tables, patterns, expressions
//	condition.go    when, ignore, final
//	row.go          one row of JSON or of columns, and the way to a value in it
//	httpway.go      lists over HTTP: reader.go goes from page to page, inserted.go reads by when rows appeared
//	fileway.go      files: filelook.go looks at all, filelines.go reads those that grow, filewhole.go those that are written once
//	sqlway.go       databases
//	pushway.go      records that a system posts
//	mapper.go       a row becomes a cdr.Record, or is ignored, not final or invalid
//	visit.go        visits to queues, of calls or alone
//
// A definition is checked when the configuration is read. Nothing in a row stops a page: a row that can't be mapped is set aside.
package declared
