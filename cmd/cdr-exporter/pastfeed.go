package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/analysis/history"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
)

// pastFeed is a feed to backfill.
type pastFeed struct {
	history.Feed

	source *collector.Source
	note   string // about its range, for the user

	summary history.Summary // set when it was read
}

// keepsNothing explains feeds whose past can't be read.
const keepsNothing = "its records are posted to the exporter and kept nowhere else, so they can't be read again"

// pastSpan is the requested range.
type pastSpan struct {
	from, now time.Time
	to        time.Time // zero means the start of live counting
	ledger    ledger.Storage
	summary   ledger.Summary
	// lost are the feeds, as SOURCE/FEED, without stored records to read.
	lost []string
}

// pastFlags are the flags of a command that reads the past of some feeds.
type pastFlags struct {
	source, feed string // empty means all
	from, to     string
	zone         *time.Location // of days and months in from and to; nil means UTC
}

func (f *pastFlags) define(c *kingpin.CmdClause, defaultText, defaultTo string) {
	rangeFlags(c, &f.from, &f.to, defaultText, defaultTo)
	c.Flag("source", "Name of the source; default: all sources.").StringVar(&f.source)
}

// open determines the range and its feeds.
func (f *pastFlags) open(r *commandConfig) (*pastSpan, []*pastFeed, error) {
	span, err := f.span()
	if err != nil {
		return nil, nil, err
	}
	feeds, err := f.feeds(r, span)
	return span, feeds, err
}

func (f *pastFlags) span() (s *pastSpan, err error) {
	s = &pastSpan{now: time.Now()}
	s.from, s.to, err = parseRange(f.from, f.to, s.now, cmp.Or(f.zone, time.UTC))
	s.from = s.from.Truncate(time.Second)
	return s, err
}

// feeds opens the sources and determines the feeds to read, and their time ranges, without network access.
func (f *pastFlags) feeds(r *commandConfig, s *pastSpan) (feeds []*pastFeed, err error) {
	names := r.sourceNames()
	if f.source != "" {
		names = []string{f.source}
	}
	for _, name := range names {
		opened, err := r.open(name)
		if err != nil {
			return nil, err
		}
		settings := r.Source(name)
		for i := range opened.Feeds {
			info := &opened.Feeds[i]
			if info.IsPostedOnly() {
				s.lost = append(s.lost, name+"/"+info.Name)
			}
			if info.Reader == nil {
				continue // calls in progress have no history
			}
			past := &pastFeed{source: opened, Feed: history.Feed{
				Source: name, Provider: settings.ProviderName, Info: info,
			}}
			if err := past.limit(s, settings.RenamedFrom); err != nil {
				return nil, err
			}
			feeds = append(feeds, past)
		}
	}
	if len(feeds) == 0 && len(s.lost) > 0 {
		return nil, fmt.Errorf("%s: %s", strings.Join(s.lost, ", "), keepsNothing)
	}
	if len(feeds) == 0 {
		return nil, errors.New("no source has a feed of call records, and calls in progress have no history; " +
			"configure such a feed")
	}
	return s.choose(feeds, f.feed)
}

// choose keeps the feeds with a name, or all if it is empty, and drops the others from lost.
func (s *pastSpan) choose(feeds []*pastFeed, name string) (chosen []*pastFeed, err error) {
	if name == "" {
		return feeds, nil
	}
	var others []string
	for _, f := range feeds {
		if f.Info.Name == name {
			chosen = append(chosen, f)
		} else {
			others = append(others, f.name())
		}
	}
	s.lost = slices.DeleteFunc(s.lost, func(lost string) bool { return !strings.HasSuffix(lost, "/"+name) })
	switch {
	case len(chosen) > 0:
		return chosen, nil
	case len(s.lost) > 0:
		return nil, fmt.Errorf("--feed: %s: %s", strings.Join(s.lost, ", "), keepsNothing)
	}
	return nil, fmt.Errorf("--feed: no feed %s of call records; the feeds are %s", name, strings.Join(others, ", "))
}

// withoutOverlaps leaves out feeds whose calls are also in another feed of the source.
func withoutOverlaps(feeds []*pastFeed) []*pastFeed {
	return slices.DeleteFunc(slices.Clone(feeds), func(f *pastFeed) bool {
		return f.Info.Properties.Overlaps && slices.ContainsFunc(feeds, func(other *pastFeed) bool {
			return other.Source == f.Source && !other.Info.Properties.Overlaps
		})
	})
}

// limit sets where the feed's range ends.
func (f *pastFeed) limit(span *pastSpan, renamedFrom string) error {
	origin, live := span.summary.Origins[f.name()]
	if !live && renamedFrom != "" {
		origin, live = span.summary.Origins[renamedFrom+"/"+f.Info.Name]
	}
	f.To = span.to
	switch {
	case span.to.IsZero() && !live:
		return fmt.Errorf("--to is needed: the ledger in %s doesn't have the start of live counting of %s "+
			"yet; or choose other sources with --source", span.ledger, f.name())
	case span.to.IsZero():
		f.To = origin
	case span.to.After(span.now):
		f.To, f.note = span.now.UTC().Truncate(time.Second), "--to is in the future; the range ends now"
	}
	if live && f.To.After(origin) {
		f.note = fmt.Sprintf("live counting began at %s: calls from then on are in the live series too",
			origin.UTC().Format(time.RFC3339))
	}
	switch {
	case span.from.Before(f.To):
		return nil
	case span.to.IsZero():
		return fmt.Errorf("--from must be before %s, where live counting of %s began",
			origin.UTC().Format(time.RFC3339), f.name())
	}
	return errRange
}

var errRange = usageError{errors.New("--from: the time is in the future")}

// reportLost names the feeds whose past couldn't be read. That is an error, although the others
// were read.
func (s *pastSpan) reportLost(errs io.Writer) error {
	for _, feed := range s.lost {
		fmt.Fprintf(errs, "%s: %s\n", feed, keepsNothing)
	}
	if len(s.lost) > 0 {
		return errSilent
	}
	return nil
}

func (f *pastFeed) name() string { return f.Source + "/" + f.Info.Name }

// read reads feeds into a history, shows the progress, and passes the history on to write, which may be nil. The
// history doesn't exist afterwards.
func (s *pastSpan) read(
	ctx context.Context, r *commandConfig, set history.Settings, feeds []*pastFeed, progress io.Writer,
	write func(*history.History, *meter) error,
) (err error) {
	m := newMeter(progress)
	defer m.end()
	if set.Label == nil {
		set.Label = r.labels.Apply
	}
	set.From, set.SeriesLimit = s.from, r.Metrics.SeriesLimit
	set.Now, set.Note, set.Progress = time.Now, m.note, m.progress
	h, err := history.Open(ctx, set)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	for _, f := range feeds {
		if f.note != "" {
			m.note(f.name() + ": " + f.note)
		}
		m.step(f.name(), int64(f.To.Sub(s.from)/time.Minute), "min")
		if f.summary, err = h.Read(ctx, f.Feed); errors.Is(err, history.ErrLocal) {
			return err
		} else if err != nil {
			return fmt.Errorf("read %s: %w", f.name(), advised(f.source, err))
		}
	}
	if write == nil {
		return nil
	}
	return write(h, m)
}

// printLeftOut prints how much of each feed is left out, for output that has neither series nor media.
func printLeftOut(feeds []*pastFeed, out io.Writer) {
	for _, f := range feeds {
		f.summary.Folded, f.summary.Unsettled = 0, 0
		f.printLeftOut(out)
	}
}

// printLeftOut prints how much of the feed is left out or counts otherwise.
func (f *pastFeed) printLeftOut(out io.Writer) {
	s := &f.summary
	for _, more := range []struct {
		n    int
		text string
	}{
		{s.Invalid, "rows can't be read and are left out"},
		{s.Missing, "records are in the provider's list but can't be found: left out"},
		{s.Unfinished, "calls aren't final yet and are left out: read the range again later"},
		{s.Folded, "observations have labels past metrics.series_limit and are in `overflow`"},
		{s.Unsettled, "calls are so recent that they count without streams and ratings"},
	} {
		if more.n > 0 {
			fmt.Fprintf(out, "%s: %d %s\n", f.name(), more.n, more.text)
		}
	}
}
