// Package collector reads the feeds: one loop per feed, and the driver that pulls pages from a
// reader and commits them. Package collector/plan decides which range of time is due.
//
// A loop has parts, and each says when it has something to do next:
//
//	Loop (a goroutine per feed)
//	  ├─ subscription  keeps the provider's notifications coming
//	  ├─ posted        records that were posted to another replica ──────▶ Ledger.Commit
//	  ├─ stream        position ─▶ StreamReader ─pages───────────────────▶ Ledger.Commit
//	  ├─ ranges        plan ─▶ span of time ─▶ Driver ◀─pages─ RangeReader ▶ Ledger.Commit
//	  ├─ records       what lists and notifications named ─▶ Fetcher ────▶ Ledger.Commit
//	  ├─ snapshot      calls in progress: nothing is committed
//	  └─ owed          spans that are read again, while the provider answers
//
// `backfill`, `report`, `match`, `records` and `check sources` use the same Driver with another Commit, and a SpanLoop.
//
// Invariants:
//
//   - A position is never committed before the rows that were read up to it. The plan
//     is the position of ranges, committed after the last page of a span, so a restart
//     continues where the last commit left it. Pages of a stream have theirs with them.
//   - The watermark moves only over time that complete reads have joined to it, and
//     never past the provider's own time. It also stays close enough to the deepest
//     read that a catch-up still covers what is owed, above the floor.
//   - A record that a list or a notification names waits in the ledger until it was
//     fetched, is given up and shown, or no longer exists. The watermark waits for it.
//   - A level's stamp says that its read began then and reached back far enough.
//     Stamps and watermark are in the provider's time, waits in monotonic time.
//
// When things fail: one feed's failure, even a panic, doesn't affect the others. A
// failed read is retried within a second, then less and less often, up to every
// minute. A long read is retried by itself and in shorter pieces, while shorter reads
// go on. A full disk or outbox pauses reading and loses nothing, because the provider
// keeps the rows. If the plan can't be parsed, the feed does a deep read. If clocks
// differ, positions move up to the earlier one only, or not at all.
//
// counting.md 5 to 10 are the rules; the tests name them, and
// testdata/plan-figures.txt has what the plan costs and gives.
package collector
