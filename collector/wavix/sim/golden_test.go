package sim

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGoldenPages keeps a page of each generation and each format: the same seed gives
// the same bytes.
func TestGoldenPages(t *testing.T) {
	a := account(t, 60, func(s *simulator.Settings) { s.Malformed, s.NoID, s.Duplicated, s.Revised = 0.1, 0.1, 0.1, 0.2 })
	for _, test := range []struct {
		file       string
		generation Generation
		path       string
		callType   string
	}{
		{"a_placed.json", GenerationA, "/v1/cdr", Placed},
		{"a_received.csv", GenerationA, "/v1/cdr.csv", Received},
		{"b_placed.ndjson", GenerationB, "/v1/cdr/all", Placed},
		{"b_received.json", GenerationB, "/v1/cdr", Received},
		{"c_placed.json", GenerationC, "/v1/cdrs", Placed},
		{"c_received.ndjson", GenerationC, "/v1/cdrs/all", Received},
	} {
		t.Run(test.file, func(t *testing.T) {
			_, c := start(t, Settings{Account: a, Generation: test.generation})
			_, body := c.get(test.path, options(test.callType, "per_page", "30"))
			// One row in a line.
			body = bytes.ReplaceAll(body, []byte("},{"), []byte("},\n{"))
			if !bytes.HasSuffix(body, []byte("\n")) {
				body = append(body, '\n')
			}
			path := filepath.Join("testdata", test.file)
			if *update {
				if err := os.WriteFile(path, body, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(body, want) {
				t.Error("it differs: run the test with -update and look at what changed")
			}
		})
	}
}

// TestSameSeedSameAnswers: two servers of two worlds of one seed say the same.
func TestSameSeedSameAnswers(t *testing.T) {
	var first [][]byte
	for n := range 2 {
		_, c := start(t, Settings{Account: account(t, 500, spoilt), Order: Shuffled, Generation: GenerationB})
		got := [][]byte{c.export(Placed), c.export(Received)}
		_, calls := c.get("/v1/calls", nil)
		if got = append(got, calls); n == 0 {
			first = got
			continue
		}
		for i := range got {
			if !bytes.Equal(got[i], first[i]) {
				t.Errorf("answer %d differs", i)
			}
		}
	}
}

// TestManyAtOnce: everything may be done at once; the race detector looks on.
func TestManyAtOnce(t *testing.T) {
	clock := simulator.NewManualClock(begin.Add(10 * time.Hour))
	server, _ := start(t, Settings{Account: account(t, 1500, nil), Clock: clock, KeepOldPaths: true, AcceptAppID: true, RequestsPerMinute: 100000})
	var group sync.WaitGroup
	for worker := range 6 {
		group.Go(func() {
			random := rand.New(rand.NewPCG(uint64(worker), 1)) //nolint:gosec // A test wants the same numbers again.
			for range 30 {
				switch random.IntN(8) {
				case 0:
					server.FailCarrier(time.Minute)
				case 1:
					server.SetTimezone(time.FixedZone("", random.IntN(10)*3600))
				case 2:
					server.Upgrade(GenerationB + Generation(random.IntN(2)))
				case 3:
					server.Advance(time.Minute)
				case 4:
					server.Active(server.Now())
				case 5:
					server.Account().Totals(server.Now())
				case 6:
					server.Asked()
				default:
					server.DayTotals(begin, Placed, server.Now())
				}
			}
		})
	}
	problems := make(chan error, 6)
	for worker := range 3 {
		c := newClient(t, server)
		group.Go(func() {
			for _, path := range []string{"/v1/cdr", "/v1/cdr/all", "/v1/cdr.csv", "/v1/calls"} {
				for range 10 {
					response, _, err := c.try(http.MethodGet, path, options(Received), "")
					if err != nil || response.StatusCode != http.StatusOK {
						problems <- fmt.Errorf("worker %d: %s: %v, %w", worker, path, response, err)
						return
					}
				}
			}
		})
	}
	group.Wait()
	close(problems)
	for err := range problems {
		t.Error(err)
	}
}

func TestWrongAccounts(t *testing.T) {
	placedWorld := world(t, PlacedMix(), 10, nil)
	strange := PlacedMix()
	strange.Kinds[0].Wire = "nothing known"
	for name, s := range map[string]AccountSettings{
		"one world twice":  {Placed: placedWorld, Received: placedWorld},
		"the wrong type":   {Received: placedWorld},
		"an unknown kind":  {Placed: world(t, strange, 10, nil)},
		"received, placed": {Placed: world(t, ReceivedMix(), 10, nil)},
	} {
		if _, err := NewAccount(s); err == nil {
			t.Errorf("%s is let through", name)
		}
	}
	if _, err := Start(Settings{Listen: "nowhere"}); err == nil {
		t.Error("it listens nowhere")
	}
}

// TestLiveAccount: calls go on, and are listed as they come.
func TestLiveAccount(t *testing.T) {
	live := func(mix *simulator.Mix) *simulator.World {
		w, err := simulator.NewWorld(simulator.Live(3, mix, begin, 0.5))
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	a := accountOf(t, AccountSettings{Placed: live(PlacedMix()), Received: live(ReceivedMix())})
	server, c := start(t, Settings{Account: a, Clock: simulator.NewManualClock(begin.Add(3 * time.Hour))})
	before := 0
	for range 3 {
		server.Advance(time.Hour)
		rows, first := c.pages(options(Placed, "to", "2026-03-09"), 1000)
		want := a.TotalsOf(View{View: simulator.View{At: []time.Time{server.Now()}}, Type: Placed})
		if len(rows) != want.Rows || first.Pagination.Total != want.Records || len(rows) < before+500 {
			t.Errorf("%d rows, total %d, before %d; want %d, %d", len(rows), first.Pagination.Total, before, want.Rows, want.Records)
		}
		before = len(rows)
	}
}
