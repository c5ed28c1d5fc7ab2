package demo

import (
	"testing"
	"time"

	msgraph "github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// TestPaced: at another pace calls are short, published within seconds, and fail by nobody's
// doing as ever; the usual demo has long ones.
func TestPaced(t *testing.T) {
	longest := func(s Settings) (talk, wait time.Duration, failed, calls int) {
		world, err := simulator.NewWorld(s.paced(simulator.Live(2, msgraph.DirectRoutingMix(), begin, s.routing())))
		if err != nil {
			t.Fatal(err)
		}
		noon := begin.Add(12 * time.Hour)
		world.Each(noon, noon.Add(20*time.Minute), func(c *simulator.Call) bool {
			v := &c.Versions()[0]
			end := c.End(v)
			talk, wait = max(talk, end.Sub(c.Start)), max(wait, v.Published.Sub(end))
			if v.Kind.Outcome == cdr.Failed {
				failed++
			}
			calls++
			return true
		})
		return talk, wait, failed, calls
	}
	talk, wait, failed, calls := longest(Settings{Pace: 10})
	if talk > 28*time.Second || wait > 3*time.Second || failed > calls/5 || calls < 3000 {
		t.Errorf("%d calls, %d of them failed, up to %s long and published %s later", calls, failed, talk, wait)
	}
	if talk, _, _, _ := longest(Settings{}); talk < 10*time.Minute {
		t.Errorf("the usual calls last %s at most", talk)
	}
}
