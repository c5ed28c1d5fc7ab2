package main

import (
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/app/demo"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// TestPaced: at another speed calls are short, published within seconds, and fail by nobody's
// doing as ever; the usual demo has long ones.
func TestPaced(t *testing.T) {
	longest := func(s demo.Settings) (talk, wait time.Duration, failed, calls int) {
		p, err := demo.Start(s)
		require.NoError(t, err)
		defer p.Close()
		noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
		p.DirectRouting.Each(noon, noon.Add(20*time.Minute), func(c *simulator.Call) bool {
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
	talk, wait, failed, calls := longest(paced(10))
	if talk > 28*time.Second || wait > 3*time.Second || failed > calls/5 || calls < 3000 {
		t.Errorf("%d calls, %d of them failed, up to %s long and published %s later", calls, failed, talk, wait)
	}
	if talk, _, _, _ := longest(paced(1)); talk < 10*time.Minute {
		t.Errorf("the usual calls last %s at most", talk)
	}
}
