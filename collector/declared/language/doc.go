// Package language says what a definition takes from a row: values and conditions. It knows neither
// feeds nor calls, except for the words of a call's fields and the codes for outcomes.
//
//	row.go            one row, and paths to the values in it
//	value.go          where a value comes from: paths, tables, patterns, expressions
//	reading.go        a value as a time, a length, an outcome, an amount
//	uses.go           what a value names: paths, parameters, lists
//	condition.go      conditions; bound.go: comparisons; networks.go: addresses
//	expression.go     expressions; timefunctions.go: their functions for times
//	convert.go        times and lengths of time
//	causes.go         codes of Q.850 and SIP; their tables are in internal/cdr
package language
