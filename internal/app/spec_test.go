package app_test

import (
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/app"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// TestSpecOfAFeedOfLegs (counting.md 36): a feed whose calls have several records is read from
// whole_after before its origin, if the provider keeps records that long. Its configuration decides
// how it counts.
func TestSpecOfAFeedOfLegs(t *testing.T) {
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		legs      bool
		retention time.Duration
		history   time.Duration // wanted
		lead      time.Duration // wanted
	}{
		"a record is a call":              {false, 0, 30 * day, 0},
		"legs":                            {true, 0, 30 * day, 4 * time.Hour},
		"kept for long":                   {true, 90 * day, 30 * day, 4 * time.Hour},
		"kept for little more than that":  {true, 30*day + 3*time.Hour, 30 * day, 2 * time.Hour},
		"kept for less than the history":  {true, 10 * day, 10*day - time.Hour, 0},
		"kept for less, a record is one ": {false, 10 * day, 10*day - time.Hour, 0},
		"hardly anything is kept":         {false, time.Hour, 30 * time.Minute, 0},
	} {
		t.Run(name, func(t *testing.T) {
			info := &collector.FeedInfo{
				Name: "cdr", Settle: 5 * time.Minute, WholeAfter: 4 * time.Hour,
				Limits: collector.Limits{Retention: c.retention},
			}
			info.Rules.Legs = c.legs
			spec := app.SpecOf(&config.Source{Name: "pbx", History: 30 * day}, info)
			if spec.History != c.history || spec.Lead != c.lead || spec.Settle != info.Settle ||
				spec.WholeAfter != info.WholeAfter {
				t.Errorf("history %s, lead %s, settle %s, whole_after %s; want %s, %s", spec.History, spec.Lead,
					spec.Settle, spec.WholeAfter, c.history, c.lead)
			}
		})
	}
}
