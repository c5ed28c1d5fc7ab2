package sim

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

func textsOf(raw []json.RawMessage) []string {
	list := make([]string, len(raw))
	for i := range raw {
		list[i] = string(raw[i])
	}
	return list
}

func datesOf(t *testing.T, raw []json.RawMessage) []string {
	t.Helper()
	var dates []string
	for _, row := range rowsOfJSON(t, raw) {
		dates = append(dates, row["date"])
	}
	return dates
}

// TestOrders reads a day with pages of several sizes, in every order.
func TestOrders(t *testing.T) {
	a := account(t, 700, nil)
	var everything []string
	for name, order := range map[string]Order{"ascending": Ascending, "descending": Descending, "shuffled": Shuffled} {
		t.Run(name, func(t *testing.T) {
			_, c := start(t, Settings{Account: a, Order: order})
			whole, _ := c.pages(options(Received), 1000)
			for _, size := range []int{7, 333} {
				if rows, _ := c.pages(options(Received), size); !slices.Equal(textsOf(rows), textsOf(whole)) {
					t.Errorf("pages of %d give %d other rows", size, len(rows))
				}
			}
			dates := datesOf(t, whole)
			sorted := slices.IsSorted(dates)
			if order == Descending {
				slices.Reverse(dates)
				sorted = slices.IsSorted(dates)
			}
			if sorted != (order != Shuffled) {
				t.Errorf("sorted: %v", sorted)
			}
			all := slices.Sorted(slices.Values(textsOf(whole)))
			if everything == nil {
				everything = all
			}
			if !slices.Equal(all, everything) {
				t.Error("another order has other rows")
			}
		})
	}
}

// TestLateRowsComeInTheMiddle: what was listed stays in its order, and new rows come
// between.
func TestLateRowsComeInTheMiddle(t *testing.T) {
	clock := simulator.NewManualClock(begin.Add(12 * time.Hour))
	for _, order := range []Order{Ascending, Descending, Shuffled} {
		clock.Set(begin.Add(12 * time.Hour))
		_, c := start(t, Settings{Account: account(t, 700, func(s *simulator.Settings) { s.Revised = 0 }), Order: order, Clock: clock})
		before, _ := c.pages(options(Placed), 100)
		clock.Advance(time.Hour)
		after, _ := c.pages(options(Placed), 100)
		kept, middle := 0, false
		for i, row := range textsOf(after) {
			if kept < len(before) && row == string(before[kept]) {
				kept++
				continue
			}
			middle = middle || i > 0 && kept > 0 && kept < len(before)
		}
		if kept != len(before) || len(after) <= len(before) || !middle {
			t.Errorf("order %d: %d of %d rows kept, %d rows after", order, kept, len(before), len(after))
		}
	}
}

// TestPerPage: the default is 25, more than the greatest page gives that, and the
// pagination says so.
func TestPerPage(t *testing.T) {
	_, c := start(t, Settings{Account: account(t, 120, func(s *simulator.Settings) { s.Duplicated = 0 }), MaxPerPage: 50})
	total := c.server.DayTotals(begin, Placed, c.server.Now())
	for _, test := range []struct {
		name, page, perPage         string
		wantPage, wantSize, wantAll int
	}{
		{"default", "", "", 1, 25, 25},
		{"second", "2", "10", 2, 10, 10},
		{"clamped", "1", "1000", 1, 50, 50},
		{"last", strconv.Itoa(total/50 + 1), "50", total/50 + 1, 50, total % 50},
		{"beyond the last", "1000000", "50", 1000000, 50, 0},
		{"far beyond the last", "2147483647", "50", maxPage, 50, 0},
		{"one", "1", "1", 1, 1, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := options(Placed)
			for name, value := range map[string]string{"page": test.page, "per_page": test.perPage} {
				if value != "" {
					o.Set(name, value)
				}
			}
			p := c.page(o)
			pages := (total + test.wantSize - 1) / test.wantSize
			if p.Pagination.Page != test.wantPage || p.Pagination.PerPage != test.wantSize || len(p.Items) != test.wantAll ||
				p.Pagination.Total != total || p.Pagination.Pages != pages {
				t.Errorf("%d rows, %+v", len(p.Items), p.Pagination)
			}
		})
	}
}

// TestEmptyDay has no pages, and an export without a byte.
func TestEmptyDay(t *testing.T) {
	_, c := start(t, Settings{Account: account(t, 10, nil), Generation: GenerationB})
	o := url.Values{"from": {"2026-01-01"}, "to": {"2026-01-02"}, "type": {Placed}, "disposition": {"all"}}
	_, body := c.get("/v1/cdr", o)
	if want := `{"items":[],"pagination":{"current_page":1,"per_page":25,"total":0,"total_pages":0}}`; string(body) != want {
		t.Errorf("list: %s", body)
	}
	response, body := c.get("/v1/cdr/all", o)
	if len(body) != 0 || response.StatusCode != http.StatusOK {
		t.Errorf("export: %d %q", response.StatusCode, body)
	}
	if _, body = c.get("/v1/cdr.csv", o); bytes.Count(body, []byte("\n")) != 1 {
		t.Errorf("csv: %q", body)
	}
	if _, c := start(t, Settings{}); c.page(options(Placed)).Pagination.Total != 0 {
		t.Error("no account has calls")
	}
}

// TestDisposition: who doesn't ask for all is given those that were answered.
func TestDisposition(t *testing.T) {
	_, c := start(t, Settings{Account: account(t, 2000, nil)})
	counts := map[string]int{}
	for _, filter := range []string{"", "answered", "noanswer", "busy", "failed", "rejected", all} {
		o := options(Placed, "disposition", filter)
		if filter == "" {
			o.Del("disposition")
		}
		rows, first := c.pages(o, 300)
		counts[filter] = first.Pagination.Total
		want := filter
		if filter == "" {
			want = "answered"
		}
		for _, row := range rowsOfJSON(t, rows) {
			if got := strings.ToLower(row["disposition"]); want != all && got != want && (got != "" || want != "answered") {
				t.Errorf("%q: listed %s", filter, got)
			}
		}
	}
	if counts[""] != counts["answered"] || counts[""] == 0 || counts[""] >= counts[all] || counts["rejected"] == 0 {
		t.Errorf("totals %v", counts)
	}
	sum := 0
	for filter, n := range counts {
		if filter != "" && filter != all {
			sum += n
		}
	}
	// What is left has a value that nobody knows, or none.
	if left := counts[all] - sum; left < 1 || left > counts[all]/20 {
		t.Errorf("%d of %d rows have no filter", left, counts[all])
	}
}

// TestCopies: a copy is a further row of the page, or counts like any other.
func TestCopies(t *testing.T) {
	a := account(t, 500, func(s *simulator.Settings) { s.Duplicated = 0.2 })
	want := a.TotalsOf(View{View: simulator.View{At: []time.Time{begin.Add(30 * 24 * time.Hour)}}, Type: Received})
	for _, counted := range []bool{false, true} {
		_, c := start(t, Settings{Account: a, CopiesInTotal: counted})
		rows, first := c.pages(options(Received), 50)
		total := want.Records
		if counted {
			total = want.Rows
		}
		if len(rows) != want.Rows || first.Pagination.Total != total || want.Duplicates < 50 {
			t.Errorf("counted %v: %d rows, total %d; want %d, %d", counted, len(rows), first.Pagination.Total, want.Rows, total)
		}
		if counted && len(first.Items) != 50 || !counted && len(first.Items) <= 50 {
			t.Errorf("counted %v: %d rows on the first page", counted, len(first.Items))
		}
	}
}

// TestExport gives what the list gives, whole, by pages, and with fewer members.
func TestExport(t *testing.T) {
	a := account(t, 1500, spoilt)
	for name, g := range generations {
		t.Run(name, func(t *testing.T) {
			_, c := start(t, Settings{Account: a, Generation: g})
			listed, _ := c.pages(options(Received), 1000)
			body := c.export(Received)
			got, want := rowsOfJSON(t, linesOf(body)), rowsOfJSON(t, listed)
			for i := range want {
				if len(want[i]) != len(got[i]) || got[i]["date"] != want[i]["date"] || got[i]["charge"] != want[i]["charge"] {
					t.Fatalf("row %d: %v, want %v", i, got[i], want[i])
				}
			}
			if len(got) != len(want) || !bytes.HasSuffix(body, []byte("}\n")) {
				t.Errorf("%d rows, want %d", len(got), len(want))
			}
			if n := len(linesOf(c.export(Received, "per_page", "40"))); n < 40 || n > 60 {
				t.Errorf("a page has %d rows", n)
			}
			_, c = start(t, Settings{Account: a, Generation: g, ExportFewer: true, ExportLimited: true, ExportCutNewline: true})
			body = c.export(Received)
			if n := len(linesOf(body)); n < 25 || n > 40 || bytes.HasSuffix(body, []byte("\n")) {
				t.Errorf("limited to %d rows", n)
			}
			if text := string(body); strings.Contains(text, "sip_trunk") || strings.Contains(text, "parent") || strings.Contains(text, "answered_by") {
				t.Error("fewer members are more")
			}
		})
	}
}

// TestReducedTotals are those of the export with fewer members.
func TestReducedTotals(t *testing.T) {
	a := account(t, 1000, spoilt)
	_, c := start(t, Settings{Account: a, Generation: GenerationB, ExportFewer: true})
	got := newTally()
	for _, callType := range []string{Placed, Received} {
		for _, row := range rowsOfJSON(t, linesOf(c.export(callType))) {
			got.add(callType, row)
		}
	}
	want := a.TotalsOf(View{View: simulator.View{At: []time.Time{c.server.Now()}}, Reduced: true})
	sameMaps(t, "reduced", &got.finish().Totals, &want)
	if want.Excused != 0 || want.Children == 0 {
		t.Errorf("%d of %d failures excused", want.Excused, want.Children)
	}
}

// TestAcceptCSV: the older generations give CSV to those who accept it.
func TestAcceptCSV(t *testing.T) {
	_, c := start(t, Settings{Account: account(t, 30, nil), Generation: GenerationA})
	response, body, err := c.try(http.MethodGet, "/v1/cdr", options(Placed), "text/csv")
	if err != nil || response.Header.Get("Content-Type") != "text/csv; charset=utf-8" || len(rowsOfCSV(t, body)) < 25 {
		t.Errorf("%v %.200s", err, body)
	}
}
