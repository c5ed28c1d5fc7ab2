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
// shown by two of them.
type watch struct {
	t      testing.TB
	http   *http.Client
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu       sync.Mutex // guards what follows
	replicas []*replica
	doubled  map[string]bool // reported already
}

func newWatch(t testing.TB) *watch {
	ctx, cancel := context.WithCancel(context.Background())
	w := &watch{
		t: t, http: &http.Client{Timeout: 2 * time.Second, Transport: new(http.Transport)}, cancel: cancel,
		doubled: make(map[string]bool),
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
	if first := doubles(w.all(ctx, replicas)); len(first) > 0 {
		again := doubles(w.all(ctx, replicas))
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

// all are the series of records that each replica shows.
func (w *watch) all(ctx context.Context, replicas []*replica) map[*replica]map[string]bool {
	var mu sync.Mutex
	var wait sync.WaitGroup
	shown := make(map[*replica]map[string]bool)
	for _, r := range replicas {
		wait.Go(func() {
			text := w.scrape(ctx, r)
			mu.Lock()
			defer mu.Unlock()
			shown[r] = make(map[string]bool)
			for line := range strings.Lines(text) {
				series, _, _ := strings.Cut(line, "} ")
				if strings.HasPrefix(series, "cdr_") && strings.Contains(series, `provider="`) {
					shown[r][series] = true
				}
			}
		})
	}
	wait.Wait()
	return shown
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
