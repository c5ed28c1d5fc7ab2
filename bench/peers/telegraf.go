package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// telegrafRun runs Telegraf over a folder of pages.
type telegrafRun struct {
	peerSettings
	env     []string
	address string
	process *process
	pages   int
}

func runTelegraf(ctx context.Context, s peerSettings) (r result, err error) {
	x := &telegrafRun{peerSettings: s}
	for _, folder := range []string{x.writing(), x.waiting(), x.finished()} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return r, err
		}
	}
	if x.address, err = simulator.FreeAddress(ctx); err != nil {
		return r, err
	}
	x.env = []string{
		"PEER_PAGES=" + x.waiting(), "PEER_FINISHED=" + x.finished(), "PEER_LISTEN=" + x.address,
		"PEER_PERIOD=" + s.Period.String(),
	}
	return r, x.measure(ctx, &r)
}

// A page is written to one folder and moved to the second when it is complete; Telegraf moves it to
// the third after reading it.
func (x *telegrafRun) writing() string  { return filepath.Join(x.folder, "writing") }
func (x *telegrafRun) waiting() string  { return filepath.Join(x.folder, "waiting") }
func (x *telegrafRun) finished() string { return filepath.Join(x.folder, "finished") }

// measure fills in a result: the day, one page again, a late row, a restart.
func (x *telegrafRun) measure(ctx context.Context, r *result) error {
	rows := x.day.rows
	for first := 0; first < len(rows); first += pageSize {
		if err := x.write(rows[first:min(first+pageSize, len(rows))]); err != nil {
			return err
		}
	}
	again := rows[:min(pageSize, len(rows))]
	if err := x.start(ctx); err != nil {
		return err
	}
	defer func() { x.process.kill() }() // the one that runs at the end
	if err := x.process.until(ctx, 25*time.Millisecond, "read the day", x.allRead); err != nil {
		return err
	}
	r.clock = perSecond(len(rows), time.Since(x.process.began))
	total, err := x.count(ctx, len(rows))
	if err != nil {
		return fmt.Errorf("count the day: %w", err)
	}
	r.totals[afterDay] = total
	if r.totals[afterRepeat], err = x.writeAndCount(ctx, again, total+len(again)); err != nil {
		return fmt.Errorf("read a page again: %w", err)
	}
	if r.totals[afterLate], err = x.writeAndCount(ctx, []row{x.day.late}, total+len(again)+1); err != nil {
		return fmt.Errorf("read a late row: %w", err)
	}
	used, err := x.process.stop()
	if err != nil {
		return err
	}
	r.fresh, r.peak = perSecond(r.totals[afterLate], used.cpu), used.peak

	if err := x.start(ctx); err != nil {
		return err
	}
	if r.totals[afterRestart], err = x.count(ctx, 0); err != nil {
		return fmt.Errorf("restart: %w", err)
	}
	_, err = x.process.stop()
	return err
}

func (x *telegrafRun) start(ctx context.Context) error {
	p, err := start(ctx, x.folder, x.env, x.Telegraf, "--config", filepath.Join(x.Configs, "telegraf.conf"))
	if err == nil {
		x.process = p
	}
	return err
}

// write makes a file of a page.
func (x *telegrafRun) write(rows []row) error {
	name := fmt.Sprintf("page-%06d.json", x.pages)
	x.pages++
	file := filepath.Join(x.writing(), name)
	if err := os.WriteFile(file, renderPage(rows, ""), 0o600); err != nil {
		return err
	}
	return os.Rename(file, filepath.Join(x.waiting(), name))
}

func (x *telegrafRun) writeAndCount(ctx context.Context, rows []row, want int) (int, error) {
	if err := x.write(rows); err != nil {
		return 0, err
	}
	return x.count(ctx, want)
}

// allRead says whether all pages were read.
func (x *telegrafRun) allRead() (bool, error) {
	left, err := os.ReadDir(x.waiting())
	if err != nil || len(left) > 0 {
		return false, errors.Join(err, fmt.Errorf("%d pages wait", len(left)))
	}
	return true, nil
}

// count waits until all pages were read and counted, and returns how many rows the metrics show.
func (x *telegrafRun) count(ctx context.Context, want int) (total int, err error) {
	err = x.process.until(ctx, x.Period/4, "count rows", func() (bool, error) {
		if ok, err := x.allRead(); !ok {
			return false, err
		}
		scrape, err := get(ctx, "http://"+x.address+"/metrics")
		if err != nil {
			return false, err
		}
		total = sumOf(scrape, "direct_routing_duration_bucket{", `le="+Inf"`)
		if total < want {
			return false, fmt.Errorf("%d rows", total)
		}
		return true, nil
	})
	return total, err
}
