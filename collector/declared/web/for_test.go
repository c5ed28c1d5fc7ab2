package web_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/declaredtest"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestForParameter: a list parameter stands for each of its values. An empty one is an error, whatever comes of the
// list of names.
func TestForParameter(t *testing.T) {
	const text = `provider: acmetel
parameters: {sites: {list: true}}
http: {base_url: https://api.acmetel.example}
feeds:
  calls:
    for: {site: ["0", "{sites}"]}
    request: {path: '/{for.site}'}
    filter: {by: start}
    record:
      id: {join: [for.site, id]}
      start: {path: start, time: rfc3339}
      outcome: {is: answered}
      trunk: {join: [for.site, id]}
`
	for sites, want := range map[string]string{"[a, b]": "0/1 a/1 b/1", "[a]": "0/1 a/1"} {
		t.Run(sites, func(t *testing.T) {
			f := declaredtest.Always(declaredtest.Rows(1))
			info := f.OpenText(t, text, "calls: {}, sites: "+sites)
			var trunks []string
			from := declaredtest.Noon.Add(-time.Hour)
			for page, err := range info.Reader.Pages(t.Context(), from, declaredtest.Noon) {
				require.NoError(t, err)
				for _, r := range page.Records {
					trunks = append(trunks, r.Trunk)
				}
			}
			if got := strings.Join(trunks, " "); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
	f := &declaredtest.API{Answer: func(*http.Request) (string, http.Header) { return "!404", nil }}
	info := f.OpenText(t, strings.NewReplacer(`["0", "{sites}"]`, `"{sites}"`, "    filter:",
		"    names: {users: {request: {path: /users}, id: id, name: name}}\n    filter:").Replace(text),
		"calls: {}, sites: []")
	if _, err := declaredtest.ReadHour(t, info); !strings.Contains(fmt.Sprint(err),
		"a list parameter in the feed's for is empty") {
		t.Errorf("of an empty list it says %v", err)
	}
}

// TestForCallInTwoLists: what a call is doesn't change with each of the lists that have it.
func TestForCallInTwoLists(t *testing.T) {
	const text = `provider: acmetel
http: {base_url: https://api.acmetel.example}
feeds:
  calls:
    for: {way: [placed, received]}
    request: {path: '/{for.way}'}
    filter: {by: start}
    final: {state: ended}
    record:
      id: id
      version: v
      start: {path: start, time: rfc3339}
      direction: {path: for.way, table: {placed: outbound, received: inbound}}
      outcome: {is: answered}
`
	before := func(ago time.Duration, rest string) string {
		return `{"id":"1","start":"` + declaredtest.Noon.Add(-ago).Format(time.RFC3339) + `",` + rest + "}"
	}
	row := func(rest string) string { return before(time.Minute, rest) }
	ended, open := row(`"state":"ended"`), row(`"state":"open"`)
	for name, c := range map[string]struct{ placed, received, want string }{
		"in both":              {ended, ended, "outbound"},
		"newer in the second":  {row(`"state":"ended","v":1`), row(`"state":"ended","v":2`), "outbound inbound"},
		"final in the second":  {open, ended, "outbound inbound"},
		"not yet in the first": {"", ended, "inbound"},
		"twice in the first":   {ended + "," + ended, ended, "outbound outbound"},
		"it waited in a queue": {before(21*time.Minute, `"state":"ended"`), ended, "outbound"},
		"another call's id": {
			before(61*time.Minute, `"state":"ended"`), before(20*time.Minute, `"state":"ended"`), "outbound inbound",
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := new(declaredtest.API)
			f.Answer = func(r *http.Request) (string, http.Header) {
				return "[" + map[string]string{"/placed": c.placed, "/received": c.received}[r.URL.Path] + "]", nil
			}
			info := f.OpenText(t, text, "calls: {}")
			var ways []string
			noon := declaredtest.Noon
			for page, err := range info.Reader.Pages(t.Context(), noon.Add(-2*time.Hour), noon) {
				require.NoError(t, err)
				for _, r := range page.Records {
					ways = append(ways, r.Direction.String())
				}
			}
			if got := strings.Join(ways, " "); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// limited is a provider that gives at most three calls of a span, of which each began some minutes before noon. A page
// has two of them.
func limited(calls []int, hasPages bool) *declaredtest.API {
	return &declaredtest.API{Answer: func(r *http.Request) (string, http.Header) {
		from, to := askedSpan(r)
		in := slices.DeleteFunc(slices.Clone(calls), func(n int) bool {
			at := declaredtest.Noon.Add(-time.Duration(n) * time.Minute)
			return at.Before(from) || !at.Before(to)
		})
		given, skip := in[:min(len(in), 3)], 0
		if hasPages {
			_, _ = fmt.Sscan(r.URL.Query().Get("o"), &skip)
			given = given[min(len(given), skip):min(len(given), skip+2)]
		}
		return fmt.Sprintf(`{"n":%d,"rows":%s}`, len(in), declaredtest.Rows(given...)), nil
	}}
}

// TestMaxRows: a span with the most rows that the provider gives is read in halves.
func TestMaxRows(t *testing.T) {
	for _, c := range []struct {
		name, feed string
		calls      []int // minutes before noon
		asked      int
		problem    string
	}{
		{"fewer", "", []int{1, 2}, 1, ""},
		{"as many", "", []int{1, 31, 59}, 3, ""},
		{"more", "", []int{1, 2, 3, 4, 5, 31, 40, 45, 59}, 0, ""},
		{"a total says it", "    total: n\n", []int{1, 2, 31, 40, 59}, 5, ""},
		{"as many in a grain", "", []int{1, 1, 1}, 0, "have 3 rows, the limit max_rows, so there may be more"},
		{"pages", "    next: {offset: o}\n", []int{1, 2, 31, 32, 40}, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := limited(c.calls, strings.Contains(c.feed, "offset"))
			info := f.Open(t, "", bySpan+"{by: start}\n"+
				"    rows: rows\n    max_rows: 3\n"+c.feed)
			all, err := declaredtest.ReadHour(t, info)
			if c.problem == "" && err != nil || !strings.Contains(fmt.Sprint(err), c.problem) {
				t.Errorf("%v, want %s", err, c.problem)
			}
			for _, n := range c.calls {
				if !slices.Contains(all, fmt.Sprint(n)) {
					t.Errorf("the call of minute %d is missing", n)
				}
			}
			if c.asked > 0 && len(f.Asked) != c.asked {
				t.Errorf("asked %d times, want %d: %q", len(f.Asked), c.asked, f.Asked)
			}
		})
	}
}
