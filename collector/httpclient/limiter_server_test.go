package httpclient

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"
)

// heavy is RingCentral's group of call logs: 10 requests in any 60 s.
func heavy() Limit {
	return Limit{
		Requests: 10, Per: time.Minute, Penalty: 30 * time.Second, HeaderPrefix: "X-Rate-Limit-",
		Group: "heavy",
	}
}

// slidingServer is a provider that counts each request on arrival, in any window including both
// ends. It refuses requests over the limit, and each request within its penalty restarts the
// penalty.
type slidingServer struct {
	limit   int
	penalty time.Duration
	// way is how long a request takes to the server, and its answer back.
	way func() time.Duration
	// silent leaves Retry-After out, mute the other headers.
	silent, mute bool

	mu        sync.Mutex
	arrivals  []time.Time // that count
	locked    time.Time   // the penalty's end
	announced time.Time   // the penalty's end as our latest request saw it
	answered  int
	refused   int
	early     int // requests within a penalty that we knew of
	ours      []time.Time
}

func newSliding(way func() time.Duration) *slidingServer {
	return &slidingServer{limit: 10, penalty: time.Minute, way: way}
}

// RoundTrip implements http.RoundTripper.
func (s *slidingServer) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := pauseFor(r.Context(), s.way()); err != nil {
		return nil, err
	}
	answer := s.arrive(true)
	if err := pauseFor(r.Context(), s.way()); err != nil {
		return nil, err
	}
	return answer, nil
}

// arrive takes a request, of ours or of another program.
func (s *slidingServer) arrive(ours bool) *http.Response {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for len(s.arrivals) > 0 && now.Sub(s.arrivals[0]) > time.Minute {
		s.arrivals = s.arrivals[1:]
	}
	refuse := now.Before(s.locked) || len(s.arrivals) >= s.limit
	if !refuse {
		s.arrivals = append(s.arrivals, now)
	} else {
		s.locked = now.Add(s.penalty)
	}
	if !ours {
		return nil
	}
	s.note(now, refuse)
	return s.answer(refuse)
}

// arriveIfRoom is a request of a program that overruns nothing either.
func (s *slidingServer) arriveIfRoom() {
	s.mu.Lock()
	now := time.Now()
	room := now.After(s.locked) && (len(s.arrivals) < s.limit || now.Sub(s.arrivals[0]) > time.Minute)
	s.mu.Unlock()
	if room {
		s.arrive(false)
	}
}

// fill takes requests of another program until there is no more room.
func (s *slidingServer) fill() {
	s.mu.Lock()
	room := s.limit - len(s.arrivals)
	s.mu.Unlock()
	for range room {
		s.arrive(false)
	}
}

// note records the result of one of our requests. The caller holds the lock.
func (s *slidingServer) note(now time.Time, refused bool) {
	s.ours = append(s.ours, now)
	if now.Before(s.announced) {
		s.early++
	}
	if refused {
		s.refused++
		s.announced = s.locked
	} else {
		s.answered++
	}
}

// answer is what the server says; the lock is held.
func (s *slidingServer) answer(refuse bool) *http.Response {
	resp := answer(http.StatusOK, "page")
	if refuse {
		resp = answer(http.StatusTooManyRequests, "")
		if !s.silent {
			resp.Header.Set("Retry-After", strconv.Itoa(int(s.penalty/time.Second)))
		}
	}
	if !s.mute {
		resp.Header.Set("X-Rate-Limit-Group", "heavy")
		resp.Header.Set("X-Rate-Limit-Limit", strconv.Itoa(s.limit))
		resp.Header.Set("X-Rate-Limit-Remaining", strconv.Itoa(s.limit-len(s.arrivals)))
		resp.Header.Set("X-Rate-Limit-Window", "60")
	}
	return resp
}

// windowed makes a client of the server with the Heavy limit.
func windowed(t *testing.T, server http.RoundTripper, change func(*Settings)) *Client {
	t.Helper()
	return newTest(t, server, func(s *Settings) {
		s.Limit = heavy()
		if change != nil {
			change(s)
		}
	})
}

// saturate lets feeds send as fast as they may, for the duration d.
func saturate(t *testing.T, client *Client, feeds []string, d time.Duration) {
	t.Helper()
	began := time.Now()
	var all sync.WaitGroup
	for _, feed := range feeds {
		all.Go(func() {
			for time.Since(began) < d {
				_, err := client.Get(t.Context(), Request{Feed: feed, URL: "/x"})
				switch e, refused := errors.AsType[*Error](err); {
				case err == nil:
				case !refused || e.Kind != KindThrottled:
					t.Errorf("ask for %s: %v", feed, err)
					return
				}
			}
		})
	}
	all.Wait()
}

// always is a way that takes the same time each time.
func always(d time.Duration) func() time.Duration { return func() time.Duration { return d } }

// between is a way that takes some time or other.
func between(random *rand.Rand, least, most time.Duration) func() time.Duration {
	var mu sync.Mutex
	return func() time.Duration {
		mu.Lock()
		defer mu.Unlock()
		return least + time.Duration(random.Int64N(int64(most-least)))
	}
}

// mostly is a way that takes one time, and in one of twenty cases another.
func mostly(random *rand.Rand, d, seldom time.Duration) func() time.Duration {
	var mu sync.Mutex
	return func() time.Duration {
		mu.Lock()
		defer mu.Unlock()
		if random.IntN(20) == 0 {
			return seldom
		}
		return d
	}
}
