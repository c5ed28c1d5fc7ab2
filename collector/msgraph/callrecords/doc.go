// Package callrecords is the feed of Teams' call records: calls and meetings with their sessions
// and the quality of their streams.
//
// The list and the notifications only name records. Each named record is a task in the ledger, and
// one fetcher reads each record by its id:
//
//	list (ids, versions) ─┐
//	                      ├─▶ task ─▶ record with all its inner pages ─▶ cdr.Record
//	notifications (ids) ──┘                                          └─▶ task: read again when it has settled
//
// A call counts with the first version that has a session. Its streams, ratings and media bypass
// come with the settled version, which is read long enough after the call's end for clients to have
// reported. Requests for one record stay within Graph's limit for one record.
package callrecords
