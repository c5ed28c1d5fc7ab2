package subscriptions

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/graph"
)

// A flood of forged requests is turned down past a bound, and shown; Graph's own requests come through meanwhile.
func TestNotificationFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newListener(t)
		forged := bodyOf(t, itemOf(record1, set("clientState", "x")))
		codes := map[int]int{}
		for range 5000 {
			codes[l.post(t, forged).Code]++
		}
		if codes[http.StatusAccepted] != 2*strangersPerSecond ||
			codes[http.StatusServiceUnavailable] != 5000-2*strangersPerSecond {
			t.Errorf("answers: %v", codes)
		}
		if l.observer.count("forged") != 2*strangersPerSecond || l.inbox.puts != 0 || len(l.graph.Asked) != 0 {
			t.Errorf("counts %v, enqueued %d times, asked %v", l.observer.counts, l.inbox.puts, l.graph.Asked)
		}
		for n := range 30 {
			record := fmt.Sprintf("e523d2ed-2966-4b6b-925b-%012d", n)
			l.want(t, l.post(t, bodyOf(t, itemOf(record))), http.StatusAccepted, n+1, 0, 2*strangersPerSecond, 0,
				5000-2*strangersPerSecond)
		}
		if w := l.post(t, strings.Repeat(" ", smallBody)+forged); w.Code != http.StatusServiceUnavailable {
			t.Errorf("a large forged request is answered %d", w.Code)
		}
	})
}

// Requests that send nothing keep nobody out.
func TestNotificationRequestsThatStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newListener(t)
		stalled, end := io.Pipe()
		var done sync.WaitGroup
		for range strangersPerSecond {
			done.Go(func() {
				l.ServeHTTP(httptest.NewRecorder(),
					httptest.NewRequestWithContext(t.Context(), http.MethodPost, testHook, stalled))
			})
		}
		synctest.Wait()
		l.want(t, l.post(t, bodyOf(t, itemOf(record1))), http.StatusAccepted, 1, 0, 0, 0)
		_ = end.CloseWithError(errors.New("the deadline has passed")) // as a server does
		done.Wait()
		l.want(t, l.post(t, bodyOf(t, itemOf(record1))), http.StatusAccepted, 1, 1, 0, strangersPerSecond)
	})
}

// Large requests are read a few at a time, for their memory: more are turned down at once, and
// those of usual size come through.
func TestLargeNotificationRequestsAreFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newListener(t)
		large := bodyOf(t, itemOf(record1)) + strings.Repeat(" ", smallBody)
		stalled, end := io.Pipe()
		var done sync.WaitGroup
		for range largeAtOnce {
			done.Go(func() {
				body := io.MultiReader(strings.NewReader(large), stalled)
				l.ServeHTTP(httptest.NewRecorder(),
					httptest.NewRequestWithContext(t.Context(), http.MethodPost, testHook, body))
			})
		}
		synctest.Wait()
		if w := l.post(t, large); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("a large one more is answered %d", w.Code)
		}
		l.want(t, l.post(t, bodyOf(t, itemOf(record1))), http.StatusAccepted, 1, 0, 0, 0)
		_ = end.CloseWithError(errors.New("the deadline has passed")) // as a server does
		done.Wait()
		l.want(t, l.post(t, large), http.StatusAccepted, 1, 1, 0, largeAtOnce)
	})
}

// The size of a forged request's body limits its cost, whatever it contains.
func TestForgedNotificationsCostLittleMemory(t *testing.T) {
	l := newListener(t)
	items := make([]any, 1800)
	items[0] = itemOf(record1)
	for i := range items[1:] {
		items[i+1] = itemOf(fmt.Sprintf("e523d2ed-2966-4b6b-925b-%012d", i),
			set("clientState", strings.Repeat("x", 100)))
	}
	body := bodyOf(t, items...)
	if len(body) < maxBody*3/4 {
		t.Fatalf("the body has %d bytes", len(body))
	}
	live := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	most, before := uint64(0), live()
	reader := &watched{Reader: strings.NewReader(body), every: 64 << 10, look: func() { most = max(most, live()) }}
	w := httptest.NewRecorder()
	l.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, testHook, reader))
	if w.Code != http.StatusAccepted || l.observer.count("forged") != len(items)-1 {
		t.Fatalf("%d, %v", w.Code, l.observer.counts)
	}
	if grown := int64(most) - int64(before); grown > 3*maxBody {
		t.Errorf("it holds %d bytes meanwhile", grown)
	}
}

// watched looks at the memory now and then while it is read.
type watched struct {
	io.Reader
	every, read int
	look        func()
}

func (r *watched) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	if r.read/r.every != (r.read+n)/r.every {
		r.look()
	}
	r.read += n
	return n, err
}

// FuzzNotifications: whatever comes, each item is counted once, only GUIDs are kept, only
// of those who know the secret, and Graph isn't asked.
func FuzzNotifications(f *testing.F) {
	for _, body := range []string{
		bodyOf(f, itemOf(record1)), bodyOf(f, itemOf(record1, set("clientState", "x")), 5, nil), `{"value":[]}`,
		`{"value":[{}]}`, `{}`, ``,
		`{"value":[{"clientState":"` + testState + `","resource":"a/` + record1 + `"}],"value":[]}`,
		"{\"value\":[{\"clientState\":\"\xff\"}]}", `{"value":[{"lifecycleEvent":"missed","clientState":"` + testState +
			`"}]}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		l := newListener(t)
		w := l.post(t, string(body))
		items := 0
		for _, n := range l.observer.counts {
			items += n
		}
		var read struct {
			Value []json.RawMessage `json:"value"`
		}
		if err := json.Unmarshal(body, &read); err == nil && w.Code == http.StatusAccepted && items < len(read.Value) {
			t.Errorf("%d of %d items are counted", items, len(read.Value))
		}
		for key := range l.inbox.work {
			if !graph.IsGUID(key) || key != strings.ToLower(key) || !strings.Contains(string(body), testState[:8]) &&
				!strings.Contains(string(body), `\u`) {
				t.Errorf("%q waits", key)
			}
		}
		if w.Code != http.StatusAccepted && (w.Code < 400 || w.Body.Len() > 0) || len(l.graph.Asked) > 0 {
			t.Errorf("the answer is %d %q", w.Code, w.Body)
		}
	})
}
