package msgraph

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
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
}

type answer struct {
	status int
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
	return answer{status: status, body: `{"error":{"code":"` + code +
		`","message":"","innerError":{"date":"2026-11-20T06:00:00"}}}`}
}

// RoundTrip implements http.RoundTripper.
func (g *fakeGraph) RoundTrip(r *http.Request) (*http.Response, error) {
	g.asked = append(g.asked, r.URL.String())
	if len(g.answers) == 0 {
		return nil, errors.New("nothing more was expected to be asked")
	}
	next := g.answers[0]
	g.answers = g.answers[1:]
	return providertest.Response(r, next.status, nil, next.body), nil
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
func (g *fakeGraph) open(feed *callLog) *callLog {
	g.t.Helper()
	client, err := httpclient.New(httpclient.Settings{
		BaseURL: "https://graph.example", Transport: g,
		Quote: graph.Quote,
	})
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
			err := providertest.Read(t.Context(), graph.open(test.feed), test.from, test.to,
				func(*collector.Page) error {
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
	const second, third = base + "getPstnCalls(from=2026-11-01,to=2026-11-02)?$skip=1000",
		base + "getPstnCalls(from=2026-11-01,to=2026-11-02)?$skip=2000"
	first := page("", "1", "2")
	first.body = strings.Replace(first.body, "]", `],"@odata.NextLink":"`+second+`"`, 1)
	graph := &fakeGraph{t: t, answers: []answer{first, page(third), page("", "3")}}
	got, err := ids(t.Context(), graph.open(pstnLog()))
	if err != nil || !slices.Equal(got, []string{"1", "2", "3"}) {
		t.Errorf("read %q, error %v", got, err)
	}
	if want := []string{firstPSTN, second, third}; !slices.Equal(graph.asked, want) {
		t.Errorf("asked %q, want %q", graph.asked, want)
	}
}
