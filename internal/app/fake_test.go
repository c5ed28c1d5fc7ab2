package app

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// acme is a provider of these tests, with a feed of each kind.
type acme struct {
	t *testing.T

	mu     sync.Mutex
	active map[cdr.Direction]int     // guarded by mu; nil: the read fails
	held   chan struct{}             // guarded by mu; not nil: a read of active calls waits for it
	totals []collector.ProviderTotal // guarded by mu; of each range that is read
	budget httpclient.Budget         // guarded by mu
	quotas []*httpclient.Quotas      // guarded by mu; those that Open was given
	expiry func() time.Time          // asked when the metrics are; nil: nothing expires
}

// acmeConfig is the block `acme`.
type acmeConfig struct {
	CallLog     *acmeFeed `yaml:"call_log"`
	ActiveCalls *acmeFeed `yaml:"active_calls"`
}

type acmeFeed struct {
	config.Feed `yaml:",inline"`
}

// SetDefaults implements config.Defaulter.
func (f *acmeFeed) SetDefaults() {
	f.Feed = config.Feed{Interval: time.Second, Lookback: time.Hour, LateAfter: time.Hour}
}

func (a *acme) provider() collector.Provider {
	return collector.Provider{Name: "acme", NewConfig: func() any { return new(acmeConfig) }, Open: a.open}
}

func (a *acme) open(c any, settings collector.SourceSettings) (*collector.Source, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.quotas = append(a.quotas, settings.Quotas)
	block, ok := c.(*acmeConfig)
	if !ok {
		return nil, fmt.Errorf("a block of type %T", c)
	}
	source := &collector.Source{
		Advise:         func(err error) (what, todo string) { return err.Error(), "wait" },
		Offset:         func() (time.Duration, bool) { return 0, true },
		ThrottledUntil: func() time.Time { return time.Time{} },
		Budget: func() httpclient.Budget {
			a.mu.Lock()
			defer a.mu.Unlock()
			return a.budget
		},
		CredentialExpiry: a.expiry,
		Close:            func() { settings.Observer.Request("", "200", time.Second) }, // a session is ended
	}
	if block.CallLog != nil {
		source.Feeds = append(source.Feeds, collector.FeedInfo{
			Name: "call_log", Reader: a, Limits: collector.Limits{MaxRange: 24 * time.Hour},
			Interval: block.CallLog.Interval, Lookback: block.CallLog.Lookback,
			LateAfter: block.CallLog.LateAfter, Fingerprint: "acme",
		})
	}
	if block.ActiveCalls != nil {
		source.Feeds = append(source.Feeds, collector.FeedInfo{
			Name: "active_calls", ActiveCalls: a.countActive, Interval: 50 * time.Millisecond, Fingerprint: "acme",
		})
	}
	return source, nil
}

// Pages implements collector.RangeReader. It yields only totals of days, never calls.
func (a *acme) Pages(context.Context, time.Time, time.Time) iter.Seq2[*collector.Page, error] {
	return func(yield func(*collector.Page, error) bool) {
		a.mu.Lock()
		totals := a.totals
		a.mu.Unlock()
		yield(&collector.Page{Totals: totals}, nil)
	}
}

// countActive implements collector.ActiveCalls.
func (a *acme) countActive(ctx context.Context, _ bool) (map[cdr.Direction]int, error) {
	a.mu.Lock()
	active, held := a.active, a.held
	a.mu.Unlock()
	if held != nil {
		select {
		case <-held:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if active == nil {
		return nil, errors.New("no answer")
	}
	return active, nil
}

// calls makes the next reads of active calls bring these; nil: they fail.
func (a *acme) calls(active map[cdr.Direction]int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.active = active
}

// write writes a configuration with these feeds, and says where it is.
func (a *acme) write(folder, feeds, more string) string {
	a.t.Helper()
	file := filepath.Join(folder, "config.yaml")
	text := "storage: {path: data}\nmetrics: {zero_for: 0s}\nsources:\n  - name: office\n    history: 1h\n    acme: {" +
		feeds + "}\n" + more
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		a.t.Fatal(err)
	}
	return file
}
