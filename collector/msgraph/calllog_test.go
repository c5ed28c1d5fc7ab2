package msgraph

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/graph"
	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
)

type answer = providertest.Answer

func page(next string, ids ...string) answer {
	rows := make([]string, len(ids))
	for i, id := range ids {
		rows[i] = `{"id":"` + id + `","startDateTime":"2026-11-01T10:00:00Z"}`
	}
	body := `{"value":[` + strings.Join(rows, ",") + `]`
	if next != "" {
		body += `,"@odata.nextLink":"` + next + `"`
	}
	return answer{Body: body + "}"}
}

const (
	base      = "https://graph.example/v1.0/communications/callRecords/"
	firstPSTN = base + "getPstnCalls(fromDateTime=2026-11-01T00:00:00Z,toDateTime=2026-11-02T00:00:00Z)"
)

var (
	from = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	to   = time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
)

// ask makes the feed ask the fake.
func ask(t *testing.T, g *providertest.Script, feed *callLog) *callLog {
	t.Helper()
	feed.client = g.Client(t, graph.Quote)
	return feed
}

// ids reads a range and collects the ids that came.
func ids(ctx context.Context, feed *callLog) ([]string, error) {
	return providertest.IDs(ctx, feed, from, to)
}

func TestRequest(t *testing.T) {
	for want, feed := range map[string]*callLog{
		firstPSTN: pstnLog(),
		strings.Replace(firstPSTN, "getPstnCalls", "getDirectRoutingCalls", 1): directRoutingLog(),
	} {
		g := &providertest.Script{Answers: []answer{page("")}}
		err := providertest.Read(t.Context(), ask(t, g, feed), from, to, func(*collector.Page) error {
			t.Error("an empty page is handed on")
			return nil
		})
		if err != nil || !slices.Equal(g.Asked, []string{want}) {
			t.Errorf("asked %q, want %q; error %v", g.Asked, want, err)
		}
	}
}

// TestTrap7Paging: links in any spelling are followed as they are, and an empty page isn't
// the last one.
func TestTrap7Paging(t *testing.T) {
	const second, third = base + "getPstnCalls(from=2026-11-01,to=2026-11-02)?$skip=1000",
		base + "getPstnCalls(from=2026-11-01,to=2026-11-02)?$skip=2000"
	first := page("", "1", "2")
	first.Body = strings.Replace(first.Body, "]", `],"@odata.NextLink":"`+second+`"`, 1)
	g := &providertest.Script{Answers: []answer{first, page(third), page("", "3")}}
	got, err := ids(t.Context(), ask(t, g, pstnLog()))
	if err != nil || !slices.Equal(got, []string{"1", "2", "3"}) {
		t.Errorf("read %q, error %v", got, err)
	}
	if want := []string{firstPSTN, second, third}; !slices.Equal(g.Asked, want) {
		t.Errorf("asked %q, want %q", g.Asked, want)
	}
}
