// Package sim is a simulated Asterisk, for the built-in definition. It writes the files of the real
// one, with calls and queue visits that are the same in every run.
package sim

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Asterisk appends a row to Master.csv for each call that ends, and one to queue_log for each
// caller who leaves a queue. It is safe for concurrent use.
type Asterisk struct {
	folder string
	since  time.Time // the first calls begin here
	stop   chan struct{}
	done   chan struct{}

	mu      sync.Mutex
	paused  bool
	written time.Time // calls that ended up to then are in the file
}

const (
	// callPause is the time between the starts of two calls, callLongest the longest call.
	callPause   = 12 * time.Second
	callLongest = 5 * time.Minute
	rowTime     = "2006-01-02 15:04:05"
	// queuePause is the time between two callers who join a queue, queueLongest the longest wait.
	queuePause   = 7 * time.Second
	queueLongest = 2 * time.Minute
)

// begin is the start of the first calls, fixed so that every run has the same.
var begin = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// Start writes the calls that began at a time or later to the files in a folder, and continues with those that end
// later.
func Start(folder string, since time.Time) (*Asterisk, error) {
	a := &Asterisk{folder: folder, since: since, stop: make(chan struct{}), done: make(chan struct{}), written: since}
	if err := a.write(time.Now()); err != nil {
		return nil, fmt.Errorf("write the calls of the simulated PBX: %w", err)
	}
	go a.run()
	return a, nil
}

func (a *Asterisk) run() {
	defer close(a.done)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-a.stop:
			return
		case now := <-tick.C:
			_ = a.write(now) // the next write retries
		}
	}
}

// write appends what has ended by now, unless publication is paused.
func (a *Asterisk) write(now time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.paused {
		return nil
	}
	err := a.add("Master.csv", a.rowsUntil(now, callPause, callLongest, nthCall))
	if err == nil {
		err = a.add("queue_log", a.rowsUntil(now, queuePause, queueLongest, nthVisit))
		a.written = now
	}
	return err
}

func (a *Asterisk) add(name, rows string) error {
	file, err := os.OpenFile(filepath.Join(a.folder, name), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = file.WriteString(rows)
	return errors.Join(err, file.Close())
}

// Pause stops publication; Resume writes what was held back.
func (a *Asterisk) Pause() { a.setPaused(true) }

// Resume ends Pause.
func (a *Asterisk) Resume() { a.setPaused(false) }

func (a *Asterisk) setPaused(paused bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.paused = paused
}

// Calls is the number of calls in the file that began at an instant or later.
func (a *Asterisk) Calls(since time.Time) (calls int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if since.Before(a.since) {
		since = a.since
	}
	for n := max(0, int64(since.Sub(begin)/callPause)); ; n++ {
		start := begin.Add(time.Duration(n) * callPause)
		if start.After(a.written) {
			return calls
		}
		if _, end := nthCall(n, start); !start.Before(since) && !end.After(a.written) {
			calls++
		}
	}
}

// Close stops writing.
func (a *Asterisk) Close() {
	close(a.stop)
	<-a.done
}

// rowsUntil are the rows of everything that ended up to an instant and isn't written. One begins with each step
// and takes at most longest.
func (a *Asterisk) rowsUntil(
	to time.Time, step, longest time.Duration, nth func(n int64, start time.Time) (row string, end time.Time),
) string {
	var rows strings.Builder
	for n := max(0, int64(a.written.Add(-longest).Sub(begin)/step)); ; n++ {
		start := begin.Add(time.Duration(n) * step)
		if start.After(to) {
			return rows.String()
		}
		row, end := nth(n, start)
		if !start.Before(a.since) && end.After(a.written) && !end.After(to) {
			rows.WriteString(row)
		}
	}
}

// nthCall is the row of the n-th call, in the 18 columns of Asterisk's cdr_csv with loguniqueid and loguserfield.
func nthCall(n int64, start time.Time) (row string, end time.Time) {
	random := rand.New(rand.NewPCG(uint64(n), 7))
	ring := time.Duration(2+random.IntN(18)) * time.Second
	talk, answered, disposition := time.Duration(0), "", "FAILED"
	switch draw := random.IntN(1000); {
	case draw < 800:
		talk, disposition = time.Duration(5+random.IntN(250))*time.Second, "ANSWERED"
		answered = start.Add(ring).Format(rowTime)
	case draw < 900:
		disposition = "NO ANSWER"
	case draw < 998:
		disposition = "BUSY"
	}
	end = start.Add(ring + talk)
	own, other := fmt.Sprint(101+random.IntN(20)), fmt.Sprintf("+4930%07d", random.IntN(10_000_000))
	phone, carrier := fmt.Sprintf("PJSIP/%s-%08x", own, n),
		fmt.Sprintf("PJSIP/carrier-%s-%08x", []string{"fra", "ber"}[random.IntN(2)], n)
	src, dst, context, channel, dialled := own, other, "from-internal", phone, carrier
	if random.IntN(2) == 0 {
		src, dst, context, channel, dialled = other, own, "from-trunk", carrier, phone
	}
	quoted := func(texts ...string) string { return `"` + strings.Join(texts, `","`) + `"` }
	row = quoted("", src, dst, context, src, channel, dialled, "Dial", "", start.Format(rowTime)) + "," +
		emptyOr(answered) + "," +
		quoted(end.Format(rowTime)) + fmt.Sprintf(",%d,%d,", int(end.Sub(start).Seconds()), int(talk.Seconds())) +
		quoted(disposition, "DOCUMENTATION", fmt.Sprintf("%d.%d", start.Unix(), n), "") + "\n"
	return row, end
}

// emptyOr is a quoted text; Asterisk writes a missing time without quotes.
func emptyOr(text string) string {
	if text == "" {
		return ""
	}
	return `"` + text + `"`
}

// nthVisit is the line of the n-th caller, the same in every run: most reach an agent, some hang
// up, few wait as long as the queue allows.
func nthVisit(n int64, joined time.Time) (row string, left time.Time) {
	random := rand.New(rand.NewPCG(uint64(n), 9))
	queue := []string{"support", "support", "sales"}[random.IntN(3)]
	wait := 2 + random.IntN(40)
	var event string
	switch draw := random.IntN(100); {
	case draw < 88:
		event = fmt.Sprintf("PJSIP/%d|CONNECT|%d|%d.1|3", 101+random.IntN(20), wait, n)
	case draw < 97:
		wait += 20
		event = fmt.Sprintf("NONE|ABANDON|1|2|%d", wait)
	default:
		wait = int(queueLongest / time.Second)
		event = fmt.Sprintf("NONE|EXITWITHTIMEOUT|1|2|%d", wait)
	}
	left = joined.Add(time.Duration(wait) * time.Second)
	return fmt.Sprintf("%d|%d.%d|%s|%s\n", left.Unix(), joined.Unix(), n, queue, event), left
}
