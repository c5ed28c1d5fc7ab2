// Package callrecords is the feed of Teams' call records: calls and meetings with their sessions and the quality of their streams.
//
// The list and notifications only name records. What they name is a task in the ledger, and one fetcher reads each record by its id:
//
//	list (ids, versions) ─┐
//	                      ├─▶ task ─▶ record with all its inner pages ─▶ cdr.Record
//	notifications (ids) ──┘                                          └─▶ task: read again when it has settled
//
// A call counts with the first version that has a session. Its streams, ratings and media bypass come with the settled version: read so long after
// the end of the call that clients have reported. One record is asked for no more often than Graph allows for one record.
package callrecords
