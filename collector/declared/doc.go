// Package declared reads providers that a YAML file describes instead of Go code: how to request
// rows, what the time filter means, and which value of a row is which field of a call
// (docs/definitions.md is the language).
//
//	definition.go   a provider: parameters, feeds, kinds of sources; extends.go: differences from a built-in one
//	block.go        a source's block, and the keys that its kind of source adds to it
//	parameter.go    keys that a definition adds to the blocks of a source and of a feed; maps.go: with values by name
//	mapper.go       a row becomes a cdr.Record, or is ignored, not final or invalid
//	fields.go       reads a field of a record; parties.go: numbers and countries
//	try.go          maps saved rows
//	visit.go        visits to queues, of calls or alone; snapshot.go: calls in progress; media.go: quality
//	innerlegs.go    legs within a row
//	tests.go        the section `tests`, which internal/analysis/laws plays
//	function.go     records that a Go function completes (builtin has the functions)
//	web.go          APIs
//	files.go        files
//	sql.go          databases
//	push.go         records that a system posts
//
// Packages below it:
//
//	language        values and conditions of a row
//	web             lists over HTTP
//	access          authorization of requests: keys, tokens, limits
//	files           files that another program writes
//	sql             databases
//	push            posted records
//	rows            rows of texts: CSV, JSON, patterns, XML
//	position        the stored form of a stream's position
//	rowmap          the interface of mappers, and of functions that complete records
//	builtin         the built-in definitions
//	sim             a simulated Asterisk
//
// web, files, sql and push hand rows to a rowmap.Mapper, and put its results on pages.
//
// A definition is checked when the configuration is read. Nothing in a row stops a page: a row that
// can't be mapped is set aside.
package declared
