package witness_test

import (
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/witness"
)

func TestCase(t *testing.T) {
	for _, test := range []struct {
		name                string
		events              string // r: refuse, s: serve another
		refusals, witnessed int
	}{
		{"never refused", "sss", 0, 0},
		{"served before only", "sssr", 1, 0},
		{"an outage", "rrrrrrrr", 8, 0},
		{"served since, not refused again", "rs", 1, 0},
		{"served since, refused again", "rsr", 2, 1},
		{"one witness counts once", "rsrrr", 4, 1},
		{"many served are one witness", "rsssr", 2, 1},
		{"a witness for each refusal", "rsrsrsr", 4, 3},
		{"an outage after a witness", "rsrrrrr", 6, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			var e witness.Endpoint
			var c witness.Refusals
			for _, event := range test.events {
				if event == 's' {
					e.Succeeded()
				} else {
					c.Add(&e)
				}
			}
			if c.Count() != test.refusals || c.Witnessed() != test.witnessed {
				t.Errorf("refusals %d, witnessed %d; want %d, %d", c.Count(), c.Witnessed(), test.refusals,
					test.witnessed)
			}
		})
	}
}
