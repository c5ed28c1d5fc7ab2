// Package ledger keeps what makes counting exact: the ids that were seen, the series, the log records that wait to be sent, the read
// positions and pending work, in one database.
//
// There is one way to change any of it: commit, a transaction that begins by moving a sequence number (compare and set, counting.md 1).
// Memory changes only after the database has said that the transaction is durable; when it can't say, the ledger reopens the file and reads
// whether it was.
//
//	page ─▶ internal/counting ─▶ readKnown ─▶ internal/counting ─▶ write ─▶ COMMIT ─▶ publish ─▶ Snapshot, Outbox
//	        which keys          what is      what it changes     ids, series,   └ error: nothing happened, or reopen
//	                            known                            logs, position
//
// It knows no rule of counting. page.go has the steps of a page's commit and commit.go the transaction. What is remembered of records is a package of
// its own, ids: what is known of these keys, keep these. trailing.go has the figures of the last hours, inspect.go what an operator reads of the file.
//
// The exported API hides the engine: SQLite in a folder of this process (sqlite.go), or a PostgreSQL-wire database that several replicas
// share (postgres.go). Schema and statements are the same. Every commit checks which replica owns the feed (replicas.go).
//
// When things fail: a full disk refuses commits that grow (ErrFull) and lets the outbox drain from a reserve; a file that is locked,
// corrupt, of another schema, read-only or on a network file system isn't opened, with an error that says what to do.
package ledger
