package laws

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
)

// script is what a provider shows when, and what fails meanwhile.
type script struct {
	name  string
	steps []step // none: all rows at once
	live  bool   // the exporter runs before the first row comes
	// begins is a time shortly before the clock of the script begins; zero: the end of all calls.
	begins time.Time

	history time.Duration // that is read further back than the first row
	page    int           // rows of a page; 0: all
	overlap bool          // the last row of a page is the first of the next one too
	// judge says how the script broke its law; nil: it must come to what the plain one came to.
	judge func(out *played) string
	// between changes the rows once, after a first page that isn't the last one.
	between func(rows []*row) []*row
	fault   *fault
	kill    *kill

	copied, torn bool // of files: there is a copy of each; a line comes in two halves
	headed       bool // the names of columns stand before each line
	posted       bool // a system posts the rows, though the definition also reads files
	twice        bool // it posts each row twice
	away         bool // the database isn't there at first
}

// step is a change of what the provider has.
type step struct {
	after time.Duration
	rows  []*row
}

// kill ends the process at a commit, before or after it is durable.
type kill struct {
	commit  int
	durable bool
}

// plainScript shows all rows at once, as a history in their order.
const plainScript = "all rows at once"

const (
	// longestPoll bounds a poll, in real time.
	longestPoll = time.Minute
	// mostPolls bounds the polls until nothing is due. A long history takes many: one for each piece.
	mostPolls = 100
)

// clock is the time of a script. Only steps move it.
type clock struct{ micros atomic.Int64 }

func (c *clock) now() time.Time           { return time.UnixMicro(c.micros.Load()).UTC() }
func (c *clock) set(at time.Time)         { c.micros.Store(at.UnixMicro()) }
func (c *clock) advance(by time.Duration) { c.micros.Add(by.Microseconds()) }

// run is a script under way: the provider, and the exporter with one feed, which internal/app would wire the same way.
type run struct {
	*bench
	clock

	script  *script
	world   world
	history time.Duration
	// shown are the rows that the provider has, in this order, and appeared is when it first showed each.
	shown    []*row
	appeared map[*row]time.Time
	settles  bool // the last row has come
	wrong    []string

	folder  string // of the ledger
	ledger  *ledger.Ledger
	source  *collector.Source
	loop    *collector.Loop
	hook    http.Handler // of records that are posted
	commits int
	dead    bool
}

// play runs a script to its end.
func (b *bench) play(s script) (out played, err error) {
	path, err := os.MkdirTemp(b.folder, "")
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(path)) }()
	rows, folder := filepath.Join(path, "rows"), filepath.Join(path, "ledger")
	if err = errors.Join(os.Mkdir(rows, 0o700), os.Mkdir(folder, 0o700)); err != nil {
		return out, err
	}
	r := &run{bench: b, script: &s, folder: folder, appeared: make(map[*row]time.Time)}
	r.world = r.newWorld(rows)
	defer func() { err = errors.Join(err, r.world.close()) }()
	steps := r.begin()
	if err = r.start(); err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, r.stop()) }()
	if err = r.playSteps(steps); err != nil {
		return out, err
	}
	return r.end()
}

// begin sets the clock and how long a history is read, and returns the steps.
func (r *run) begin() []step {
	steps := r.script.steps
	if steps == nil {
		steps = []step{{rows: r.base}}
	}
	legs := r.feed.Record.Group.IsSet() || r.feed.Record.Parent.IsSet()
	if legs && !r.byTime() && (r.script.steps != nil || r.script.torn) {
		// In a history that is read by arrival the legs of a call come in their order; while the exporter runs, in any.
		steps = append([]step{{}}, steps...)
	}
	begins := r.began
	if !r.script.begins.IsZero() {
		begins = r.script.begins
	}
	r.set(begins.Add(time.Minute + r.feed.Filter.MinAge))
	oldest := r.now()
	for _, row := range steps[len(steps)-1].rows {
		oldest = earliest(oldest, row.begins())
	}
	r.history = r.now().Sub(oldest) + time.Hour + r.script.history
	if r.script.live {
		r.set(oldest.Add(-time.Minute))
		r.history = 2 * time.Minute
	}
	return steps
}

// playSteps shows what the steps say. Then it waits until a call counts to which nothing comes any more.
func (r *run) playSteps(steps []step) error {
	at := r.now()
	for i, s := range steps {
		at = at.Add(s.after)
		r.set(latest(at, r.now())) // what failed in the step before has waited
		for _, row := range s.rows {
			if _, known := r.appeared[row]; known {
				continue
			}
			if r.appeared[row] = r.now(); i == 0 && !r.script.live && row.at.Before(r.now()) {
				r.appeared[row] = row.at
			}
		}
		r.shown = s.rows
		if err := r.poll(); err != nil {
			return err
		}
	}
	r.settles = true
	total := max(2*time.Hour, (r.info.WholeAfter+r.info.Settle)*11/10)
	if r.byTime() {
		total = max(total, r.info.Lookback*13/10)
	}
	again := r.info.Settle + r.info.Interval
	for _, wait := range []time.Duration{r.info.Interval, again, again, total / 3, total / 3, total / 3} {
		r.advance(wait)
		if err := r.poll(); err != nil {
			return err
		}
	}
	return nil
}

// poll shows the rows, and polls until nothing is due. A process that dies is started again on its ledger, as it was at
// that instant. A failure of the feed's is in its status.
func (r *run) poll() error {
	if err := r.world.show(); err != nil {
		return err
	}
	for range mostPolls {
		ctx, cancel := context.WithTimeout(context.Background(), longestPoll)
		wait, _ := r.loop.Poll(ctx)
		late := ctx.Err()
		cancel()
		switch {
		case r.dead:
			if err := r.restart(); err != nil {
				return err
			}
			wait = 0
		case late != nil:
			return errors.New("a poll doesn't end")
		}
		if wait > r.info.Interval/2 {
			break
		}
		r.advance(wait.Truncate(time.Second)) // edges are whole seconds
	}
	return nil
}

// end reads what was counted.
func (r *run) end() (out played, err error) {
	out.commits, out.wrong, out.active = r.commits, r.wrong, make(map[string]int)
	if s := r.loop.Status(); s.State == collector.StateError {
		out.trouble = s.LastError
	}
	for direction, n := range r.loop.ActiveCalls() {
		if n > 0 {
			out.active[direction.String()] = n
		}
	}
	if r.info.ActiveCalls == nil {
		out.result, err = counted(r.ledger)
	}
	return out, err
}
