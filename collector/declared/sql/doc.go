// Package sql reads rows from databases: by a span of time, or by a number that grows with each
// insertion. It knows no field of a call.
//
//	reader.go  spans, and pages of rows
//	stream.go  rows by key, and the position
//	lex.go     placeholders in a query
//	driver.go  MySQL, PostgreSQL and SQLite; values as the database prints them
//	error.go   what errors of a database mean
package sql
