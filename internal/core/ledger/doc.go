// Package ledger keeps what makes counting exact: the ids that were seen, the series, the log
// records that wait to be sent, the read positions and pending work, in one database.
//
// There is one way to change any of it: commitChange, a transaction that begins by moving a sequence
// number (compare and set, counting.md 1). Memory changes only after the database has said that the
// transaction is durable. If it can't say, the ledger reopens the file and finds out.
//
//	page ─▶ counting ─▶ readKnown ─▶ counting ─▶ write ─▶ COMMIT ─▶ publish ─▶ Snapshot, Outbox
//	        which keys  what is      what it     ids, series,   └ error: nothing happened, or reopen
//	                    known        changes     logs, position
//
// It knows no rule of counting. From top to bottom:
//
//	inspect.go, audit.go, copy.go     reading a ledger for operators and commands; copying it
//	ledger.go, maintenance.go         open and close; show new series, forget what can't be read again
//	page.go                           the commit of one page
//	feed.go, replicas.go              a feed's state, and which replica owns it
//	tasks.go, dailytotals.go,         further state of a feed, or of a source
//	trailing.go, lastrows.go, secret.go
//	outbox.go, outbox                 log records and spans that wait to be sent
//	commit.go, replaced.go, verify.go the transaction, whether the ledger is still the same one, invariants
//	ids                               the memory of records, by keys
//	catalogue.go, schema.go           definitions of metrics and the layout of tables
//	folder.go                         the folder of this process with SQLite's file: its lock, room and reserve
//	engine                            SQLite, or a PostgreSQL-wire database that several replicas share: sessions
//	                                  that run statements, transactions, and what errors mean
//
// When things fail: a full disk refuses commits that grow (ErrFull) and lets the outbox drain from
// a reserve; a file that is locked, corrupt, of another schema, read-only or on a network file
// system isn't opened, with an error that says what to do.
package ledger
