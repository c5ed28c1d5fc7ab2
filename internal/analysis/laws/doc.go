// Package laws tests a definition: it makes a provider from the definition and its `tests`, reads
// and counts from it with the real loop and the real ledger, and plays the laws of counting
// (docs/counting.md).
//
//	laws.go     the laws, each a few scripts
//	truth.go    compares limits, and what each row becomes, with `tests`
//	answers.go  compares requests, and what their answers hold, with `tests`
//	bench.go    a feed under test: its parameters, and how its provider answers
//	saved.go    the rows of tests, of tables and of a saved file
//	scripts.go  the laws about times and failures; values.go: about values
//	play.go     a running script: a loop and a ledger, polled by the script's clock; it can be killed
//	server.go   a provider over HTTP: pages, filters, faults
//	folder.go   files, and a system that posts
//	database.go tables, in SQLite or in a real database; tables.go: their values, moved and damaged
//
// A script says which rows the provider shows when, and what fails meanwhile. In the end the ledger
// must have counted the same as when all rows are read at once. The package
// knows no provider by name.
package laws
