package bench

import (
	"log/slog"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/exporters/prometheus"
)

// BenchmarkScrapeBesideCommits scrapes a ledger of some thousand series, alone and while pages are
// committed to it without a pause. p99-idle-ns and p99-busy-ns are what 99 of a hundred scrapes
// stay below, ratio is busy by idle (the aim: 1.5); commit-ratio is how long a commit takes beside
// scrapes without a pause, by how long it takes alone.
func BenchmarkScrapeBesideCommits(b *testing.B) {
	byName(b)
	i := openIDs(b, b.TempDir(), "")
	defer func() {
		if err := i.ledger.Close(); err != nil {
			b.Error(err)
		}
	}()
	n := 0
	commit := func() time.Duration {
		i.fill(n)
		for k, r := range i.page {
			r.CallType = "type_" + string('a'+rune(k/26%26)) + string('a'+rune(k%26))
		}
		began := time.Now()
		i.commit(b, n)
		n++
		return time.Since(began)
	}
	for range 50 {
		commit()
	}
	h := prometheus.Handler(prometheus.Gatherer{i.ledger.Store()}, slog.New(slog.DiscardHandler))

	idle := make([]time.Duration, 300)
	for k := range idle {
		idle[k] = scrapeOnce(h, &sink{header: http.Header{}}, scrapeText)
	}
	alone := make([]time.Duration, 100)
	for k := range alone {
		alone[k] = commit()
	}

	// All scrapes and commits at once: each ends when the other has done its share.
	var busy []time.Duration
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				busy = append(busy, scrapeOnce(h, &sink{header: http.Header{}}, scrapeText))
			}
		}
	}()
	beside := make([]time.Duration, 300)
	for k := range beside {
		beside[k] = commit()
	}
	close(stop)
	<-done
	if len(busy) < 100 {
		b.Fatalf("only %d scrapes beside %d commits", len(busy), len(beside))
	}
	b.ReportMetric(float64(p99(idle)), "p99-idle-ns")
	b.ReportMetric(float64(p99(busy)), "p99-busy-ns")
	b.ReportMetric(float64(p99(busy))/float64(p99(idle)), "ratio")
	b.ReportMetric(float64(median(beside))/float64(median(alone)), "commit-ratio")
	b.ReportMetric(float64(len(busy)), "scrapes")
}

// p99 is what 99 of a hundred stay below.
func p99(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)*99/100]
}
