package main

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
	c := callers{sums: make(map[callerKey]*callerSums)}
	feed := &history.Feed{Source: "pbx", Info: &collector.FeedInfo{Name: "cdr"}}
	change := facts.Fact{Kind: facts.OutcomeChange, Record: r, From: cdr.NoAnswer, To: cdr.Answered}
	all := facts.AppendConnected([]facts.Fact{change}, r)
	for i := range all {
		c.add(feed, &all[i], func(r *cdr.Record) cdr.Record { return *r })
	}
	var got []string
	c.each(func(_ string, cells ...[]cell) {
		for _, one := range cells[0] {
			if one.column == "caller" || one.column == "connected" || one.column == "minutes" {
				got = append(got, one.text())
			}
		}
	})
	if len(got) != 3 || got[0] != "+4930123456" || got[1] != "1" || got[2] != "1.500000" {
		t.Errorf("got %q", got)
	}
}
