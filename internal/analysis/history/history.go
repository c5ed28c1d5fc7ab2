// Package history counts calls by when they began instead of when they were read, for a
// range of time in the past.
//
// The ledger decides what is a call, a repeat, a leg of a call or a failure. History
// reads a feed's range into a temporary ledger, and watches which facts it commits and what
// they change. It sorts the changes on disk by series and time, and writes them in that order.
//
//	range ─▶ pieces ─▶ pages ─▶ ledger ─▶ changes ─▶ table on disk ─▶ samples
//	           read again until a pass        watched                   by series, by time
//	           finds nothing new
//
// Invariants: memory holds a page and the label sets, for a range of any length; sums are integers
// and decimals, rounded once when a sample is written; the last sample of a series is the sum of
// all of its changes.
//
// When things fail: a piece that can't be read is tried again with half its length, a few
// times; any other error ends it, and nothing can be written then.
package history

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/exporters/openmetrics"
	"github.com/cdr-exporter/cdr-exporter/internal/analysis/disksort"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// Settings are what a history needs.
type Settings struct {
	// From is when the range begins, in whole seconds.
	From time.Time
	// Step is the distance of samples, whole seconds; 0 if no history is written.
	Step time.Duration
	// SeriesLimit is the number of label sets per metric and feed (metrics.series_limit).
	SeriesLimit int
	// Label gives records of a source the operator's labels; nil: there are none.
	Label func(source string, records []*cdr.Record)
	// Now is the local clock.
	Now func() time.Time
	// Note is called with a line about each thing that is left out.
	Note func(text string)
	// OnFact, if set, takes each fact, for callers that write no history: nothing is kept then.
	OnFact func(feed *Feed, f *facts.Fact)
	// Parties keeps numbers and users of calls of several records for OnFact, in the temporary folder. Who prints
	// them redacts them.
	Parties bool
	// CountWaiting says that calls count in the end although they haven't settled, for callers that compare them with
	// what an exporter has counted.
	CountWaiting bool
	// Progress, if set, is called as reading and writing get on.
	Progress func(Progress)
}

// Progress is how far reading a feed or writing is.
type Progress struct {
	// Read is how much of the feed's range was read, piece by piece, and Calls what was found in it.
	Read  time.Duration
	Calls int
	// Written is how many series were written; 0 while feeds are read.
	Written int
}

// Feed is a feed, and where the range of it ends that is wanted.
type Feed struct {
	Source, Provider string
	Info             *collector.FeedInfo
	// To is where calls no longer count, after Settings.From.
	To time.Time
}

// Summary counts the results of reading a feed.
type Summary struct {
	// Calls that count; rows that couldn't be read.
	Calls, Invalid int
	// Unfinished are records that the provider hasn't finished, which don't count.
	// Unsettled are calls that count without their media, which are known once they have settled.
	Unfinished, Unsettled int
	// Folded are observations whose labels were past the limit.
	Folded int
	// Missing are records that the provider names and doesn't have.
	Missing int
}

// History counts feeds by when calls began. It isn't safe for concurrent use.
type History struct {
	settings Settings
	folder   string // temporary; it may grow to some hundred bytes for each call
	ledger   *ledger.Ledger
	sorter   sorter

	feed    *Feed // the one that is read
	counted int   // the calls of it that began in the range
	grid    grid
	series  []series
	ids     map[*metrics.LabelSet]int
}

// Open makes an empty history. In its ledger it is the begin of the range all the time: no call is
// late, since when it would have been seen can't be known, and nothing is as old as to be
// forgotten.
func Open(ctx context.Context, s Settings) (*History, error) {
	folder, err := os.MkdirTemp("", "cdr-exporter-past-")
	if err != nil {
		return nil, fmt.Errorf("make a temporary folder: point TMPDIR at one that can be written: %w", err)
	}
	h := &History{
		settings: s, folder: folder, ids: make(map[*metrics.LabelSet]int),
		sorter: sorter{entries: disksort.New(folder)},
	}
	var privacy cdr.Policy // of the legs that wait; it drops what is personal
	if s.Parties {
		privacy = cdr.Policy{Numbers: cdr.Keep, Users: cdr.Keep, Addresses: cdr.Keep}
	}
	h.ledger, err = ledger.Open(ctx, ledger.Settings{
		Storage: ledger.Storage{Folder: filepath.Join(folder, "ledger")}, Now: func() time.Time { return s.From },
		Options: metrics.Options{SeriesLimit: s.SeriesLimit}, OnFact: h.add,
		Tuning:   ledger.Tuning{Privacy: privacy},
		IDMemory: 8 << 20, // it is read in order, but calls of several records look into several blocks at once
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("count history: %w", err), h.Close())
	}
	return h, nil
}

// neverLate is longer than any delay: when a call would have been seen can't be known.
const neverLate = 100 * 365 * 24 * time.Hour

// Close closes and removes the files.
func (h *History) Close() error {
	errs := []error{h.sorter.entries.Close()}
	if h.ledger != nil {
		errs = append(errs, h.ledger.Close())
	}
	return errors.Join(append(errs, os.RemoveAll(h.folder))...)
}

// Read reads a feed. After an error the history is of no use.
func (h *History) Read(ctx context.Context, f Feed) (Summary, error) {
	h.counted = 0
	h.feed, h.grid = &f, newGrid(h.settings.From, f.To, h.settings.Step)
	state, err := h.ledger.Feed(ctx, ledger.FeedSpec{
		Settings: counting.Settings{
			Source: f.Source, Provider: f.Provider, Feed: f.Info.Name, Currency: f.Info.Currency, Rules: f.Info.Rules,
			Settle: f.Info.Settle, WholeAfter: f.Info.WholeAfter, LateAfter: neverLate,
			Lookback: f.Info.Lookback, History: f.Info.WholeAfter, // what lies before the range is kept out here
			ReadsRanges: true,
		},
		Fingerprint: f.Info.Fingerprint,
	})
	if err != nil {
		return Summary{}, fmt.Errorf("count history: %w", err)
	}
	r := &historyRead{
		History: h, state: state,
		unfinished: make(map[string]bool), unsettled: make(map[string]bool), missing: make(map[string]bool),
	}
	err = r.run(ctx)
	return r.summary, err
}

// add adds what a fact changes at the time at which it happened.
func (h *History) add(f *facts.Fact, changed []metrics.Delta) {
	if start := f.Record.Start; start.Before(h.settings.From) || h.feed.Info.Rules.Legs && !start.Before(h.feed.To) {
		return // it is there for what belongs to it
	}
	if f.Kind == facts.Call {
		h.counted++
	}
	if h.settings.OnFact != nil {
		h.settings.OnFact(h.feed, f)
		return
	}
	for i := range changed {
		d := &changed[i]
		id, known := h.ids[d.Series]
		if !known {
			id = len(h.series)
			h.ids[d.Series] = id
			family := slices.Index(metrics.Catalogue(), d.Def)
			h.series = append(h.series, series{labels: d.Series, grid: h.grid, family: family})
		}
		at := h.grid.sampleAt(f.At())
		h.sorter.add(&change{family: h.series[id].family, series: id, at: at, n: d.N, money: d.Money})
	}
}

// Series is how many series there are.
func (h *History) Series() int { return len(h.series) }

// Write writes all that was read, and the end of the text. Nothing can be read or written then.
func (h *History) Write(ctx context.Context, w *openmetrics.Writer) error {
	t := timeline{out: w}
	family, written := -1, 0
	err := h.sorter.each(ctx, func(c *change) error {
		if one := h.series[c.series]; t.labels != one.labels {
			t.endSeries()
			if c.family != family {
				family = c.family
				w.Family(one.labels.Def)
			}
			t.startSeries(one)
			written++
			h.report(Progress{Written: written})
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		t.addChange(c)
		return nil
	})
	if err != nil {
		return err
	}
	t.endSeries()
	if err := w.Close(); err != nil {
		return fmt.Errorf("write the history: %w", err)
	}
	return nil
}

func (h *History) report(p Progress) {
	if h.settings.Progress != nil {
		h.settings.Progress(p)
	}
}
