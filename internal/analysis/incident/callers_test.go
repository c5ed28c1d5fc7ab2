package incident

import (
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/analysis/history"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
)

// TestCallersOfChanges: a call that a later row or version connects is one of its caller's, with its minutes.
func TestCallersOfChanges(t *testing.T) {
	r := &cdr.Record{
		ID: "b", CallKey: "g", Direction: cdr.Outbound, Outcome: cdr.Answered, Duration: 90 * time.Second,
		CallerNumber: "+4930123456", CalleeNumber: "+37120000000", Country: "LV",
	}
	finder := New(Settings{Callers: true, Redactor: cdr.NewRedactor(cdr.Policy{Numbers: cdr.Keep}, nil)})
	feed := &history.Feed{Source: "pbx", Info: &collector.FeedInfo{Name: "cdr"}}
	change := facts.Fact{Kind: facts.OutcomeChange, Record: r, From: cdr.NoAnswer, To: cdr.Answered}
	all := facts.AppendConnected([]facts.Fact{change}, r)
	for i := range all {
		finder.Add(feed, &all[i])
	}
	got := finder.longestCallers()
	if len(got) != 1 || got[0].Caller != "+4930123456" || got[0].Connected != 1 || got[0].Minutes != "1.500000" {
		t.Errorf("got %+v", got)
	}
}
