package demo

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// pbx is a simulated Asterisk: it appends a row to Master.csv for each call that ends, and one to queue_log for each caller who leaves a queue. A
// call's row is the same in every run.
type pbx struct {
	file, queue *os.File
	stop        chan struct{}
	done        chan struct{}

	mu      sync.Mutex
	held    bool
	written time.Time // until when calls that ended are in the file
}

const (
	// pbxPause is the time between the starts of two calls, and pbxLongest how long a call takes at most.
	pbxPause   = 12 * time.Second
	pbxLongest = 5 * time.Minute
	pbxTime    = "2006-01-02 15:04:05"
	// queuePause is the time between two callers who join a queue, and queueLongest how long one waits at most.
	queuePause   = 7 * time.Second
	queueLongest = 2 * time.Minute
)

// startPBX writes the calls since a time and goes on with those that end from now on.
func startPBX(folder string, since time.Time) (*pbx, error) {
	file, err := os.OpenFile(filepath.Join(folder, "Master.csv"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("start the simulated PBX: %w", err)
	}
	queue, err := os.OpenFile(filepath.Join(folder, "queue_log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("start the simulated PBX: %w", err)
	}
	p := &pbx{file: file, queue: queue, stop: make(chan struct{}), done: make(chan struct{}), written: since}
	if err := p.write(time.Now()); err != nil {
		return nil, fmt.Errorf("write the calls of the simulated PBX: %w", err)
	}
	go p.run()
	return p, nil
}

func (p *pbx) run() {
	defer close(p.done)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-p.stop:
			return
		case now := <-tick.C:
			_ = p.write(now) // tried again with the next one
		}
	}
}

// write appends the calls that have ended by now, unless the PBX is held.
func (p *pbx) write(now time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held {
		return nil
	}
	_, err := p.file.WriteString(rowsBetween(p.written, now, pbxPause, pbxLongest, pbxCall))
	if err == nil {
		_, err = p.queue.WriteString(rowsBetween(p.written, now, queuePause, queueLongest, queueVisit))
		p.written = now
	}
	return err
}

// HoldPBX lets the PBX write no calls until it is let go; those of the time between follow then.
func (p *Providers) HoldPBX(held bool) {
	p.pbx.mu.Lock()
	defer p.pbx.mu.Unlock()
	p.pbx.held = held
}

// PBXCalls is how many calls that began at an instant or later the PBX has written.
func (p *Providers) PBXCalls(since time.Time) (calls int64) {
	p.pbx.mu.Lock()
	defer p.pbx.mu.Unlock()
	for n := max(0, int64(since.Sub(begin)/pbxPause)); ; n++ {
		start := begin.Add(time.Duration(n) * pbxPause)
		if start.After(p.pbx.written) {
			return calls
		}
		if _, end := pbxCall(n, start); !start.Before(since) && !end.After(p.pbx.written) {
			calls++
		}
	}
}

func (p *pbx) close() {
	close(p.stop)
	<-p.done
	p.file.Close()  //nolint:errcheck // nobody reads it any more
	p.queue.Close() //nolint:errcheck // nor this
}

// rowsBetween are the rows of what ended after from, up to to. Something begins with each step and takes at most longest.
func rowsBetween(from, to time.Time, step, longest time.Duration, nth func(n int64, start time.Time) (row string, end time.Time)) string {
	var rows strings.Builder
	for n := max(0, int64(from.Add(-longest).Sub(begin)/step)); ; n++ {
		start := begin.Add(time.Duration(n) * step)
		if start.After(to) {
			return rows.String()
		}
		if row, end := nth(n, start); end.After(from) && !end.After(to) {
			rows.WriteString(row)
		}
	}
}

// pbxCall is the row of the n-th call, in the 18 columns of Asterisk's cdr_csv with loguniqueid and loguserfield.
func pbxCall(n int64, start time.Time) (row string, end time.Time) {
	random := rand.New(rand.NewPCG(uint64(n), 7))
	ring := time.Duration(2+random.IntN(18)) * time.Second
	talk, answered, disposition := time.Duration(0), "", "FAILED"
	switch draw := random.IntN(1000); {
	case draw < 800:
		talk, disposition = time.Duration(5+random.IntN(250))*time.Second, "ANSWERED"
		answered = start.Add(ring).Format(pbxTime)
	case draw < 900:
		disposition = "NO ANSWER"
	case draw < 998:
		disposition = "BUSY"
	}
	end = start.Add(ring + talk)
	own, other := fmt.Sprint(101+random.IntN(20)), fmt.Sprintf("+4930%07d", random.IntN(10_000_000))
	phone, carrier := fmt.Sprintf("PJSIP/%s-%08x", own, n), fmt.Sprintf("PJSIP/carrier-%s-%08x", []string{"fra", "ber"}[random.IntN(2)], n)
	src, dst, context, channel, dialled := own, other, "from-internal", phone, carrier
	if random.IntN(2) == 0 {
		src, dst, context, channel, dialled = other, own, "from-trunk", carrier, phone
	}
	quoted := func(texts ...string) string { return `"` + strings.Join(texts, `","`) + `"` }
	row = quoted("", src, dst, context, src, channel, dialled, "Dial", "", start.Format(pbxTime)) + "," + emptyOr(answered) + "," +
		quoted(end.Format(pbxTime)) + fmt.Sprintf(",%d,%d,", int(end.Sub(start).Seconds()), int(talk.Seconds())) +
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

// queueVisit is the line of the n-th caller, the same in every run: most reach an agent, some hang up, few wait as long as the queue allows.
func queueVisit(n int64, joined time.Time) (row string, left time.Time) {
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
