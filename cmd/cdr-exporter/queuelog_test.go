package main_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// queueLog is Asterisk's file of queue events, written and rotated while it is read.
type queueLog struct {
	path          string
	rng           *rand.Rand
	old           int
	written       map[string]int // visits by result
	waits         uint64         // visits whose wait the log tells
	waited        int            // for so many seconds
	lines, visits int
}

// append writes what some callers leave, each line in two pieces. Many lines of a file say the same; files differ from their first line.
func (q *queueLog) append() error {
	f, err := os.OpenFile(q.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	for range q.rng.IntN(100) {
		wait := q.rng.IntN(3)
		end := []struct{ result, line string }{
			{"answered", fmt.Sprintf("PJSIP/201|CONNECT|%d|1795428014.33|1", wait)},
			{"abandoned", fmt.Sprintf("NONE|ABANDON|1|1|%d", wait)},
			{"timeout", fmt.Sprintf("NONE|EXITWITHTIMEOUT|1|1|%d", wait)},
			{"overflowed", fmt.Sprintf("NONE|EXITEMPTY|1|1|%d", wait)},
			{"other", fmt.Sprintf("NONE|WITHDRAW|1|1|%d|by \"hand\", | at last", wait)},
			{"other", "NONE|EXITWITHKEY|1|1"},
		}[q.rng.IntN(6)]
		now := time.Now().Unix()
		for _, line := range []string{
			fmt.Sprintf("%d|1795428009.%d|support|NONE|ENTERQUEUE||4930123456|1\n", now, q.old),
			fmt.Sprintf("%d|1795428009.%d|support|%s\n", now, q.old, end.line),
		} {
			at := q.rng.IntN(len(line))
			_, first := f.WriteString(line[:at])
			_, second := f.WriteString(line[at:])
			err = errors.Join(err, first, second)
			q.lines++
		}
		q.written[end.result]++
		q.visits++
		if end.line != "NONE|EXITWITHKEY|1|1" {
			q.waits++
			q.waited += wait
		}
	}
	return errors.Join(err, f.Close())
}

// rotate is what `logger rotate` does.
func (q *queueLog) rotate() error {
	q.old++
	return os.Rename(q.path, fmt.Sprintf("%s.%d", q.path, q.old))
}

// TestQueueLogBetweenKills: a queue_log grows and is rotated while the exporter is killed again and again; every visit is counted once, and none is
// a call.
func TestQueueLogBetweenKills(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := filepath.Join(folder, "config.yaml")
	text := "storage: {path: ledger}\nmetrics: {zero_for: 0s}\nsources:\n  - name: pbx\n    asterisk: {queue_log: {paths: [queue_log*], interval: 1s}}\n"
	q := &queueLog{path: filepath.Join(folder, "queue_log"), rng: rand.New(rand.NewPCG(2, 7)), written: make(map[string]int)}
	if err := errors.Join(os.WriteFile(file, []byte(text), 0o600), q.append()); err != nil {
		t.Fatal(err)
	}
	v := newVault(t)
	killWhileWriting(t, v, file, 3, 20*time.Millisecond, func(n int) error {
		err := q.append()
		if n%40 == 0 && err == nil {
			err = q.rotate()
		}
		return err
	}, func(shown families, _ int) bool { return shown.sum("cdr_exporter_rows_total", "result=new") >= 200 })
	if err := q.append(); err != nil {
		t.Fatal(err)
	}
	x := start(t, v, launch{config: file}).ready()
	eventually(t, "count every visit once", func() error {
		var errs []error
		scraped := x.scrape()
		for result, want := range q.written {
			if got := scraped.sum("cdr_queue_calls_total", "result="+result, "queue=support", "feed=queue_log"); got != float64(want) {
				errs = append(errs, fmt.Errorf("%g visits are %s, want %d", got, result, want))
			}
		}
		return errors.Join(errs...)
	})
	scraped := x.scrape()
	visits, waits, waited := scraped.sum("cdr_queue_calls_total"), uint64(0), 0.0
	for _, m := range scraped.series("cdr_queue_wait_seconds", "queue=support") {
		waits += m.GetHistogram().GetSampleCount()
		waited += m.GetHistogram().GetSampleSum()
	}
	if visits != float64(q.visits) || waits != q.waits || waited != float64(q.waited) {
		t.Errorf("%g visits, %d waits of %g s; want %d, %d, %d", visits, waits, waited, q.visits, q.waits, q.waited)
	}
	if calls, invalid := scraped.sum("cdr_calls_total"), scraped.sum("cdr_exporter_rows_total", "result=invalid"); calls > 0 || invalid > 0 {
		t.Errorf("%g calls and %g invalid rows of %d lines", calls, invalid, q.lines)
	}
	x.stop()
}
