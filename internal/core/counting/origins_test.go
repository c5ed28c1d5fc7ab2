package counting_test

import (
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// TestOriginsOfACall: a field of a call comes from the row that gave it, not from the call's first row.
func TestOriginsOfACall(t *testing.T) {
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	leg := func(id string, after time.Duration, outcome cdr.Outcome, trunk, says string) *cdr.Record {
		r := &cdr.Record{
			ID: id, CallKey: "one", Start: noon.Add(after), Direction: cdr.Outbound, Outcome: outcome, Trunk: trunk,
			Duration: time.Minute, NoDuration: !outcome.Connected(),
		}
		for _, field := range []string{"start", "outcome", "trunk"} {
			r.Origins = append(r.Origins, cdr.Origin{Field: field, Value: says})
		}
		return r
	}
	calls := counting.MakeCalls([]*cdr.Record{
		leg("1", 0, cdr.Failed, "first", "the first row"),
		leg("2", time.Second, cdr.Answered, "second", "the second row"),
	})
	if len(calls) != 1 || calls[0].Outcome != cdr.Answered || calls[0].Trunk != "second" {
		t.Fatalf("%d calls: %+v", len(calls), calls)
	}
	got := make(map[string]string)
	for _, o := range calls[0].Origins {
		got[o.Field] += o.Value
	}
	if got["start"] != "the first row" || got["outcome"] != "the second row" || got["trunk"] != "the second row" {
		t.Errorf("the origins are %v", got)
	}
}
