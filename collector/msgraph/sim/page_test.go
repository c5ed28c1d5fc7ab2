package sim

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGoldenPages keeps one page of each feed: the same seed gives the same bytes.
func TestGoldenPages(t *testing.T) {
	spoil := func(s *simulator.Settings) { s.Malformed, s.NoID, s.Duplicated, s.Revised = 0.1, 0.05, 0.1, 0.2 }
	server, c := start(t, Settings{
		PSTN: world(t, PSTNMix(), 60, spoil), DirectRouting: world(t, DirectRoutingMix(), 60, spoil), PageSize: 40,
	})
	for name, function := range map[string]string{"pstn_page.json": "getPstnCalls", "direct_routing_page.json": "getDirectRoutingCalls"} {
		_, body := c.get(functions + function + day)
		// The port is another one each time.
		body = bytes.ReplaceAll(body, []byte(server.GraphURL()), []byte("https://graph.example"))
		// One row in a line.
		body = append(bytes.ReplaceAll(body, []byte("},{"), []byte("},\n{")), '\n')
		path := filepath.Join("testdata", name)
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
			t.Errorf("%s differs: run the test with -update and look at what changed", name)
		}
	}
}

func TestEveryRowIsJSON(t *testing.T) {
	spoil := func(s *simulator.Settings) { s.Malformed = 0.5 }
	_, c := start(t, Settings{PSTN: world(t, PSTNMix(), 2000, spoil), DirectRouting: world(t, DirectRoutingMix(), 2000, spoil)})
	for _, function := range []string{"getPstnCalls", "getDirectRoutingCalls"} {
		if rows, _ := c.read(function + day); len(rows) < 2000 {
			t.Errorf("%s: %d rows", function, len(rows))
		}
	}
}

func TestPagesFollowTheirLinks(t *testing.T) {
	server, c := start(t, Settings{PSTN: world(t, PSTNMix(), 950, nil), DirectRouting: world(t, DirectRoutingMix(), 950, nil), PageSize: 300})
	for function, names := range map[string]string{"getPstnCalls": "(from=2026", "getDirectRoutingCalls": "(fromDateTime=2026"} {
		rows, pages := c.read(function + day)
		want := server.settings.PSTN
		if function != "getPstnCalls" {
			want = server.settings.DirectRouting
		}
		if n := want.Totals(server.Now()).Rows; len(rows) != n || len(pages) != 4 {
			t.Errorf("%s: %d rows on %d pages, want %d on 4", function, len(rows), len(pages), n)
		}
		if next := pages[0].Next; !strings.Contains(next, names) || !strings.HasSuffix(next, "?$skip=300") || !strings.HasPrefix(next, server.GraphURL()) {
			t.Errorf("%s: next link %s", function, next)
		}
		if kind := pages[0].Context; !strings.Contains(kind, "LogRow)") {
			t.Errorf("context %s", kind)
		}
	}
	if server.Requests().Rows(EndpointPSTN) == 0 || server.Requests().Count(EndpointPSTN)[200] != 4 {
		t.Errorf("recorded %v", server.Requests().Count(EndpointPSTN))
	}
	last := server.Requests().Requests()[3]
	if last.Skip != 900 || !last.From.Equal(begin) || last.Status != 200 {
		t.Errorf("recorded %+v", last)
	}
}

func TestTenantWithoutCallsHasAnEmptyList(t *testing.T) {
	_, c := start(t, Settings{})
	if rows, pages := c.read("getPstnCalls" + day); len(rows) != 0 || len(pages) != 1 {
		t.Errorf("%d rows on %d pages", len(rows), len(pages))
	}
}

// TestEnds: PSTN takes the end of the range in, Direct Routing doesn't.
func TestEnds(t *testing.T) {
	server, c := start(t, Settings{PSTN: world(t, PSTNMix(), 20, nil), DirectRouting: world(t, DirectRoutingMix(), 20, nil)})
	for function, w := range map[string]*simulator.World{"getPstnCalls": server.settings.PSTN, "getDirectRoutingCalls": server.settings.DirectRouting} {
		var at time.Time
		w.Each(time.Time{}, time.Time{}, func(call *simulator.Call) bool {
			at = call.Start
			return call.Copies != 1
		})
		text := at.Format(time.RFC3339Nano)
		want := 0
		if function == "getPstnCalls" {
			want = 1
		}
		if rows, _ := c.read(function + "(fromDateTime=" + text + ",toDateTime=" + text + ")"); len(rows) != want {
			t.Errorf("%s: %d rows at the end, want %d", function, len(rows), want)
		}
	}
}

func TestGzip(t *testing.T) {
	_, c := start(t, Settings{PSTN: world(t, PSTNMix(), 100, nil), Gzip: true})
	response, body := c.get(functions + "getPstnCalls" + day)
	if !response.Uncompressed || !json.Valid(body) {
		t.Errorf("compressed: %v, %d bytes", response.Uncompressed, len(body))
	}
}

func TestControl(t *testing.T) {
	live := simulator.Live(3, DirectRoutingMix(), begin, 1)
	w, err := simulator.NewWorld(live)
	if err != nil {
		t.Fatal(err)
	}
	server, c := start(t, Settings{DirectRouting: w, Clock: simulator.NewManualClock(begin.Add(time.Hour)), PageSize: 100_000})
	count := func() int {
		rows, _ := c.read("getDirectRoutingCalls" + day)
		return len(rows)
	}
	first := count()
	server.Advance(10 * time.Minute)
	second := count()
	at := server.Pause()
	server.FailTrunk("sbc1.example.com", time.Minute)
	server.Pause()
	third := count()
	if first == 0 || second <= first || third != second || w.Totals(at).Rows != second || !server.Visible().Equal(at) {
		t.Errorf("%d rows, then %d, then %d; totals %d", first, second, third, w.Totals(at).Rows)
	}
	response, _ := c.get(functions + "getDirectRoutingCalls" + day)
	if date := response.Header.Get("Date"); date != "Mon, 02 Mar 2026 01:10:00 GMT" {
		t.Errorf("Date is %s", date)
	}
	server.Resume()
	server.Advance(time.Hour)
	if n := count(); n <= third {
		t.Errorf("%d rows after Resume", n)
	}
}

func BenchmarkServe(b *testing.B) {
	server, c := start(b, Settings{PSTN: world(b, PSTNMix(), 1_000_000, nil), DirectRouting: world(b, DirectRoutingMix(), 1_000_000, nil)})
	for _, function := range []string{"getPstnCalls", "getDirectRoutingCalls"} {
		b.Run(function, func(b *testing.B) {
			address := server.GraphURL() + functions + function + day
			bytes := 0
			for b.Loop() {
				_, body := c.send(http.MethodGet, address, nil)
				bytes += len(body)
				head := body[:500]
				if function != "getPstnCalls" {
					head = body[len(body)-500:]
				}
				_, next, _ := strings.Cut(string(head), `"@odata.nextLink":"`)
				next, _, _ = strings.Cut(next, `"`)
				address = next
				if next == "" {
					address = server.GraphURL() + functions + function + day
				}
			}
			b.SetBytes(int64(bytes / b.N))
			b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
