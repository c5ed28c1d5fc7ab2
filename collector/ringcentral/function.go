package ringcentral

import (
	"slices"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rowmap"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// Function is the function that the definition names.
func Function() rowmap.Function {
	return rowmap.Function{
		Properties: collector.FeedProperties{Reasons: true, Visits: true},
		New:        func(s rowmap.Settings) rowmap.Map { return newMapper(&s).mapRow },
	}
}

// listQueues is the list of the account's queues in the definition: their names by the ids of their
// extensions.
const listQueues = "queues"

func newMapper(s *rowmap.Settings) *mapper {
	m := &mapper{
		grouped: s.Legs, detailed: slices.Contains(s.Parameters["view"], "Detailed"),
		countries: cdr.NewCountries(), emergency: cdr.NewEmergencyNumbers(s.EmergencyNumbers),
	}
	for _, kind := range s.Parameters["machine_leg_types"] {
		m.machines = append(m.machines, folded(kind))
	}
	return m
}

// mapRow completes the record of a row.
func (m *mapper) mapRow(from rowmap.Row, r *cdr.Record) (result rowmap.Result) {
	var row row
	if problem := decodeRow(from.JSON, &row); problem != "" {
		return rowmap.Result{Invalid: problem}
	}
	m.unmapped, m.queues = nil, from.Names[listQueues]
	if m.ignored(&row) {
		return rowmap.Result{Ignored: true, Unmapped: m.unmapped}
	}
	m.complete(&row, r)
	return rowmap.Result{Unmapped: m.unmapped}
}
