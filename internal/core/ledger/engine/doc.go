// Package engine runs SQL on SQLite in a file of this process, or on a PostgreSQL-wire database that
// several replicas share. Statements are in SQLite's dialect; their texts are prepared once.
//
//	Open ─▶ Engine ─┬─ Transact: BEGIN, statements of its Session, COMMIT, on one connection
//	                └─ Reader: a Session of a pool, which reads meanwhile
//
// It knows no table, but that each ledger has one called meta. Errors say what to do, and wrap the
// errors that callers tell apart. After ErrIO the connection must not be used again: the caller
// closes the engine and opens a new one. After ErrUnknown the transaction may be durable or not: the
// caller reads back what it wrote to find out.
package engine
