package app

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"os"
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

// notifyingProvider is a provider of these tests that notifies: its feed lists nothing and fetches
// what notifications name, a line of the body each.
type notifyingProvider struct {
	t *testing.T

	mu       sync.Mutex
	settings collector.SourceSettings // settings of the latest Open; guarded by mu
	trouble  error                    // guarded by mu; not nil: fetching fails
	began    chan string              // gets each key whose fetching begins, if there is room
	maintain func(ctx context.Context) error
}

// notifyingConfig is the block `notifying`.
type notifyingConfig struct {
	Tenant  string            `yaml:"tenant"`
	Records *notifyingRecords `yaml:"records"`
}

type notifyingRecords struct {
	config.Feed `yaml:",inline"`

	// Path is the webhook's path, or empty.
	Path string `yaml:"path"`
}

// SetDefaults implements config.Defaulter. Nobody waits for the list.
func (f *notifyingRecords) SetDefaults() {
	f.Feed = config.Feed{Interval: time.Hour, Lookback: 24 * time.Hour, LateAfter: time.Hour}
}

func newNotifying(t *testing.T) *notifyingProvider {
	return &notifyingProvider{t: t, began: make(chan string, 100)}
}

func (p *notifyingProvider) provider() collector.Provider {
	return collector.Provider{Name: "notifying", NewConfig: func() any { return new(notifyingConfig) }, Open: p.open}
}

func (p *notifyingProvider) open(c any, settings collector.SourceSettings) (*collector.Source, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settings = settings
	block, ok := c.(*notifyingConfig)
	if !ok {
		return nil, fmt.Errorf("a block of type %T", c)
	}
	feed := collector.FeedInfo{
		Name: "records", Reader: listsNothing{}, Limits: collector.Limits{MaxRange: 24 * time.Hour}, Fetcher: p,
		Interval: block.Records.Interval, Lookback: block.Records.Lookback,
		LateAfter: block.Records.LateAfter, Fingerprint: "notifying " + block.Tenant,
		Rules: collector.Rules{StartMoves: true, PartsSettle: true, TaskVersions: true},
	}
	if path := block.Records.Path; path != "" {
		feed.Webhook = &collector.Webhook{Path: path, Handler: p.handler(settings.Notified)}
		if p.maintain != nil {
			feed.Subscription = subscription{p.maintain, settings.Notified}
		}
	}
	return &collector.Source{
		Feeds:          []collector.FeedInfo{feed},
		Advise:         func(err error) (what, todo string) { return err.Error(), "wait" },
		Offset:         func() (time.Duration, bool) { return 0, true },
		ThrottledUntil: func() time.Time { return time.Time{} },
	}, nil
}

// listsNothing is a list without calls.
type listsNothing struct{}

// Read implements collector.RangeReader.
func (listsNothing) Pages(context.Context, time.Time, time.Time) iter.Seq2[*collector.Page, error] {
	return func(yield func(*collector.Page, error) bool) { yield(&collector.Page{}, nil) }
}

// handler answers a GET with what the query says, as a handshake, panics if that says
// so, and enqueues the lines of any other body.
func (p *notifyingProvider) handler(observer collector.NotificationObserver) func(collector.Inbox) http.Handler {
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
				p.t.Error(err)
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
func (p *notifyingProvider) Parallel() int { return 2 }

// Fetch implements collector.Fetcher.
func (p *notifyingProvider) Fetch(_ context.Context, tasks []work.Item) (*collector.Page, error) {
	p.mu.Lock()
	trouble := p.trouble
	p.mu.Unlock()
	select {
	case p.began <- tasks[0].Key:
	default:
	}
	switch {
	case trouble != nil:
		return nil, trouble
	case tasks[0].Key == "gone":
		return nil, collector.ErrGone
	}
	start := time.Now().Add(-time.Minute).UTC()
	return &collector.Page{Records: []*cdr.Record{{
		ID: tasks[0].Key, Version: 1, Start: start, End: start.Add(time.Second), Duration: time.Second,
		Outcome: cdr.Answered, CallType: "group_call",
	}}}, nil
}

// begun waits until something more is fetched.
func (p *notifyingProvider) begun() {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 5*time.Minute)
	defer cancel()
	select {
	case <-p.began:
	case <-ctx.Done():
		p.t.Fatal("nothing is fetched")
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

// notifyingSource is one source in a configuration.
type notifyingSource struct{ name, tenant, path string }

// write writes a configuration with these sources, and says where it is.
func (p *notifyingProvider) write(folder string, sources ...notifyingSource) string {
	p.t.Helper()
	file := filepath.Join(folder, "config.yaml")
	var text strings.Builder
	text.WriteString("storage: {path: data}\nmetrics: {zero_for: 0s}\nsources:\n")
	for _, s := range sources {
		fmt.Fprintf(&text, "  - name: %s\n    history: 1h\n    notifying: {tenant: %q, records: {path: %q}}\n", s.name,
			s.tenant, s.path)
	}
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		p.t.Fatal(err)
	}
	return file
}
