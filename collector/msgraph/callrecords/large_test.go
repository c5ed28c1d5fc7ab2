package callrecords

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/subscriptions"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// endless answers each request with a page that has a next link.
type endless struct {
	page func(n int64, path string) io.Reader
	n    atomic.Int64
	live func()
}

// RoundTrip implements http.RoundTripper.
func (e *endless) RoundTrip(r *http.Request) (*http.Response, error) {
	e.live()
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, ContentLength: -1,
		Request: r,
		Body:    io.NopCloser(e.page(e.n.Add(1), r.URL.Path)),
	}, nil
}

func (e *endless) records(t testing.TB) *Records {
	t.Helper()
	client, err := httpclient.New(httpclient.Settings{BaseURL: "https://graph.example", Transport: e})
	require.NoError(t, err)
	return recordsBy(client)
}

// recordPath is a record's path of a fake link.
func recordPath(path string) (base, id string) {
	base, _, _ = strings.Cut(path, "/sessions")
	return base, base[strings.LastIndexByte(base, '/')+1:]
}

// largeReads tells whether large records are read one after the other.
type largeReads struct {
	limit  int
	mu     sync.Mutex
	read   map[string]int // how much of each was read
	latest string         // the latest large one that asked
	ended  map[string]bool
}

// asks notes that a record asks for a page, and says whether another large one has asked since it was large.
func (l *largeReads) asks(id string, page int) (mixed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.read == nil {
		l.read, l.ended = make(map[string]int), make(map[string]bool)
	}
	if l.read[id] > l.limit && id != l.latest {
		l.ended[l.latest], l.latest = true, id
	}
	l.read[id] += page
	return l.ended[id]
}

// Eight records whose pages never end take at most 32 MiB when one may have 8 (an eighth of the real limit, which takes
// long under the race detector): one has up to 8, the others stop at 2, and each holds a page of half a MiB as text and
// as values. Each is given up as too large, and so is one with a page that is too large.
func TestRecordsThatNeverEnd(t *testing.T) {
	var most atomic.Uint64
	liveHeap := func() uint64 { // what the last garbage collection found in use
		runtime.GC()
		sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(sample)
		return sample[0].Value.Uint64()
	}
	before := liveHeap()
	live := func() {
		if now := liveHeap(); now > before && now-before > most.Load() {
			most.Store(now - before)
		}
	}
	for name, page := range map[string]struct{ size, records int }{
		"pages of 512 KiB": {512 << 10, parallelRecords}, "a page of 9 MiB": {9 << 20, 1},
	} {
		t.Run(name, func(t *testing.T) {
			most.Store(0)
			var sessions strings.Builder
			for n := 0; sessions.Len() < page.size; n++ {
				fmt.Fprintf(&sessions, `{"id":"%d","caller":{"userAgent":{"headerValue":%q}}},`, n,
					strings.Repeat("x", 4000))
			}
			list := strings.TrimSuffix(sessions.String(), ",")
			large := largeReads{limit: recordSizes.large / 8}
			e := &endless{live: live, page: func(n int64, path string) io.Reader {
				base, id := recordPath(path)
				if large.asks(id, len(list)) {
					t.Error("two large records are read at once")
				}
				next := fmt.Sprintf("https://graph.example%s/sessions?%d", base, n)
				before, link := `{"id":"`+id+`","startDateTime":"2026-11-19T10:00:00Z","sessions":[`,
					"sessions@odata.nextLink"
				if strings.Contains(path, "/sessions") {
					before, link = `{"value":[`, "@odata.nextLink"
				}
				// All pages share the list, so that only what the reader holds is measured.
				return io.MultiReader(strings.NewReader(before), strings.NewReader(list),
					strings.NewReader(`],"`+link+`":"`+next+`"}`))
			}}
			r := e.records(t)
			r.sizes = sizes{max: recordSizes.max / 8, large: recordSizes.large / 8}
			var all sync.WaitGroup
			for i := range page.records {
				all.Go(func() {
					key := fmt.Sprintf("e523d2ed-2966-4b6b-925b-%012d", i)
					if page, err := r.Fetch(t.Context(),
						[]work.Item{{Kind: subscriptions.TaskNotified, Key: key}}); !errors.Is(err,
						collector.ErrTooLarge) {
						t.Errorf("record %d: %v, %v", i, page, err)
					}
				})
			}
			all.Wait()
			if page.records > 1 && most.Load() > 32<<20 {
				t.Errorf("they took %d KiB", most.Load()>>10)
			}
		})
	}
}

// BenchmarkReadRecord reads a call record with a number of sessions. json-ratio is how often it is
// read while encoding/json decodes it once (the aim: 0.7).
func BenchmarkReadRecord(b *testing.B) {
	text, err := os.ReadFile("testdata/call_record_phone.json")
	require.NoError(b, err)
	for _, sessions := range []int{10, 1000} {
		b.Run(fmt.Sprintf("sessions=%d", sessions), func(b *testing.B) {
			all := readAll(b, string(text))
			//nolint:forcetypeassert // a test
			all["id"], all["sessions"] = record1, slices.Repeat(all["sessions"].([]any), sessions)
			body, err := json.Marshal(all)
			require.NoError(b, err)
			e := &endless{live: func() {}, page: func(_ int64, path string) io.Reader {
				if strings.HasSuffix(path, "/participants_v2") {
					return strings.NewReader(`{"value":[]}`)
				}
				return bytes.NewReader(body)
			}}
			r := e.records(b)
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			var ours, theirs time.Duration
			for b.Loop() {
				begin := time.Now()
				if _, err := r.Fetch(b.Context(),
					[]work.Item{{Kind: subscriptions.TaskNotified, Key: record1}}); err != nil {
					b.Fatal(err)
				}
				ours += time.Since(begin)
				var generic map[string]any
				begin = time.Now()
				require.NoError(b, json.Unmarshal(body, &generic))
				theirs += time.Since(begin)
			}
			b.ReportMetric(float64(ours.Nanoseconds())/float64(b.N), "ns/op")
			b.ReportMetric(float64(theirs)/float64(ours), "json-ratio")
		})
	}
}
