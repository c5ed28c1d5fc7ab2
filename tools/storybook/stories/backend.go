package stories

import (
	"context"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/app/web"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/daily"
	"github.com/cdr-exporter/cdr-exporter/internal/monitoring/thresholds"
)

// Now is the clock of all stories, so that a page is the same whenever it is read.
var Now = time.Date(2026, time.March, 29, 12, 0, 0, 0, time.UTC)

// Ago is an instant before Now; a negative length is one to come.
func Ago(d time.Duration) web.Time { return web.Time{Time: Now.Add(-d)} }

// Day is a day of UTC before that of Now.
func Day(ago int) daily.Date { return daily.DateOf(Now).Add(-ago) }

// Money is an amount.
func Money(text string) cdr.Money {
	amount, err := cdr.ParseMoney(text)
	if err != nil {
		panic(err) // a story is wrong
	}
	return amount
}

// Backend answers with prepared data. It is safe for concurrent use while nobody changes its fields.
type Backend struct {
	// Shown is the status without version, clock and readiness.
	Shown web.Status
	// NotReady says what is missing; empty: it is ready.
	NotReady string
	// OnReload and OnActivity replace a reload that succeeds, and a day without calls.
	OnReload   func() error
	OnActivity func(ctx context.Context, from time.Time) ([]web.Activity, error)
}

// Status implements web.Backend.
func (b *Backend) Status() web.Status {
	status := b.Shown
	status.Version, status.Now = "1.2.3", web.Time{Time: Now}
	status.Ready, status.NotReady = b.Ready()
	if status.Thresholds == (thresholds.Thresholds{}) {
		status.Thresholds = thresholds.Default()
	}
	return status
}

// Ready implements web.Backend.
func (b *Backend) Ready() (ready bool, missing string) { return b.NotReady == "", b.NotReady }

// Reload implements web.Backend.
func (b *Backend) Reload() error {
	if b.OnReload == nil {
		return nil
	}
	return b.OnReload()
}

// Activity implements web.Backend.
func (b *Backend) Activity(ctx context.Context, from time.Time) ([]web.Activity, error) {
	if b.OnActivity == nil {
		return nil, nil
	}
	return b.OnActivity(ctx, from)
}

// RisingActivity is that of three feeds, one of which began to fail half an hour ago.
func RisingActivity(_ context.Context, from time.Time) ([]web.Activity, error) {
	var all []web.Activity
	for start := from; start.Before(Now); start = start.Add(web.ActivityStep) {
		n := int64(start.Sub(from) / web.ActivityStep)
		failures := int64(0)
		if Now.Sub(start) <= 30*time.Minute {
			failures = n / 10
		}
		all = append(all,
			web.Activity{Start: start, Calls: 10 + n%7},
			web.Activity{Start: start, Calls: n, Failures: failures},
		)
	}
	if !from.After(Now) {
		all = append(all, web.Activity{Start: Now, Calls: 1, Failures: 1})
	}
	return all, nil
}

// steadyActivity is a day without failures.
func steadyActivity(_ context.Context, from time.Time) (all []web.Activity, err error) {
	for start := from; start.Before(Now); start = start.Add(web.ActivityStep) {
		all = append(all, web.Activity{Start: start, Calls: 20 + int64(start.Hour()*start.Minute()%11)})
	}
	return all, nil
}
