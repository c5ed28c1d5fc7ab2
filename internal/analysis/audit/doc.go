// Package audit compares what a provider lists of a closed span of time with what a ledger has counted, day by day.
//
//	day ─▶ pieces ─▶ pages ─▶ ledger, as it is now ─▶ findings ─▶ Day
//	          all of the day once more, if something is missing or costs something else
//
// It writes nothing. It looks each record up by the same keys as a commit (internal/core/counting),
// so it handles twins, aliases and moved starts correctly.
//
// A row that came or changed after the exporter last read its time isn't missing. If the exporter
// runs and will read that time again, the row is NotFinal. If that read is near, the audit waits for
// it.
//
// Memory holds a page and the hashes of a day's records, some 50 bytes each. The audit opens the
// ledger for each page and closes it during requests to the provider: SQLite can't shrink its log
// while a view is open.
//
// When things fail: a piece that can't be read is tried again; then the audit ends with the error,
// and says nothing of that day.
package audit
