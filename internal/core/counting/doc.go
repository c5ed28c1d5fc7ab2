// Package counting decides what a page of records changes. It defines what a record means: whether
// it is new, a repeat, a revision, a leg of a call, too old or not final, and what each of these
// counts (docs/counting.md).
//
//	page ─▶ Decision.Keys    every key that the page needs: records, calls, facts, tasks, bad rows
//	     ─▶ (the ledger)     reads what is known of these keys, at once
//	     ─▶ Decision.More    further keys, of calls that these lead to, until nothing is missing
//	     ─▶ Decision.Decide  Change: what to remember, facts, log records, tasks, position
//	     ─▶ (the ledger)     writes the change in one transaction; memory changes once it is durable
//
// Nothing here reads a clock, a file or a database, and nothing changes a record or what is known:
// deciding again, in a transaction that is tried again, gives the same change. One file has one
// rule or two:
//
//	keys.go, buckets.go  the keys of a record, and where they are stored (counting.md 14, 15, 18)
//	decide.go            the order in which a page's records are decided
//	records.go           new, known, too old, not final; sessions and recordings (5, 14, 17)
//	visits.go            visits of callers to queues
//	revisions.go         what a version changes (16); earlier.go remembers what it was before
//	reused.go            an id that another call has later (38)
//	lastrows.go          rows that don't have to be decoded again (37)
//	legs.go              which call a record is a leg of (36)
//	callfacts.go         what counts once for all legs of a call, at once
//	waiting.go           calls that wait for further legs, and when they count (36)
//	countcall.go         what a call of several legs counts (36)
//	latelegs.go          what a late leg adds (36)
//	rememberedcall.go    the memory of a call that was counted
//	trailing.go          activity, connected calls (25)
//	dailytotals.go       what was counted by day
//	preview.go           a decision without a commit, for audits
//	memory.go            how a record was counted, for explain
//	spans.go             which calls get spans, and when
//	tasks.go             pending work (4, 32)
//	position.go          origin, watermark, first history (2, 5, 7, 20)
//	rules.go, page.go    what a provider declares; the input and the result of a decision
//	hasher.go, fields.go keyed hashes of ids and fields; row.go is their stored form
//	event.go             the identity of log records (27)
//
// What a fact does to series is internal/core/metrics: a new series shows 0 first (21) and the series
// limit folds open labels (22) in changes.go, sums are integers and decimals (24) in codec.go. A
// definition that changed (23) is internal/core/ledger/catalogue.go.
package counting
