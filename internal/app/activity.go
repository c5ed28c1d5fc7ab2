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
	var all []web.Activity
	for _, c := range counted {
		if configured[[2]string{c.Source, c.Feed}] {
			all = append(all, web.Activity{
				Source: c.Source, Provider: c.Provider, Feed: c.Feed, Start: web.Time(c.Start), Calls: c.Calls, Failures: c.Failures,
			})
		}
	}
	return all, nil
}

// figures hold the delays of each feed's records. The zero value is ready; it is safe for concurrent use.
type figures struct {
	mu     sync.Mutex
	delays map[[2]string]*delays // guarded by mu; by source and feed
}

// addFigures adds delays and the own metrics of feeds and ledger to a status.
func (a *App) addFigures(status *web.Status) {
	byName := make(map[[2]string]*web.Feed)
	for i := range status.Sources {
		s := &status.Sources[i]
		for j := range s.Feeds {
			byName[[2]string{s.Name, s.Feeds[j].Feed}] = &s.Feeds[j]
			s.Feeds[j].Delay = a.figures.of(s.Name, s.Feeds[j].Feed).summary(time.Now())
		}
	}
	for _, family := range a.own.Snapshot().Families {
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
		feed.Series += int64(v)
		status.Ledger.Series += int64(v)
	case metrics.SeriesOverflow:
		feed.SeriesOverflow += int64(v)
		status.Ledger.SeriesOverflow += int64(v)
	case metrics.NewestCall:
		if v > 0 {
			feed.NewestCall = web.Time(time.UnixMilli(int64(v * 1e3)))
		}
	}
}

// of returns the delays of a feed.
func (f *figures) of(source, feed string) *delays {
	f.mu.Lock()
	defer f.mu.Unlock()
	key := [2]string{source, feed}
	if f.delays == nil {
		f.delays = make(map[[2]string]*delays)
	}
	if f.delays[key] == nil {
		f.delays[key] = &delays{since: time.Now()}
	}
	return f.delays[key]
}

// observing is a feed's own metrics, and keeps its delays for the status.
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

// delayWindow is how long a delay is kept, delaysKept how many are.
const (
	delayWindow = time.Hour
	delaysKept  = 512
)

// delays are those of a feed's last records. Calls that ended before the program started are left out: their delay isn't the provider's.
type delays struct {
	mu    sync.Mutex
	since time.Time
	all   []delay // guarded by mu; oldest first
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

// summary is nil without a delay in the window.
func (d *delays) summary(now time.Time) *web.Delay {
	d.mu.Lock()
	defer d.mu.Unlock()
	var took []time.Duration
	for _, one := range d.all {
		if now.Sub(one.seen) <= delayWindow {
			took = append(took, one.took)
		}
	}
	if len(took) == 0 {
		return nil
	}
	slices.Sort(took)
	last := len(took) - 1
	return &web.Delay{MedianSeconds: took[last/2].Seconds(), P90Seconds: took[last*9/10].Seconds(), Records: len(took)}
}
