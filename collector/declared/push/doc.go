// Package push accepts records that a system posts, and answers 2xx once they are durable. It knows
// no field of a call.
//
//	config.go   the records in a body
//	handler.go  requests
//	posted.go   pages of records, which another replica may have put into the ledger
package push
