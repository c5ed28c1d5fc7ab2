package wavix

import "testing"

// BenchmarkDecode decodes and maps whole answers of a thousand rows.
func BenchmarkDecode(b *testing.B) {
	const rows = 1000
	for format, body := range map[string][]byte{
		formatJSON: benchPage(rows), formatStream: benchStream(rows), formatCSV: benchCSV(rows),
	} {
		b.Run(format, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				d, err := decodeBody(format, kindPlaced, body)
				if err != nil || len(d.answer.rows) != rows {
					b.Fatalf("decoded %d rows, want %d; error %v", len(d.answer.rows), rows, err)
				}
			}
			b.ReportMetric(float64(b.N*rows)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
