// Package wavix reads the call detail records of a Wavix account (feed call_log) and
// counts its calls in progress (feed active_calls), in every generation of the API:
// /v1/cdr with the key in the query, /v1/cdrs with the key as bearer, and what lies
// between.
//
// The way of a row:
//
//	key ─────┐
//	         ▼
//	Wavix ─▶ httpclient.Fetch ─▶ page, stream or CSV, decoded as it comes ─▶ fields (one row)
//	         ▲                                                                    │
//	         └── dayReader: which page of which day, of which type                ▼
//	                  ▲                                   ledger ◀─ batch ◀─ cdr.Record
//	                  └── keys of the rows that were handed on ──────┘
//
// Invariants:
//
//   - All dispositions are asked for. A day more is asked for on either side of a range,
//     since nobody says in which time zone the provider's days are; each row's own time
//     decides where it belongs.
//   - No row says its type, so direction and call type are the question's, and so is a
//     part of its key: an id may be listed under both types.
//   - A row is known (to the dayReader) only when it was handed on: what is kept back, as
//     parts of other calls and what may be a twin, is handed on before a read ends, also
//     when it fails.
//   - A row whose field has another JSON type than the provider documents is set aside
//     with its position; the rest goes on. Numbers of parties and money may be a string, a
//     number or null. Strings and members that are new are no fault.
//   - The key is in no error, log or metric, though it may travel in the URL; nor is
//     anything else of an answer, but for messages that are known.
//
// Pages shift while they are read, so whether rows without an id that say the same are
// twins is told here (twins) and not by the numbering of pages: a batch never says that
// its page begins, and whoever numbers them (counting.md 18) may count all that come in
// one read. Rows with an id may come several times.
//
// When things fail: an answer that is cut, is HTML, or says that it failed, with whatever
// status, is asked for again by httpclient.Fetch, then the read fails; a path that isn't
// there is looked for in the other generation. Advise says what an error means.
package wavix
