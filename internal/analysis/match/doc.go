// Package match joins two books of the same calls that share no ids: by numbers, start, duration and direction.
//
//	records ─▶ Book: rows, sorted on disk by call ─▶ calls of both books, sorted by numbers and start
//	─▶ clock and directions ─▶ calls sorted by numbers and the left clock ─▶ tariff ─▶ pairs ─▶ Result
//
// Invariants: a pair is never guessed, calls that can't be told apart are Ambiguous; each call is in one class; sums
// are integers and decimals; memory holds the calls of two numbers that follow each other within the tolerance.
//
// When things fail: books that can't be joined give an error, a sentence that says what to do. It contains no
// phone number.
package match
