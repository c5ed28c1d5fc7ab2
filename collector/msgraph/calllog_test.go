package msgraph

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/graph"
	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
)

type answer = providertest.Answer

const firstPSTN = "https://graph.example/v1.0/communications/callRecords/" +
	"getPstnCalls(fromDateTime=2026-11-01T00:00:00Z,toDateTime=2026-11-02T00:00:00Z)"

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

func TestRequest(t *testing.T) {
	for want, feed := range map[string]*callLog{
		firstPSTN: pstnLog(),
		strings.Replace(firstPSTN, "getPstnCalls", "getDirectRoutingCalls", 1): directRoutingLog(),
	} {
		g := &providertest.Script{Answers: []answer{{Body: `{"value":[]}`}}}
		err := providertest.Read(t.Context(), ask(t, g, feed), from, to, func(*collector.Page) error {
			t.Error("an empty page is handed on")
			return nil
		})
		if err != nil || !slices.Equal(g.Asked, []string{want}) {
			t.Errorf("asked %q, want %q; error %v", g.Asked, want, err)
		}
	}
}
