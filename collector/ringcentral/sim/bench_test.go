package sim

import (
	"bytes"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// A page of a thousand rows in the middle of a million.
func BenchmarkPage(b *testing.B) {
	w := world(b, Mix(), 1_000_000, nil)
	r := newRows(w.Mix(), "https://127.0.0.1/restapi/v1.0/account/1", accountIDs)
	ask := simulator.Query{From: begin, To: begin.Add(24 * time.Hour), At: begin.Add(90 * time.Hour), Skip: 500_000, Limit: 1000, Lists: 1<<voiceIn | 1<<voiceOut}
	var buffer bytes.Buffer
	for b.Loop() {
		buffer.Reset()
		w.Page(ask, func(c *simulator.Call, v *simulator.Version) {
			buffer.Write(r.row(buffer.AvailableBuffer(), c, v, true))
		})
	}
	b.ReportMetric(float64(buffer.Len()), "B/page")
}

func BenchmarkSync(b *testing.B) {
	w := world(b, Mix(), 1_000_000, nil)
	r := newRows(w.Mix(), "https://127.0.0.1/restapi/v1.0/account/1", accountIDs)
	ask := simulator.Since{After: begin.Add(12 * time.Hour), At: begin.Add(90 * time.Hour), Limit: 1000}
	var buffer bytes.Buffer
	for b.Loop() {
		buffer.Reset()
		w.Changes(ask, func(c *simulator.Call, v *simulator.Version) {
			buffer.Write(r.row(buffer.AvailableBuffer(), c, v, true))
		})
	}
}

func BenchmarkActive(b *testing.B) {
	w, err := simulator.NewWorld(Live(1, Mix(), begin, 5))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		w.Active(begin.Add(30 * time.Hour))
	}
}
