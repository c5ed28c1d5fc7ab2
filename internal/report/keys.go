package report

import (
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// knownKeys are what calls can be summed by beside the operator's labels, as they are listed to users.
var knownKeys = []string{"source", "feed", "direction", "trunk", "call_type", "country", "day", "month"}

// Change is by how much a record of a feed changes one series.
type Change struct {
	Source, Feed string
	Record       *cdr.Record
	Delta        *metrics.Delta
}

// text is a change's text of a key.
//
// Where the series has the key as a label, the label decides: a correction has those of the call's first version, by which the call was counted,
// and so a report by a label has the same sums as the counter.
func (c *Change) text(key string, zone *time.Location) string {
	if i := c.labelIndex(key); i >= 0 {
		return c.Delta.Labels[i]
	}
	switch key {
	case "source":
		return c.Source
	case "feed":
		return c.Feed
	case "direction":
		return c.Record.Direction.String()
	case "trunk":
		return c.Record.Trunk
	case "call_type":
		return c.Record.CallType
	case "country":
		return c.Record.Country
	case "day":
		return c.Record.Start.In(zone).Format(time.DateOnly)
	case "month":
		return c.Record.Start.In(zone).Format("2006-01")
	}
	return c.operatorLabels().Value(key) // New refuses other keys
}

// operatorLabels are those of the changed series or, where it has none, of the record.
func (c *Change) operatorLabels() cdr.Labels {
	if d := c.Delta.Def; d.OperatorLabels {
		return cdr.Labels(c.Delta.Labels[len(d.Labels)])
	}
	return c.Record.Labels
}

// label is the value of a label that the changed series has.
func (c *Change) label(name string) string { return c.Delta.Labels[c.labelIndex(name)] }

func (c *Change) labelIndex(name string) int {
	return slices.IndexFunc(c.Delta.Def.Labels, func(l metrics.Label) bool { return l.Name == name })
}

// connected is how many calls a change is about, 0 if those of a label's outcome didn't connect.
func (c *Change) connected(label string) int64 {
	if outcome := c.label(label); outcome != cdr.Answered.String() && outcome != cdr.Voicemail.String() {
		return 0
	}
	return c.Delta.N
}
