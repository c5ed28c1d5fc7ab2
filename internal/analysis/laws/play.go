package laws

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
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
	overlap bool
	between func(rows []*row) []*row
	fault   *fault
	kill    *kill

	copied, torn, twice, posted bool // of files, and of what is posted
	away                        bool // the database isn't there at first
}

// step is a change of what the provider has.
type step struct {
	after time.Duration
	rows  []*row
}

// kill ends the process at a commit, before or after it is durable.
type kill struct {
	commit  int64
	durable bool
}

// wholePage is more rows than there are.
const wholePage = 10_000

// plainScript shows all rows at once, as a history in their order.
const plainScript = "all rows at once"

// played is what a script came to.
type played struct {
	result
	invalid, revised float64
	active           map[string]int
	commits          int64
	trouble          string
	wrong            []string
}

// play runs a script to its end.
func (b *bench) play(s script) (out played, err error) {
	w, path, err := b.newWorld(&s)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(path)) }()
	c := new(clock)
	appeared := make(map[*row]time.Time)
	if sr, is := w.(*server); is {
		sr.clock, sr.appeared = c, appeared
	}
	begins := b.began
	if !s.begins.IsZero() {
		begins = s.begins
	}
	c.set(begins.Add(time.Minute + b.feed.Filter.MinAge))
	steps := s.steps
	if steps == nil {
		steps = []step{{rows: b.base}}
	}
	if legs := b.feed.Record.Group.IsSet() || b.feed.Record.Parent.IsSet(); legs && !b.byTime() && s.steps != nil {
		// In a history that is read by arrival the legs of a call come in their order; while the exporter runs, in any.
		steps = append([]step{{}}, steps...)
	}
	oldest := c.now()
	for _, r := range b.base {
		if !r.at.IsZero() && r.at.Before(oldest) {
			oldest = r.at
		}
	}
	history := c.now().Sub(oldest) + time.Hour
	history += s.history
	if s.live {
		c.set(oldest.Add(-time.Minute))
		history = 2 * time.Minute
	}
	if err := os.MkdirAll(filepath.Join(path, "ledger"), 0o700); err != nil {
		return out, err
	}
	run := &running{
		bench: b, script: &s, world: w, clock: c, history: history, folder: filepath.Join(path, "ledger"),
		appeared: appeared,
	}
	if sr, is := w.(*server); is && sr.size == 0 {
		sr.size = wholePage
	}
	if err = run.begin(s.kill); err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, run.process.close()) }()
	if err = run.playSteps(steps); err != nil {
		return out, err
	}
	return run.end()
}

// running is a script under way.
type running struct {
	bench   *bench
	script  *script
	world   world
	clock   *clock
	history time.Duration
	folder  string
	process *process
	rows    []*row
	// appeared is when the provider first showed a row.
	appeared map[*row]time.Time
}

func (r *running) begin(k *kill) (err error) {
	r.process, err = r.bench.start(r.folder, r.world, r.clock, r.history, k)
	if p, is := r.world.(*poster); is && err == nil {
		p.hook = r.process.hook
	}
	return err
}

func (r *running) playSteps(steps []step) error {
	info := r.process.info
	for i, s := range steps {
		if s.after > 0 {
			r.clock.advance(s.after)
		}
		for _, row := range s.rows {
			if _, known := r.appeared[row]; known {
				continue
			}
			if r.appeared[row] = r.clock.now(); i == 0 && !r.script.live && row.at.Before(r.clock.now()) {
				r.appeared[row] = row.at
			}
		}
		r.rows = s.rows
		if err := r.pollAll(); err != nil {
			return err
		}
	}
	if s, is := r.world.(*server); is && (s.fault != nil || r.script.kill != nil) { // what fails is over
		s.size = wholePage
	}
	total := max(2*time.Hour, (info.WholeAfter+info.Settle)*11/10)
	if info.Stream == nil && info.Posted == nil {
		total = max(total, info.Lookback*13/10)
	}
	if files, is := r.world.(*folder); is && r.script.copied {
		if err := files.copies(r.clock.now()); err != nil {
			return err
		}
	}
	interval := r.bench.info.Interval
	waits := []time.Duration{interval, info.Settle + interval, info.Settle + interval, total / 3, total / 3, total / 3}
	for _, wait := range waits {
		r.clock.advance(wait)
		if err := r.pollAll(); err != nil {
			return err
		}
	}
	return nil
}

// pollAll shows the rows, and polls until nothing is due. A process that dies is started again.
func (r *running) pollAll() error {
	if err := r.world.show(r.rows, r.clock.now()); err != nil {
		return err
	}
	if d, is := r.world.(*database); is && r.script.away {
		r.script.away = false
		if err := os.Rename(d.file(), d.file()+"-away"); err != nil {
			return err
		}
		if _, err := r.process.poll(); err != nil {
			return err
		}
		if err := os.Rename(d.file()+"-away", d.file()); err != nil {
			return err
		}
		r.clock.advance(time.Hour)
	}
	for range mostPolls {
		wait, err := r.process.poll()
		if errors.Is(err, errKilled) {
			wait, err = 0, r.restart()
		}
		if err != nil {
			return err
		}
		if wait > r.bench.info.Interval/2 {
			break
		}
		r.clock.advance(wait)
	}
	return nil
}

// restart starts a process again that died, on its ledger as it was at that instant.
func (r *running) restart() error {
	if err := r.process.close(); err != nil {
		return err
	}
	r.folder = r.process.image()
	if err := r.begin(nil); err != nil {
		return err
	}
	return r.world.show(r.rows, r.clock.now())
}

// end reads what was counted.
func (r *running) end() (out played, err error) {
	p := r.process
	if p.info.ActiveCalls == nil {
		if out.result, err = p.result(); err != nil {
			return out, err
		}
	}
	out.active = make(map[string]int)
	for direction, n := range p.loop.ActiveCalls() {
		if n > 0 {
			out.active[direction.String()] = n
		}
	}
	out.invalid, out.revised = p.selfMetric("cdr_exporter_rows_total", "invalid"),
		p.selfMetric("cdr_exporter_rows_total", "revised")
	out.commits, out.trouble = p.commits, p.trouble()
	switch w := r.world.(type) {
	case *server:
		w.mu.Lock()
		defer w.mu.Unlock()
		out.wrong = w.wrong
	case *poster:
		out.wrong = w.wrong
	}
	return out, nil
}

// different says how a script came to something else than another one; empty: it didn't.
func (out *played) different(want result) string {
	var all []string
	if len(out.wrong) > 0 {
		all = append(all, out.wrong[0])
	}
	var keys []string
	for key := range want {
		keys = append(keys, key)
	}
	for key := range out.result {
		if _, is := want[key]; !is {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		if got, wanted := out.result[key], want[key]; math.Abs(got-wanted) > 1e-6 {
			all = append(all, fmt.Sprintf("%s is %v, want %v", key, got, wanted))
		}
	}
	if len(all) == 0 {
		return ""
	}
	if out.trouble != "" {
		all = append(all[:1:1], "the feed says: "+out.trouble)
	}
	return strings.Join(all[:min(2, len(all))], "; ")
}
