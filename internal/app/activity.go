package app

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/web"
)

// Activity implements web.Backend.
func (b backend) Activity(ctx context.Context, from time.Time) ([]web.Activity, error) {
	counted, err := b.app.ledger.Activity(ctx, from)
	if err != nil {
		return nil, err
	}
	configured := b.app.present().names()
	all := make([]web.Activity, 0, len(counted))
	for _, c := range counted {
		if !configured[[2]string{c.Source, c.Feed}] {
			continue
		}
		all = append(all, web.Activity{
			Source: c.Source, Provider: c.Provider, Feed: c.Feed, Start: web.Time(c.Start), Calls: c.Calls, Failures: c.Failures,
		})
	}
	return all, nil
}

// figures are what the status shows beside the feeds' own state. The zero value is
// ready; it is safe for concurrent use.
type figures struct {
	mu     sync.Mutex
	delays map[[2]string]*delays // guarded by mu; by source and feed
	taken  time.Time             // guarded by mu: when own was taken
	own    metrics.Snapshot      // guarded by mu
}

// figuresFresh is how long a snapshot of the own metrics is shown again.
const figuresFresh = 3 * time.Second

// snapshot are the own metrics, taken now or lately.
func (f *figures) snapshot(own *metrics.Own) metrics.Snapshot {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := time.Now(); f.taken.IsZero() || now.Sub(f.taken) >= figuresFresh {
		f.own, f.taken = own.Snapshot(), now
	}
	return f.own
}

// addFigures adds to a status what the own metrics know of its feeds and the ledger.
func (a *App) addFigures(status *web.Status) {
	byName := make(map[[2]string]*web.Feed)
	for i := range status.Sources {
		s := &status.Sources[i]
		for j := range s.Feeds {
			byName[[2]string{s.Name, s.Feeds[j].Feed}] = &s.Feeds[j]
			s.Feeds[j].Delay = a.figures.of(s.Name, s.Feeds[j].Feed).summary(time.Now())
		}
	}
	for _, family := range a.figures.snapshot(a.own).Families {
		for _, p := range family.Points {
			if family.Def == metrics.LedgerSize {
				status.Ledger.SizeBytes = int64(p.Value)
				continue
			}
			if len(p.Labels.Values) < 2 {
				continue
			}
			if feed := byName[[2]string(p.Labels.Values[:2])]; feed != nil {
				addFigure(status, feed, family.Def, p.Value)
			}
		}
	}
}

func addFigure(status *web.Status, feed *web.Feed, def *metrics.Def, v float64) {
	switch def {
	case metrics.SeriesCount:
		feed.Series += int(v)
		status.Ledger.Series += int(v)
	case metrics.SeriesOverflow:
		feed.SeriesOverflow += int64(v)
		status.Ledger.SeriesOverflow += int64(v)
	case metrics.NewestCall:
		if v > 0 {
			feed.NewestCall = web.Time(time.UnixMilli(int64(v * 1e3)))
		}
	}
}

// of are a feed's delays.
func (f *figures) of(source, feed string) *delays {
	f.mu.Lock()
	defer f.mu.Unlock()
	key := [2]string{source, feed}
	d := f.delays[key]
	if d == nil {
		if f.delays == nil {
			f.delays = make(map[[2]string]*delays)
		}
		d = &delays{since: time.Now()}
		f.delays[key] = d
	}
	return d
}

// observing is a feed's own metrics, and remembers its delays for the status.
type observing struct {
	*metrics.Feed

	delays *delays
}

var _ collector.Observer = observing{}

// Delays implements collector.Observer.
func (o observing) Delays(all []time.Duration) {
	o.Feed.Delays(all)
	o.delays.add(all, time.Now())
}

const (
	// delaysOf is how long a delay is remembered, and delaysKept how many are.
	delaysOf   = time.Hour
	delaysKept = 512
)

// delays are how late the records of a feed came. Calls that ended before the program
// began to look aren't among them: that they were seen late says nothing of the provider.
type delays struct {
	mu    sync.Mutex
	since time.Time
	all   []delay // guarded by mu; in the order in which they were seen
}

type delay struct {
	seen time.Time
	took time.Duration
}

func (d *delays) add(all []time.Duration, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, took := range all {
		if took < now.Sub(d.since) {
			d.all = append(d.all, delay{now, max(took, 0)})
		}
	}
	if excess := len(d.all) - delaysKept; excess > 0 {
		d.all = slices.Delete(d.all, 0, excess)
	}
}

// summary is nil if there is nothing to tell.
func (d *delays) summary(now time.Time) *web.Delay {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all = slices.DeleteFunc(d.all, func(one delay) bool { return now.Sub(one.seen) > delaysOf })
	if len(d.all) == 0 {
		return nil
	}
	took := make([]time.Duration, len(d.all))
	for i, one := range d.all {
		took[i] = one.took
	}
	slices.Sort(took)
	return &web.Delay{
		MedianSeconds: took[(len(took)-1)/2].Seconds(), P90Seconds: took[(len(took)-1)*9/10].Seconds(), Records: len(took),
	}
}
