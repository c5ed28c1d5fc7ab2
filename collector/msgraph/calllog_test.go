package msgraph

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/graph"
	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
)

// fakeGraph answers requests in the order of its answers, without a network.
type fakeGraph struct {
	t       *testing.T
	answers []answer
	asked   []string // path and query
	tokens  []string
}

type answer struct {
	status int
	header http.Header
	body   string
}

func page(next string, ids ...string) answer {
	rows := make([]string, len(ids))
	for i, id := range ids {
		rows[i] = `{"id":"` + id + `","startDateTime":"2026-11-01T10:00:00Z"}`
	}
	body := `{"value":[` + strings.Join(rows, ",") + `]`
	if next != "" {
		body += `,"@odata.nextLink":"` + next + `"`
	}
	return answer{body: body + "}"}
}

func refuse(status int, code string) answer {
	return answer{status: status, body: `{"error":{"code":"` + code + `","message":"","innerError":{"date":"2026-11-20T06:00:00"}}}`}
}

// RoundTrip implements http.RoundTripper.
func (g *fakeGraph) RoundTrip(r *http.Request) (*http.Response, error) {
	g.asked = append(g.asked, r.URL.String())
	g.tokens = append(g.tokens, r.Header.Get("Authorization"))
	if len(g.answers) == 0 {
		return nil, errors.New("nothing more was expected to be asked")
	}
	next := g.answers[0]
	g.answers = g.answers[1:]
	return providertest.Response(r, next.status, next.header, next.body), nil
}

const (
	base      = "https://graph.example/v1.0/communications/callRecords/"
	firstPSTN = base + "getPstnCalls(fromDateTime=2026-11-01T00:00:00Z,toDateTime=2026-11-02T00:00:00Z)"
)

var (
	from = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	to   = time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
)

// open makes the feed ask the fake.
func (g *fakeGraph) open(feed *callLog, tokens httpclient.TokenSource) *callLog {
	g.t.Helper()
	client, err := httpclient.New(httpclient.Settings{BaseURL: "https://graph.example", Transport: g, Token: tokens, Quote: graph.Quote})
	if err != nil {
		g.t.Fatal(err)
	}
	feed.client = client
	return feed
}

// ids reads a range and collects the ids that came.
func ids(ctx context.Context, feed *callLog) ([]string, error) {
	return providertest.IDs(ctx, feed, from, to)
}

func TestRequest(t *testing.T) {
	for _, test := range []struct {
		name     string
		feed     *callLog
		from, to time.Time
		want     string
	}{
		{"pstn", pstnLog(), from, to, firstPSTN},
		{
			"direct routing", directRoutingLog(), from, to,
			base + "getDirectRoutingCalls(fromDateTime=2026-11-01T00:00:00Z,toDateTime=2026-11-02T00:00:00Z)",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			graph := &fakeGraph{t: t, answers: []answer{page("")}}
			err := providertest.Read(t.Context(), graph.open(test.feed, nil), test.from, test.to, func(*collector.Page) error {
				t.Error("an empty page is handed on")
				return nil
			})
			if err != nil || !slices.Equal(graph.asked, []string{test.want}) {
				t.Errorf("asked %q, want %q; error %v", graph.asked, test.want, err)
			}
		})
	}
}

// TestTrap7Paging: links in any spelling are followed as they are, and an empty page isn't
// the last one.
func TestTrap7Paging(t *testing.T) {
	const second, third = base + "getPstnCalls(from=2026-11-01,to=2026-11-02)?$skip=1000", base + "getPstnCalls(from=2026-11-01,to=2026-11-02)?$skip=2000"
	first := page("", "1", "2")
	first.body = strings.Replace(first.body, "]", `],"@odata.NextLink":"`+second+`"`, 1)
	graph := &fakeGraph{t: t, answers: []answer{first, page(third), page("", "3")}}
	got, err := ids(t.Context(), graph.open(pstnLog(), nil))
	if err != nil || !slices.Equal(got, []string{"1", "2", "3"}) {
		t.Errorf("read %q, error %v", got, err)
	}
	if want := []string{firstPSTN, second, third}; !slices.Equal(graph.asked, want) {
		t.Errorf("asked %q, want %q", graph.asked, want)
	}
}

// TestTrap7HostileLink: a link that leaves the host is refused before anything is sent.
func TestTrap7HostileLink(t *testing.T) {
	for _, link := range []string{
		"https://evil.example/v1.0/x", "http://graph.example/v1.0/x", "https://graph.example:444/x", "//evil.example/x",
		"https://graph.example@evil.example/x", "https://user:secret@graph.example/x",
	} {
		graph := &fakeGraph{t: t, answers: []answer{page(link, "1"), page("", "2")}}
		got, err := ids(t.Context(), graph.open(pstnLog(), nil))
		if httpclient.KindOf(err) != httpclient.KindHost || len(graph.asked) != 1 || !slices.Equal(got, []string{"1"}) {
			t.Errorf("%s: asked %d times, read %q, error %v", link, len(graph.asked), got, err)
		}
		if strings.Contains(fmt.Sprint(err), "secret") {
			t.Errorf("the error holds a password: %v", err)
		}
	}
}

// TestRepeatedLink: counting.md 9.
func TestRepeatedLink(t *testing.T) {
	for name, answers := range map[string][]answer{
		"itself":        {page(firstPSTN, "1")},
		"in other case": {page("HTTPS://GRAPH.EXAMPLE/v1.0/communications/callRecords/getPstnCalls(fromDateTime=2026-11-01T00:00:00Z,toDateTime=2026-11-02T00:00:00Z)")},
		"in a circle":   {page("/a"), page("/b"), page("/a")},
	} {
		graph := &fakeGraph{t: t, answers: answers}
		if _, err := ids(t.Context(), graph.open(pstnLog(), nil)); !errors.Is(err, httpclient.ErrLinkRepeated) {
			t.Errorf("%s: error %v, want httpclient.ErrLinkRepeated", name, err)
		}
	}
}

func TestEndlessRange(t *testing.T) {
	graph := &fakeGraph{t: t}
	for i := range 10_000 + 1 {
		graph.answers = append(graph.answers, page(fmt.Sprintf("/p?%d", i)))
	}
	if _, err := ids(t.Context(), graph.open(pstnLog(), nil)); !errors.Is(err, httpclient.ErrTooManyPages) || len(graph.asked) != 10_000 {
		t.Errorf("asked %d times, error %v", len(graph.asked), err)
	}
}

// TestExpiredLink: the range fails, and the next read begins at its beginning.
func TestExpiredLink(t *testing.T) {
	for _, status := range []int{http.StatusBadRequest, http.StatusNotFound, http.StatusGone} {
		graph := &fakeGraph{t: t, answers: []answer{page("/next", "1"), refuse(status, "BadRequest"), page("", "1")}}
		feed := graph.open(pstnLog(), nil)
		got, err := ids(t.Context(), feed)
		if !errors.Is(err, httpclient.ErrLinkExpired) || !slices.Equal(got, []string{"1"}) {
			t.Errorf("%d: read %q, error %v", status, got, err)
		}
		if !strings.Contains(fmt.Sprint(err), "Graph says BadRequest") {
			t.Errorf("%d: Graph's code is missing from %v", status, err)
		}
		if _, err := ids(t.Context(), feed); err != nil || graph.asked[2] != firstPSTN {
			t.Errorf("%d: then asked %q, error %v", status, graph.asked[2], err)
		}
	}
	graph := &fakeGraph{t: t, answers: []answer{refuse(http.StatusBadRequest, "BadRequest")}}
	if _, err := ids(t.Context(), graph.open(pstnLog(), nil)); errors.Is(err, httpclient.ErrLinkExpired) || httpclient.KindOf(err) != httpclient.KindBadRequest {
		t.Errorf("the first request is no link: %v", err)
	}
}

// TestTrap8LateRowAtTheEdge: a row that both of two adjacent ranges return has one id; the
// reader filters nothing.
func TestTrap8LateRowAtTheEdge(t *testing.T) {
	graph := &fakeGraph{t: t, answers: []answer{page("", "edge"), page("", "edge", "late")}}
	feed := graph.open(pstnLog(), nil)
	for _, want := range [][]string{{"edge"}, {"edge", "late"}} {
		if got, err := ids(t.Context(), feed); err != nil || !slices.Equal(got, want) {
			t.Errorf("read %q, want %q, error %v", got, want, err)
		}
	}
}

// TestTrap15Throttled: the same link is asked again when its time has come.
func TestTrap15Throttled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		throttled := refuse(http.StatusTooManyRequests, "TooManyRequests")
		throttled.header = http.Header{"Retry-After": {"17"}}
		graph := &fakeGraph{t: t, answers: []answer{page("/next", "1"), throttled, page("", "2")}}
		started := time.Now()
		got, err := ids(t.Context(), graph.open(pstnLog(), nil))
		if err != nil || !slices.Equal(got, []string{"1", "2"}) {
			t.Errorf("read %q, error %v", got, err)
		}
		if want := []string{firstPSTN, "https://graph.example/next", "https://graph.example/next"}; !slices.Equal(graph.asked, want) {
			t.Errorf("asked %q, want %q", graph.asked, want)
		}
		if took := time.Since(started); took < 17*time.Second || took > 20*time.Second {
			t.Errorf("it took %s, want about 17 s", took)
		}
	})
}

// countedTokens gives token-1, and token-n+1 after token-n was refused.
type countedTokens struct{ n int }

func (c *countedTokens) Token(context.Context) (string, error) {
	return fmt.Sprintf("token-%d", c.n+1), nil
}

func (c *countedTokens) Invalidate(token string) {
	if token == fmt.Sprintf("token-%d", c.n+1) {
		c.n++
	}
}

// TestTrap15TokenExpires: in the middle of paging, the same link is asked with a new token.
func TestTrap15TokenExpires(t *testing.T) {
	graph := &fakeGraph{t: t, answers: []answer{page("/next", "1"), refuse(http.StatusUnauthorized, "InvalidAuthenticationToken"), page("", "2")}}
	got, err := ids(t.Context(), graph.open(pstnLog(), &countedTokens{}))
	if err != nil || !slices.Equal(got, []string{"1", "2"}) {
		t.Errorf("read %q, error %v", got, err)
	}
	if want := []string{"Bearer token-1", "Bearer token-1", "Bearer token-2"}; !slices.Equal(graph.tokens, want) {
		t.Errorf("tokens %q, want %q", graph.tokens, want)
	}
}

// TestBrokenPage: a page that isn't whole is asked for at the same link three times more.
func TestBrokenPage(t *testing.T) {
	cut := answer{body: `{"value":[{"id":"1","startDateTime":"2026-11-01T10:00:00Z"},{"id"`}
	for _, test := range []struct {
		name   string
		broken answer
		times  int
		ok     bool
	}{
		{"cut once", cut, 1, true},
		{"cut three times", cut, 3, true},
		{"cut four times", cut, 4, false},
		{"no page", answer{body: `{}`}, 3, true},
		{"no page for good", answer{body: `{}`}, 4, false},
		{"HTML", answer{body: "<html>Sign in</html>", header: http.Header{"Content-Type": {"text/html"}}}, 3, true},
		{"server fault", answer{status: 503}, 3, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				answers := append(slices.Repeat([]answer{test.broken}, test.times), page("", "1", "2"))
				graph := &fakeGraph{t: t, answers: append([]answer{page("/next", "0")}, answers...)}
				got, err := ids(t.Context(), graph.open(pstnLog(), nil))
				want := []string{"0", "1", "2"}
				if !test.ok {
					want = want[:1]
				}
				if (err == nil) != test.ok || !slices.Equal(got, want) {
					t.Errorf("read %q, want %q, error %v", got, want, err)
				}
				if asked := min(test.times+2, httpclient.Repeats+2); len(graph.asked) != asked {
					t.Errorf("asked %d times, want %d", len(graph.asked), asked)
				}
			})
		})
	}
}

func TestCommitError(t *testing.T) {
	full := errors.New("the disk is full")
	graph := &fakeGraph{t: t, answers: []answer{page("/next", "1"), page("", "2")}}
	err := providertest.Read(t.Context(), graph.open(pstnLog(), nil), from, to, func(*collector.Page) error { return full })
	// One page may have been read ahead.
	if err != full || len(graph.asked) > 2 { //nolint:errorlint // it is to be returned as it is
		t.Errorf("asked %d times, error %v", len(graph.asked), err)
	}
}

func TestCancelledRead(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	graph := &fakeGraph{t: t, answers: []answer{page("/next", "1")}}
	err := providertest.Read(ctx, graph.open(pstnLog(), nil), from, to, func(*collector.Page) error {
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
}
