// Package ledger keeps what makes counting exact: the ids that were seen, the
// series, the log records that wait to be sent, the read positions and pending
// work, in one embedded database.
//
// There is one way to change any of it: commit, a transaction that begins by
// moving a sequence number (compare and set, counting.md 1). Memory changes only
// after the database has said that the transaction is durable; when it can't
// say, the ledger reopens the file and reads whether it was.
//
//	          ┌─ ids seen ──────┐
//	page ──▶  │  series (tally) │ ── COMMIT ──▶ memory ──▶ Snapshot, Outbox
//	          │  outbox batch   │      └ error: nothing happened, or reopen
//	          └─ position ──────┘
//
// Ids lie by the hour of their call's start (keys.go), those of a feed whose starts move
// in spans of days (hourless.go), and a record's sessions lie where it does (media.go).
// Facts that belong to more than one record lie in spans too (span.go): sessions that are
// listed once per view (group.go), failures that a parent and its child share (parent.go),
// recordings.
//
// The exported API says nothing of the engine. It is SQLite today; schema and
// statements stay within what PostgreSQL shares.
//
// When things fail: a full disk refuses commits that grow (ErrFull) and lets the
// outbox drain from a reserve; a file that is locked, corrupt, newer, read-only
// or on a network file system isn't opened, with an error that says what to do.
package ledger
