package sim

import (
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// BenchmarkDeepPage makes the last page of a thousand rows of a day of 100,000, of which
// some are late, at another instant each time.
func BenchmarkDeepPage(b *testing.B) {
	a := accountOf(b, AccountSettings{Placed: world(b, PlacedMix(), 100_000, nil)})
	writer := writer{format: formatOf(GenerationC)}
	at, rows := begin.Add(20*time.Hour), 0
	for b.Loop() {
		at = at.Add(time.Second)
		l := a.listing(begin, begin, placed, all, terms{zone: time.UTC, at: at})
		total, body := l.total(), []byte(nil)
		l.page(total-1000, 1000, func(r *row, v *version) {
			body = writer.json(body, r, v)
			rows++
		})
	}
	if rows < b.N*1000 {
		b.Errorf("%d rows in %d pages", rows, b.N)
	}
}

// BenchmarkIndex makes the index of a day of 100,000 calls, which every page of it and
// every instant then share.
func BenchmarkIndex(b *testing.B) {
	a := accountOf(b, AccountSettings{Received: world(b, ReceivedMix(), 100_000, nil)})
	for b.Loop() {
		d := day{from: begin.UnixMilli(), to: begin.Add(24 * time.Hour).UnixMilli()}
		d.build(a, Shuffled, false)
		if len(d.lists[received].rows) < 90_000 {
			b.Error("rows are missing")
		}
	}
}

// BenchmarkExport streams a day of 100,000 rows over HTTPS.
func BenchmarkExport(b *testing.B) {
	_, c := start(b, Settings{Account: accountOf(b, AccountSettings{
		Received: world(b, ReceivedMix(), 100_000, func(s *simulator.Settings) { s.Duplicated = 0 }),
	})})
	for b.Loop() {
		if n := len(lines(c.export(Received))); n != 100_000 {
			b.Fatalf("%d rows", n)
		}
	}
}

// BenchmarkTotals counts 100,000 calls.
func BenchmarkTotals(b *testing.B) {
	a := accountOf(b, AccountSettings{Received: world(b, ReceivedMix(), 100_000, nil)})
	for b.Loop() {
		if a.Totals(begin.Add(90*time.Hour)).Records < 100_000 {
			b.Error("records are missing")
		}
	}
}
