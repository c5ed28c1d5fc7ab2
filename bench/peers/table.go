package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// The moments at which calls are counted.
const (
	afterDay = iota
	afterRepeat
	afterLate
	afterRestart
	moments
)

// result is the counts and costs of a peer.
type result struct {
	name string
	// fresh and repeats are rows per CPU second: new rows, and rows that the process has read
	// before. reread are rows that were read before it started. They are 0 if the peer doesn't
	// distinguish them.
	fresh, repeats, reread float64
	// clock is new rows per second from the start of the process until all of them are shown.
	clock float64
	// peak is the peak memory, in MB, while the day was read for the first time.
	peak float64
	// disk is bytes per call at the end; 0 without a disk.
	disk float64
	// totals are the calls in the metrics at each moment.
	totals [moments]int
	// served is the processor time of this process in seconds: provider and receiver of logs.
	served float64
}

// perSecond is rows per second of a time.
func perSecond(rows int, took time.Duration) float64 { return float64(rows) / took.Seconds() }

// median takes each figure's median over the rounds, and the totals of the first round with wrong
// totals, if any.
func median(rounds []result) result {
	r := rounds[0]
	for _, figure := range []func(*result) *float64{
		func(r *result) *float64 { return &r.fresh }, func(r *result) *float64 { return &r.repeats },
		func(r *result) *float64 { return &r.reread },
		func(r *result) *float64 { return &r.clock }, func(r *result) *float64 { return &r.peak },
		func(r *result) *float64 { return &r.disk }, func(r *result) *float64 { return &r.served },
	} {
		all := make([]float64, len(rounds))
		for i := range rounds {
			all[i] = *figure(&rounds[i])
		}
		slices.Sort(all)
		*figure(&r) = all[len(all)/2]
	}
	return r
}

// table returns a function that prints a line of a table in Markdown, with a cell for each of columns.
func table[T any](w io.Writer, columns []T) func(name string, cell func(*T) string) {
	return func(name string, cell func(*T) string) {
		cells := make([]string, len(columns))
		for i := range columns {
			cells[i] = cell(&columns[i])
		}
		fmt.Fprintf(w, "| %s | %s |\n", name, strings.Join(cells, " | "))
	}
}

// printTable prints the results as Markdown. Those of the first half are compared with the second.
func printTable(w io.Writer, rows int, results []result) {
	line := table(w, results)
	line("", func(r *result) string { return r.name })
	fmt.Fprintf(w, "| --- |%s\n", strings.Repeat(" ---: |", len(results)))
	line("new rows per CPU second", func(r *result) string { return thousands(r.fresh) })
	half, column := len(results)/2, -1
	line("the same by the peer's", func(r *result) string {
		column++
		return fmt.Sprintf("%.2f", r.fresh/results[half+column%half].fresh)
	})
	again := func(name string, figure func(*result) float64) {
		line(name, func(r *result) string {
			if figure(r) == 0 {
				return "counts them twice"
			}
			return thousands(figure(r))
		})
	}
	again("rows read again per CPU second", func(r *result) float64 { return r.repeats })
	again("the same, the first time after a restart", func(r *result) float64 { return r.reread })
	line("CPU seconds per million calls over their life", func(r *result) string {
		if r.repeats == 0 {
			return "counts them twice"
		}
		return fmt.Sprintf("%.0f", lifetime(r, float64(rows)))
	})
	line("new rows per second by the clock", func(r *result) string { return thousands(r.clock) })
	line("peak memory", func(r *result) string { return fmt.Sprintf("%.0f MB", r.peak) })
	line("disk per id after the end", func(r *result) string {
		if r.disk == 0 {
			return "none"
		}
		return fmt.Sprintf("%.0f bytes", r.disk)
	})
	line("CPU of the provider and the sink", func(r *result) string { return fmt.Sprintf("%.1f s", r.served) })
	truth := [moments]int{rows, rows, rows + 1, rows + 1}
	for moment, what := range [moments]string{
		"calls after the day", "after rows came again", "after a late row",
		"after a restart",
	} {
		line(fmt.Sprintf("%s: truth %d", what, truth[moment]), func(r *result) string {
			if got := r.totals[moment]; got != truth[moment] {
				return fmt.Sprintf("**%d**", got)
			}
			return fmt.Sprint(truth[moment])
		})
	}
}

// printLife prints what the peers used for a part of the scaled day, as of a whole one.
func printLife(w io.Writer, s *settings, lives []life) {
	line := table(w, lives)
	days := s.Life.Seconds() / scaledDay.Seconds()
	line("a day of "+thousands(float64(s.LifeCalls))+" calls", func(l *life) string { return l.name })
	fmt.Fprintf(w, "| --- |%s\n", strings.Repeat(" ---: |", len(lives)))
	line("CPU seconds", func(l *life) string { return fmt.Sprintf("%.1f", (l.exporter+l.database)/days) })
	line("the same by the first", func(l *life) string {
		return fmt.Sprintf("%.1f", (l.exporter+l.database)/(lives[0].exporter+lives[0].database))
	})
	line("of that, the database", func(l *life) string { return fmt.Sprintf("%.1f", l.database/days) })
	line("reads of a row", func(l *life) string { return fmt.Sprintf("%.1f", float64(l.read)/float64(l.fresh)) })
	line("calls at the end, of those it was given", func(l *life) string {
		return fmt.Sprintf("%d of %d", l.calls, l.truth)
	})
}

// thousands writes a number with separated thousands; from a thousand it is rounded to hundreds.
func thousands(n float64) string {
	if n < 1000 {
		return fmt.Sprintf("%.0f", n)
	}
	digits := fmt.Sprintf("%.0f00", n/100)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
