package main_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// watch looks at all replicas of a fleet again and again, as Prometheus does: no series may be
// shown by two of them, and no feed be without an owner for long.
type watch struct {
	t      testing.TB
	http   *http.Client
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu       sync.Mutex // guards what follows
	replicas []*replica
	seen     map[string]time.Time     // when each feed last had an owner
	longest  map[string]time.Duration // how long it had none, at most, since gaps was called
	doubled  map[string]bool          // reported already
	looks    int
}

// longestGap is how long a feed may be without an owner: twice the 30 s that a quiet machine stays
// far below, because other tests run at the same time. The longest gap is logged.
const longestGap = time.Minute

func newWatch(t testing.TB) *watch {
	ctx, cancel := context.WithCancel(context.Background())
	w := &watch{
		t: t, http: &http.Client{Timeout: 2 * time.Second, Transport: new(http.Transport)}, cancel: cancel,
		seen: make(map[string]time.Time), longest: make(map[string]time.Duration), doubled: make(map[string]bool),
	}
	w.done.Go(func() {
		for tick := time.NewTicker(time.Second); ctx.Err() == nil; {
			w.look(ctx)
			select {
			case <-tick.C:
			case <-ctx.Done():
			}
		}
	})
	t.Cleanup(w.stop)
	return w
}

// stop ends it. It may be called twice.
func (w *watch) stop() {
	w.cancel()
	w.done.Wait()
	w.http.CloseIdleConnections()
}

func (w *watch) add(r *replica) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.replicas = append(w.replicas, r)
}

func (w *watch) remove(r *replica) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.replicas = slices.DeleteFunc(slices.Clone(w.replicas), func(o *replica) bool { return o == r })
}

// look looks at all replicas once, and once more if a series seems to be shown by two: it may have moved between.
func (w *watch) look(ctx context.Context) {
	w.mu.Lock()
	replicas := w.replicas
	w.mu.Unlock()
	owned, shown := w.all(ctx, replicas)
	w.note(owned)
	if first := doubles(shown); len(first) > 0 {
		_, shown = w.all(ctx, replicas)
		again := doubles(shown)
		w.mu.Lock()
		defer w.mu.Unlock()
		for series, by := range again {
			if both := slices.DeleteFunc(by,
				func(r *replica) bool { return !slices.Contains(first[series], r) }); len(both) > 1 {
				if feed := feedOf(series); !w.doubled[feed] {
					w.doubled[feed] = true
					w.t.Errorf("%s and %s both show %s", both[0].name, both[1].name, series)
				}
			}
		}
	}
}

// note takes note of the feeds that have an owner now.
func (w *watch) note(owned map[string]bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.looks++
	now := time.Now()
	for feed := range owned {
		if _, there := w.seen[feed]; !there {
			w.seen[feed] = now
		}
	}
	for feed, at := range w.seen {
		gap := now.Sub(at)
		if w.longest[feed] <= longestGap && gap > longestGap {
			w.t.Errorf("%s has had no owner for %s", feed, gap)
		}
		w.longest[feed] = max(w.longest[feed], gap)
		if owned[feed] {
			w.seen[feed] = now
		}
	}
}

// restart takes all feeds for owned until now.
func (w *watch) restart() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for feed := range w.seen {
		w.seen[feed] = time.Now()
	}
	clear(w.longest)
}

// gap is how long any feed was without an owner since it was last asked for.
func (w *watch) gap() (longest time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, gap := range w.longest {
		longest = max(longest, gap)
	}
	clear(w.longest)
	return longest
}

// all are the feeds that the replicas own, and the series of records that each shows.
func (w *watch) all(
	ctx context.Context, replicas []*replica,
) (owned map[string]bool, shown map[*replica]map[string]bool) {
	var mu sync.Mutex
	var wait sync.WaitGroup
	owned, shown = make(map[string]bool), make(map[*replica]map[string]bool)
	for _, r := range replicas {
		wait.Go(func() {
			text := w.scrape(ctx, r)
			mu.Lock()
			defer mu.Unlock()
			shown[r] = make(map[string]bool)
			for line := range strings.Lines(text) {
				series, value, _ := strings.Cut(strings.TrimSpace(line), "} ")
				if !strings.HasPrefix(series, "cdr_") {
					continue
				}
				if strings.HasPrefix(series, "cdr_exporter_feed_owned{") && value == "1" {
					owned[feedOf(series)] = true
				}
				if strings.Contains(series, `provider="`) {
					shown[r][series] = true
				}
			}
		})
	}
	wait.Wait()
	return owned, shown
}

// scrape are the metrics of a replica; empty if it doesn't answer.
func (w *watch) scrape(ctx context.Context, r *replica) string {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.client.base+"/metrics", http.NoBody)
	if err != nil {
		return ""
	}
	response, err := w.http.Do(request)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return ""
	}
	return string(text)
}

// doubles are the series that several replicas show, and those.
func doubles(shown map[*replica]map[string]bool) map[string][]*replica {
	by := make(map[string][]*replica)
	for r, all := range shown {
		for series := range all {
			by[series] = append(by[series], r)
		}
	}
	for series, all := range by {
		if len(all) == 1 {
			delete(by, series)
		}
	}
	return by
}

// feedOf is the feed of a series in the text format, as SOURCE/FEED.
func feedOf(series string) string {
	label := func(name string) string {
		_, tail, _ := strings.Cut(series, name+`="`)
		v, _, _ := strings.Cut(tail, `"`)
		return v
	}
	return fmt.Sprintf("%s/%s", label("source"), label("feed"))
}
