package app

import (
	"slices"
	"sync"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/web"
)

// observing sets a feed's metrics, and keeps its delays for the status.
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

// delays are those of a feed's last records. Calls that ended before the feed was started are left out: their delay isn't the provider's.
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
