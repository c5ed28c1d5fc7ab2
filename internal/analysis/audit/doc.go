// Package audit compares what a provider lists of a closed span of time with what a ledger has counted, day by day.
//
//	day ─▶ pieces ─▶ pages ─▶ ledger, as it is now ─▶ findings ─▶ Day
//	          all of the day once more, if something is missing or costs something else
//
// It writes nothing. Each record is looked up by the keys that a commit would look up
// (internal/core/counting), so that twins, aliases and starts that moved are no matter.
//
// A row that came or changed after the exporter last read its time isn't missing: as long as the
// exporter runs and its read plan is to read that time again, the row is NotFinal. Where that read
// is near, it is waited for.
//
// Memory holds a page and the hashes of a day's records, some 50 bytes each. The ledger is opened
// anew for each page and is closed while the provider is asked: a view that is open for hours would
// keep SQLite from giving the room of its log back.
//
// When things fail: a piece that can't be read is tried again; then the audit ends with the error,
// and says nothing of that day.
package audit
