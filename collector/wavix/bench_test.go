package wavix

import (
	"bytes"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector"
)

// BenchmarkDecode decodes and maps whole answers of a thousand rows.
func BenchmarkDecode(b *testing.B) {
	const rows = 1000
	for format, body := range map[string][]byte{
		formatJSON: benchPage(rows), formatStream: benchStream(rows), formatCSV: benchCSV(rows),
	} {
		b.Run(format, func(b *testing.B) {
			got := 0
			batch := newTestBatch()
			batch.open(day1, func(batch *collector.Page) error {
				got += len(batch.Records)
				return nil
			})
			r := newReading(asker{}, format, batch)
			reader := bytes.NewReader(body)
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				reader.Reset(body)
				batch.query(query{Day: day1, Kind: kindPlaced})
				var err error
				switch format {
				case formatJSON:
					_, err = r.pages.decode(reader, 1, rows)
				case formatStream:
					err = r.stream.decode(reader)
				case formatCSV:
					err = r.csv.decode(reader, 1, rows)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
			if got != b.N*rows {
				b.Fatalf("decoded %d rows, want %d", got, b.N*rows)
			}
			b.ReportMetric(float64(got)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
