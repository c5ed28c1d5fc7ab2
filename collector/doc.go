// Package collector reads the feeds: one loop per feed, and the driver that pulls pages from a
// reader and commits them. Which range of time is due is decided by collector/plan.
//
//	Loop (a goroutine per feed) ─▶ Feed.Poll
//	                 │
//	                 │ RangeFeed: plan ─▶ span of time ─▶ Driver ◀─pages─ RangeReader
//	                 │                                      └─▶ Ledger.Commit
//	                 │ StreamFeed: position ─▶ StreamReader ─pages─▶ Ledger.Commit
//	                 │ TaskFeed: a RangeFeed's lists and notifications ─▶ tasks in the ledger
//	                 │                                      └─▶ Fetcher.Fetch ─▶ Ledger.Commit
//
// After a poll that succeeded the Loop reads a span again that is due (owed.go).
//
// `backfill`, `report`, `match`, `records` and `check sources` use the same Driver with another Commit, and a SpanLoop.
//
// Invariants:
//
//   - A position moves only after the last page of a complete read. The plan is part
//     of it, so a restart goes on where the last commit left it.
//   - The watermark moves only over time that complete reads have joined to it,
//     never past the provider's own time, and never so far ahead of the deepest
//     read that what is still owed would lie beyond a catch-up or the floor.
//   - What a list or a notification names waits in the ledger until it was fetched, is
//     given up and shown, or isn't there any more; the watermark waits for it.
//   - A level's stamp says that its read began then and reached back far enough;
//     stamps and watermark are in the provider's time, waits in monotonic
//     time.
//
// When things fail: a feed's failure stays its own, a panic included. A read that
// fails is tried again within a second, then ever slower up to a minute; a long
// one by itself and in shorter pieces, while shorter ones go on. A full disk or
// outbox pauses reading and loses nothing, for the provider keeps the rows. A plan
// that can't be read costs a deep read. Clocks that differ move positions up to the
// earlier one only, or not at all.
//
// counting.md 5 to 10 are the rules; the tests name them, and
// testdata/plan-figures.txt has what the plan costs and gives.
package collector
