package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/cdr-exporter/cdr-exporter/tools/program"
)

// deepRead is how far the provider's clock moves so that the exporter reads everything again that
// may have late rows.
const deepRead = 10 * time.Hour

// exporterRun runs the exporter several times on one ledger.
type exporterRun struct{ *peerRun }

func measureExporter(ctx context.Context, p *peerRun, r *result) error {
	x := &exporterRun{p}
	x.env = append(x.env, "PEER_DATA="+x.ledger())
	if err := x.measure(ctx, r); err != nil {
		return err
	}
	size, err := sizeOf(x.ledger())
	r.disk = float64(size) / float64(len(x.day.rows)+1)
	return err
}

func (x *exporterRun) ledger() string { return filepath.Join(x.folder, "ledger") }

// measure fills in a result: the day, the whole day again twice, a late row, a restart.
func (x *exporterRun) measure(ctx context.Context, r *result) error {
	rows := len(x.day.rows)
	seen, err := x.read(ctx, goal{given: rows, calls: rows})
	if err != nil {
		return fmt.Errorf("read the day: %w", err)
	}
	first := seen[0]
	r.fresh, r.clock, r.peak = perSecond(rows, first.cpu), perSecond(rows, first.wall), first.peak
	r.totals[afterDay] = first.calls

	x.provider.advance(deepRead)
	again := goal{given: rows, duplicates: rows, calls: rows}
	if seen, err = x.read(ctx, again, again); err != nil {
		return fmt.Errorf("read the day again: %w", err)
	}
	r.reread, r.repeats = perSecond(seen[0].duplicates, seen[0].cpu), perSecond(seen[1].duplicates, seen[1].cpu)
	r.totals[afterRepeat] = seen[1].calls

	x.provider.advance(deepRead)
	x.provider.publish(x.day.late)
	if seen, err = x.read(ctx, goal{given: rows + 1, calls: rows + 1}); err != nil {
		return fmt.Errorf("read a late row: %w", err)
	}
	r.totals[afterLate] = seen[0].calls

	if seen, err = x.read(ctx, goal{calls: rows + 1}); err != nil {
		return fmt.Errorf("restart: %w", err)
	}
	r.totals[afterRestart] = seen[0].calls
	return nil
}

// goal is when a part of a run is done: rows that the provider served, duplicate rows, and calls in
// the metrics; with logs, also as many log records as calls.
type goal struct{ given, duplicates, calls int }

// seen is the cost of one part of a run, its duplicate rows, the calls in the metrics at the end,
// and its duration. The first part begins with the process, the last one ends with it.
type seen struct {
	usage
	wall              time.Duration
	duplicates, calls int
}

// read runs the program until it has reached one goal after the other; in between the provider's
// clock moves.
func (x *exporterRun) read(ctx context.Context, goals ...goal) ([]seen, error) {
	given := x.provider.given()
	p, err := start(ctx, x.folder, x.env, x.Exporter, "run", "--config.file="+filepath.Join(x.Configs, x.config),
		"--web.listen-address="+x.address, "--log.level=warn")
	if err != nil {
		return nil, err
	}
	parts := make([]seen, len(goals))
	var before seen // all parts until now
	for i, g := range goals {
		if i > 0 {
			given = x.provider.given()
			x.provider.advance(deepRead)
		}
		take := p.used
		if i == len(goals)-1 {
			take = p.stop
		}
		all, err := x.until(ctx, p, given, before.duplicates, g)
		if err == nil {
			all.usage, err = take()
		}
		if err != nil {
			p.Kill()
			return nil, err
		}
		parts[i] = seen{
			usage{all.cpu - before.cpu, all.peak},
			all.wall - before.wall,
			all.duplicates - before.duplicates, all.calls,
		}
		before = all
	}
	return parts, nil
}

// until waits until the program has reached a goal, and returns its metrics at that time.
func (x *exporterRun) until(ctx context.Context, p *process, given, duplicates int, g goal) (s seen, err error) {
	err = p.Until(ctx, 25*time.Millisecond, func() error {
		// A scrape costs the program CPU time, so it comes last.
		if got := x.provider.given() - given; got < g.given {
			return fmt.Errorf("the provider gave %d rows of %d", got, g.given)
		}
		if x.sink != nil && x.sink.distinct() < g.calls {
			return fmt.Errorf("%d log records of %d", x.sink.distinct(), g.calls)
		}
		scrape, err := program.Get(ctx, "http://"+x.address+"/metrics")
		if err != nil {
			return err
		}
		s.wall = time.Since(p.Began)
		s.calls = sumOf(scrape, "cdr_calls_total{", "")
		s.duplicates = sumOf(scrape, "cdr_exporter_rows_total{", `result="duplicate"`)
		if s.calls < g.calls || s.duplicates-duplicates < g.duplicates {
			return fmt.Errorf("%d calls and %d duplicate rows, not %+v", s.calls, s.duplicates-duplicates, g)
		}
		return nil
	})
	return s, err
}
