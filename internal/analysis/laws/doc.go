// Package laws tests a definition: it reads and counts, with the real loop and the real ledger,
// what a provider gives that it makes from the definition and its `tests`, and plays the laws of
// counting (docs/counting.md) on it.
//
//	laws.go     the laws, each a few scripts
//	truth.go    what each row becomes, and what the definition asks, compared with `tests`
//	bench.go    a feed under test: its parameters and rows
//	scripts.go  the laws that are about what a provider shows when, and what fails; values.go: about values
//	play.go     a script under way: a loop and a ledger, polled by the script's clock; it can be killed
//	server.go   a provider over HTTP: pages, filters, faults
//	folder.go   files, and a system that posts
//	database.go tables, in SQLite or in a real database
//
// A script says which rows the provider shows when, and what fails meanwhile. Whatever it does, the
// ledger must have counted in the end what it counts when all rows are read at once. The package
// knows no provider by name.
package laws
