package metrics

import (
	"testing"
	"time"
)

// Spans that were set aside aren't records that were: CDRRangeUnreadable says which of them can't be read.
func TestTasksByKind(t *testing.T) {
	o := NewSelfMetrics(time.Now, false)
	f := o.Feed("contoso", "pstn")
	f.Tasks("span", 3, 2)
	f.Tasks("record", 5, 1)
	got := make(map[string]float64)
	for _, family := range o.Snapshot().Families {
		if family.Def == Tasks {
			for _, p := range family.Points {
				got[p.Labels.Values[2]] = p.Value
			}
		}
	}
	if got["waiting"] != 8 || got["record_set_aside"] != 1 || got["span_set_aside"] != 2 {
		t.Errorf("tasks are %v", got)
	}
}
