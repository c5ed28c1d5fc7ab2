// Package web asks APIs for lists of rows over HTTP: what a definition says of requests, pages,
// filters and totals, and the readers that ask. It hands rows to a Mapper, and knows no field of a
// call except its id and its times.
//
//	api.go       the API; refusal.go: the provider's own reason in a refused answer
//	list.go      a list; request.go, body.go, for.go, filter.go, next.go, export.go, totals.go,
//	             names.go and recording.go are its parts
//	source.go    an API of a source, and what its feeds read
//	read.go      reads a span list by list
//	walk.go      follows the pages of a list; page.go: a page
//	listing.go   counts the rows of a list; rowset.go: the different ones
//	inserted.go  reads by time of insertion
//	snapshot.go  calls in progress
package web
