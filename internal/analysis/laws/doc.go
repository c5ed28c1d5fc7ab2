// Package laws tests a definition: it makes a provider from the definition and its `tests`, reads and counts from it
// with the real loop and the real ledger, and judges the laws of counting (docs/counting.md). It knows no provider by
// name.
//
//	Run ─▶ for each feed a bench ─▶ for each law a Verdict
//
//	bench: the source, and the rows of tests
//	├── rows, answers, limits compare the definition with tests
//	└── plain, once … killed, secret play scripts
//	      script ─▶ run: a world, which shows rows ◀── loop and ledger ─▶ played ─▶ compared with the law plain
//
// The words:
//
//   - A row is a row of the provider as it writes it, with the records that it gives. In a database it is a statement.
//     The base are the rows that the provider has in the end; other rows of tests are other versions of them.
//   - A bench is one feed under test. It doesn't change once it is made.
//   - A script says which rows the provider shows when, and what fails meanwhile. In the end the ledger must have
//     counted what it counts of all rows at once (the law plain), or what the script's judge says.
//   - A run is a script under way. Its clock moves only in steps, so that days take milliseconds. Its process can be
//     killed at a commit.
//   - A world is the provider of a run: a server, a folder, tables, or a system that posts.
//
// To add a law of counting, write a function that returns its scripts, and add it to the list in judge.go.
//
// Where to look:
//
//	laws.go, judge.go    Run, and how the laws are judged
//	bench.go             a feed under test and its source; row.go, given.go, saved.go: its rows, tables and answers
//	compare.go           the laws rows and limits; becomes.go: the fields of a record; answers.go: the law answers
//	sources.go           places of a row that fields are taken from
//	scripts.go           the laws of counting: order, late, refused …; edges.go: at the edges of reads
//	values.go            rows with unknown values, and with other times; damaged.go: with values that can't be read
//	play.go, process.go  a run, and its exporter; counted.go: what was counted, and what should be
//	world.go             worlds; server.go, request.go, page.go: over HTTP; database.go: in a database
//	json.go, document.go, statements.go   the texts of rows
package laws
