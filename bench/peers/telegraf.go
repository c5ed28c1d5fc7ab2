package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/tools/program"
)

// telegrafRun runs Telegraf on the pages of a provider.
type telegrafRun struct {
	*peerRun
	process *process
}

func measureTelegraf(ctx context.Context, p *peerRun, r *result) error {
	x := &telegrafRun{peerRun: p}
	x.env = append(x.env, "PEER_LISTEN="+x.address, "PEER_PERIOD="+x.Period.String())
	return x.measure(ctx, r)
}

// measure fills in a result: the day, one page again, a late row, a restart.
func (x *telegrafRun) measure(ctx context.Context, r *result) error {
	rows := x.day.rows
	if err := x.start(ctx, x.pages()); err != nil {
		return err
	}
	defer func() { x.process.Kill() }() // the one that runs at the end
	var err error
	if r.totals[afterDay], err = x.count(ctx, len(rows)); err != nil {
		return fmt.Errorf("read the day: %w", err)
	}
	r.clock = perSecond(len(rows), time.Since(x.process.Began))
	used, err := x.process.used()
	if err != nil {
		return err
	}
	r.fresh, r.peak = perSecond(len(rows), used.cpu), used.peak

	again := rows[:min(pageSize, len(rows))]
	if r.totals[afterRepeat], err = x.send(ctx, again, r.totals[afterDay]+len(again)); err != nil {
		return fmt.Errorf("read a page again: %w", err)
	}
	if r.totals[afterLate], err = x.send(ctx, []row{x.day.late}, r.totals[afterRepeat]+1); err != nil {
		return fmt.Errorf("read a late row: %w", err)
	}
	if _, err = x.process.stop(); err != nil {
		return err
	}

	if err := x.start(ctx, nil); err != nil { // a gather of the day would count it again
		return err
	}
	if r.totals[afterRestart], err = x.count(ctx, 0); err != nil {
		return fmt.Errorf("restart: %w", err)
	}
	_, err = x.process.stop()
	return err
}

// pages are the addresses of the day's pages, as a client sees them that follows the links.
func (x *telegrafRun) pages() (urls []string) {
	rows := x.day.rows
	for skip := 0; skip < len(rows); skip += pageSize {
		urls = append(urls, fmt.Sprintf("%q", fmt.Sprintf(
			"%s/v1.0/communications/callRecords/getDirectRoutingCalls(fromDateTime=%s,toDateTime=%s)?%%24skip=%d",
			x.provider.BaseURL(), rows[0].start.UTC().Format(time.RFC3339Nano),
			rows[len(rows)-1].start.Add(time.Second).UTC().Format(time.RFC3339Nano), skip)))
	}
	return urls
}

// start starts Telegraf with these addresses in its configuration.
func (x *telegrafRun) start(ctx context.Context, urls []string) error {
	config, err := os.ReadFile(filepath.Join(x.Configs, x.config))
	if err != nil {
		return err
	}
	file := filepath.Join(x.folder, x.config)
	text := strings.Replace(string(config), "[PEER_PAGES]", "["+strings.Join(urls, ", ")+"]", 1)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return err
	}
	p, err := start(ctx, x.folder, x.env, x.Telegraf, "--config", file)
	if err == nil {
		x.process = p
	}
	return err
}

// dropped is how long Telegraf may take to count rows, in addition to three periods.
// Its aggregator drops what comes behind its window, on a busy machine for instance, and says so
// nowhere.
const dropped = 30 * time.Second

// send has Telegraf read rows after the day, and counts. It sends them once more if Telegraf dropped
// all of them; a part that it dropped is missing from the total.
func (x *telegrafRun) send(ctx context.Context, rows []row, want int) (total int, err error) {
	for range 5 {
		x.provider.mu.Lock()
		x.provider.later = rows
		x.provider.mu.Unlock()
		limited, cancel := context.WithTimeout(ctx, dropped+3*x.Period)
		total, err = x.count(limited, want)
		cancel()
		switch {
		case err == nil || ctx.Err() != nil:
			return total, err
		case total != want-len(rows):
			return total, nil
		}
	}
	return total, err
}

// count waits until the metrics show the wanted number of rows. With logs it also waits until the
// sink has as many distinct log records as the provider gave. It returns the number of rows that the
// metrics show.
func (x *telegrafRun) count(ctx context.Context, want int) (total int, err error) {
	err = x.process.Until(ctx, x.Period/20, func() error {
		if x.sink != nil && x.sink.distinct() < min(want, len(x.day.rows)) {
			return fmt.Errorf("%d log records of %d", x.sink.distinct(), want)
		}
		scrape, err := program.Get(ctx, "http://"+x.address+"/metrics")
		if err != nil {
			return err
		}
		total = sumOf(scrape, "direct_routing_duration_bucket{", `le="+Inf"`)
		if total < want {
			return fmt.Errorf("%d rows", total)
		}
		return nil
	})
	return total, err
}
