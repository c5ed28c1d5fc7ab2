// Package declared reads providers that a YAML file describes instead of Go code: how to request
// rows, what the time filter means, and which value of a row is which field of a call
// (docs/definitions.md is the language).
//
//	definition.go   a provider: parameters, feeds, kinds of sources
//	block.go        a source's block
//	parameter.go    keys that a definition adds to the blocks of a source and of a feed
//	value.go        where a field comes from: paths, tables, patterns, expressions
//	condition.go    when, ignore, final
//	row.go          one row of JSON or of columns, and the way to a value in it
//	httpway.go      lists over HTTP: reader.go follows pages, inserted.go reads by time of insertion
//	fileway.go      files, which the package files reads
//	rows            rows of texts: CSV, JSON, patterns, XML (a package)
//	sqlway.go       databases, which the package sql reads
//	pushway.go      records that a system posts, which the package push accepts
//	oauth.go        tokens; assertion.go: a signed token that names its user
//	refusal.go      the provider's own reason in a refused answer
//	function.go     records that a Go function completes (builtin has the functions)
//	mapper.go       a row becomes a cdr.Record, or is ignored, not final or invalid
//	visit.go        visits to queues, of calls or alone
//
// A definition is checked when the configuration is read. Nothing in a row stops a page: a row that
// can't be mapped is set aside.
package declared
