package collector

import (
	"bytes"
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/plan"
)

const syncFiguresFile = "testdata/sync-figures.txt"

// TestSyncFigures measures what reading by changes costs beside what ranges alone do,
// and compares with the figures that the docs include. After a change that is meant:
// go test -run SyncFigures -update.
func TestSyncFigures(t *testing.T) {
	if testing.Short() {
		return
	}
	var got bytes.Buffer
	fmt.Fprint(&got, "Reading by changes, with ranges of level 3 and deeper beside them, simulated.\n"+
		"A call every 2 minutes; an answer takes 0.2 s.\n\n"+
		"                                requests per hour                        reads of each call\n"+
		"  interval  lookback   changes  ranges beside  ranges alone        changes and ranges   ranges alone\n")
	for _, l := range []plan.Ladder{minutely, {Interval: time.Minute, Lookback: 10 * time.Minute}} {
		var requests [3]float64
		var reads [2]float64
		synctest.Test(t, func(t *testing.T) { requests[0], requests[1], reads[0] = cost(t, l, true) })
		synctest.Test(t, func(t *testing.T) { _, requests[2], reads[1] = cost(t, l, false) })
		fmt.Fprintf(&got, "  %-9s %-8s %9.1f %14.1f %13.1f %25.1f %14.1f\n",
			show(l.Interval), show(l.Lookback), requests[0], requests[1], requests[2], reads[0], reads[1])
	}
	t.Log("\n" + got.String())
	if *update {
		if err := os.WriteFile(syncFiguresFile, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(syncFiguresFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%s has other figures: go test -run SyncFigures -update, and look at what changed", syncFiguresFile)
	}
}

// cost is how many requests are made in an hour, for changes and for ranges, and how
// often a call is read. It runs for two and a half lookbacks.
func cost(t *testing.T, l plan.Ladder, bySync bool) (changes, ranges, reads float64) {
	of := newChanging(newModel(time.Now()))
	of.latency, of.size, of.pageSize = 200*time.Millisecond, 1000, 10_000
	of.visits = make(map[string]int)
	run := 5 * l.Lookback / 2
	traffic(of.model, time.Now().Add(run), 2*time.Minute, time.Second)
	loop := loopOver(of.model, l.Interval, l.Lookback)
	if bySync {
		loop = syncLoop(of, l)
	}
	loop.Start()
	pass(t, run)
	loop.Stop()
	visits, n := 0, 0
	for _, row := range of.rows {
		if row.start.Before(time.Now().Add(-2 * l.Lookback)) {
			visits, n = visits+of.visits[row.id], n+1
		}
	}
	rows := 0
	for _, r := range of.asked {
		rows += r.rows
	}
	reads = float64(visits)/float64(n) + float64(rows)/float64(len(of.rows))
	return float64(len(of.asked)) / run.Hours(), float64(of.pages) / run.Hours(), reads
}
