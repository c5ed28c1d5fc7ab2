// Package ids remembers by keys what a feed has counted: each record, its further ids, calls and
// facts, each with its state as bytes.
//
// A Store looks up keys and stores states by key. It uses two tables of the ledger:
//
//	journal  a row per commit: its entries, of whichever buckets; all of it is in memory too
//	blocks   a row has many entries of one bucket, sorted and compressed
//
// Keep adds a row to the journal. When the journal is full, and before old buckets are forgotten,
// Pack moves it into the blocks, bucket by bucket: a new block replaces those before it that aren't
// more than twice as large, so that a bucket has few blocks and an entry is rewritten seldom. A block
// has at most 8192 entries.
// Forget deletes the blocks of whole buckets.
//
// Keep, Pack and Forget write within a transaction, which may be tried again; Apply brings memory
// to what they wrote once it is durable.
package ids
