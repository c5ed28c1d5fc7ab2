package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// acme is the provider of these tests, with a feed of each kind: call_log lists nothing, active_calls counts, and
// records lists nothing and fetches what notifications name, a line of the body each.
type acme struct {
	t        *testing.T
	expiry   func() time.Time                // asked when the metrics are; nil: nothing expires
	maintain func(ctx context.Context) error // nil: nothing is subscribed
	began    chan string                     // gets each key whose fetching begins, if there is room
	held     chan struct{}                   // not nil: a read of active calls waits for it

	mu     sync.Mutex
	active map[cdr.Direction]int // guarded by mu; nil: the read fails
	opened int                   // guarded by mu; how many sources were
}

// acmeConfig is the block `acme`.
type acmeConfig struct {
	Tenant      string       `yaml:"tenant"`
	CallLog     *acmeFeed    `yaml:"call_log"`
	ActiveCalls *acmeFeed    `yaml:"active_calls"`
	Records     *acmeRecords `yaml:"records"`
}

type acmeFeed struct {
	config.Feed `yaml:",inline"`
}

type acmeRecords struct {
	config.Feed `yaml:",inline"`

	// Path is the webhook's path, or empty.
	Path string `yaml:"path"`
}

// SetDefaults implements config.Defaulter.
func (f *acmeFeed) SetDefaults() {
	f.Feed = config.Feed{Interval: time.Second, Lookback: time.Hour, LateAfter: time.Hour}
}

// SetDefaults implements config.Defaulter. Nobody waits for the list.
func (f *acmeRecords) SetDefaults() {
	f.Feed = config.Feed{Interval: time.Hour, Lookback: 24 * time.Hour, LateAfter: time.Hour}
}

func newNotifying(t *testing.T) *acme { return &acme{t: t, began: make(chan string, 100)} }

func (a *acme) provider() collector.Provider {
	return collector.Provider{Name: "acme", NewConfig: func() any { return new(acmeConfig) }, Open: a.open}
}

func (a *acme) open(c any, settings collector.SourceSettings) (*collector.Source, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.opened++
	block, ok := c.(*acmeConfig)
	if !ok {
		return nil, fmt.Errorf("a block of type %T", c)
	}
	source := &collector.Source{
		Advise:           func(err error) (what, todo string) { return err.Error(), "wait" },
		Offset:           func() (time.Duration, bool) { return 0, true },
		ThrottledUntil:   func() time.Time { return time.Time{} },
		CredentialExpiry: a.expiry,
		Close:            func() { settings.Observer.Request("", "200", time.Second) }, // a session is ended
	}
	day := collector.Limits{MaxRange: 24 * time.Hour}
	if f := block.CallLog; f != nil {
		source.Feeds = append(source.Feeds, collector.FeedInfo{
			Name: "call_log", Reader: a, Limits: day, Interval: f.Interval, Lookback: f.Lookback,
			LateAfter: f.LateAfter, Fingerprint: "acme",
		})
	}
	if block.ActiveCalls != nil {
		source.Feeds = append(source.Feeds, collector.FeedInfo{
			Name: "active_calls", ActiveCalls: a.countActive, Interval: 50 * time.Millisecond, Fingerprint: "acme",
		})
	}
	if f := block.Records; f != nil {
		feed := collector.FeedInfo{
			Name: "records", Reader: a, Limits: day, Fetcher: a, Interval: f.Interval, Lookback: f.Lookback,
			LateAfter: f.LateAfter, Fingerprint: "notifying " + block.Tenant,
			Rules: collector.Rules{Grows: true},
		}
		if f.Path != "" {
			feed.Webhook = &collector.Webhook{Path: f.Path, Handler: a.handler(settings.Notified)}
			if a.maintain != nil {
				feed.Subscription = subscription{a.maintain, settings.Notified}
			}
		}
		source.Feeds = append(source.Feeds, feed)
	}
	return source, nil
}

// Pages implements collector.RangeReader. It yields no calls.
func (a *acme) Pages(context.Context, time.Time, time.Time) iter.Seq2[*collector.Page, error] {
	return func(yield func(*collector.Page, error) bool) { yield(&collector.Page{}, nil) }
}

// countActive implements collector.ActiveCalls.
func (a *acme) countActive(ctx context.Context, _ bool) (map[cdr.Direction]int, error) {
	a.mu.Lock()
	active := a.active
	a.mu.Unlock()
	if a.held != nil {
		select {
		case <-a.held:
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

// handler answers a GET with what the query says, as a handshake, panics if that says
// so, and enqueues the lines of any other body.
func (a *acme) handler(observer collector.NotificationObserver) func(collector.Inbox) http.Handler {
	return func(inbox collector.Inbox) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Query().Get("say") {
			case "":
			case "panic":
				panic("as requested")
			default:
				_, _ = io.WriteString(w, r.URL.Query().Get("say"))
				return
			}
			body, err := io.ReadAll(r.Body)
			if err != nil {
				a.t.Error(err)
			}
			var items []work.Item
			for key := range strings.FieldsSeq(string(body)) {
				items = append(items, work.Item{Kind: "notified", Key: key, Version: 1, Due: time.Now()})
			}
			queued, err := inbox.Enqueue(r.Context(), items)
			if err != nil {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			observer.Notifications("accepted", queued)
			observer.LastNotification(time.Now())
			w.WriteHeader(http.StatusAccepted)
		})
	}
}

// Parallel implements collector.Fetcher.
func (a *acme) Parallel() int { return 2 }

// Fetch implements collector.Fetcher.
func (a *acme) Fetch(_ context.Context, tasks []work.Item) (*collector.Page, error) {
	select {
	case a.began <- tasks[0].Key:
	default:
	}
	if tasks[0].Key == "gone" {
		return nil, collector.ErrGone
	}
	start := time.Now().Add(-time.Minute).UTC()
	return &collector.Page{Records: []*cdr.Record{{
		ID: tasks[0].Key, Version: 1, Start: start, End: start.Add(time.Second), Duration: time.Second,
		Outcome: cdr.Answered, CallType: "group_call",
	}}}, nil
}

// begun waits until something more is fetched.
func (a *acme) begun() {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.t.Context(), 5*time.Minute)
	defer cancel()
	select {
	case <-a.began:
	case <-ctx.Done():
		a.t.Fatal("nothing is fetched")
	}
}

// Urgent implements collector.SubscriptionManager.
func (subscription) Urgent() bool { return false }

// subscription is a subscription.
type subscription struct {
	maintain func(ctx context.Context) error
	observer collector.NotificationObserver
}

// Maintain implements collector.SubscriptionManager.
func (s subscription) Maintain(ctx context.Context, now time.Time) (again time.Duration, gap time.Time, err error) {
	if err := s.maintain(ctx); err != nil {
		return 0, gap, err
	}
	s.observer.SubscriptionExpiry(now.Add(time.Hour))
	return time.Hour, gap, nil
}

const noSources = "storage: {path: data}\nmetrics: {zero_for: 0s}\nsources:\n"

// write writes a configuration of a source with these feeds, and says where it is.
func (a *acme) write(folder, feeds, more string) string {
	a.t.Helper()
	file := filepath.Join(folder, "config.yaml")
	writeFile(a.t, file, noSources+"  - name: office\n    history: 1h\n    acme: {"+feeds+"}\n"+more)
	return file
}

// notifyingSource is one source in a configuration.
type notifyingSource struct{ name, tenant, path string }

// writeSources writes a configuration with these sources, and says where it is.
func (a *acme) writeSources(folder string, sources ...notifyingSource) string {
	a.t.Helper()
	file, text := filepath.Join(folder, "config.yaml"), noSources
	for _, s := range sources {
		text += fmt.Sprintf("  - name: %s\n    history: 1h\n    acme: {tenant: %q, records: {path: %q}}\n", s.name,
			s.tenant, s.path)
	}
	writeFile(a.t, file, text)
	return file
}
