package collector

import (
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

func TestMain(m *testing.M) {
	// Virtual time goes on when all goroutines wait: on several cores they mostly wake each other,
	// which takes a quarter of the time.
	runtime.GOMAXPROCS(1)
	goleak.VerifyTestMain(m)
}

// inBubble runs a subtest in virtual time.
func inBubble(t *testing.T, name string, test func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
}

// What the program passes in fits.
var (
	_ Ledger = (*ledger.Feed)(nil)
)

// partOf is a loop's part of that type.
func partOf[P part](l *Loop) (found P) {
	for _, one := range l.parts {
		if p, is := one.(P); is {
			found = p
		}
	}
	return found
}

// recordsOf is what a loop fetches.
func recordsOf(l *Loop) *records { return partOf[*records](l) }

// observed is a feed's own metrics, which can be asked for their values.
type observed struct {
	*metrics.FeedMetrics

	own *metrics.SelfMetrics
}

func newObserved() *observed {
	own := metrics.NewSelfMetrics(time.Now, false)
	return &observed{own.Feed("contoso", "call_log"), own}
}

// value sums what a metric shows of labels that begin so; of a histogram it is how much was observed.
func (o *observed) value(d *metrics.Def, labels ...string) (sum float64) {
	for _, family := range o.own.Snapshot().Families {
		if family.Def != d {
			continue
		}
		for _, p := range family.Points {
			if !slices.Equal(p.Labels.Values[2:2+len(labels)], labels) { // source and feed come first
				continue
			}
			if sum += p.Value; p.Hist != nil {
				sum += float64(p.Hist.Count)
			}
		}
	}
	return sum
}

// duration is a value in seconds.
func (o *observed) duration(d *metrics.Def) time.Duration {
	return time.Duration(o.value(d) * float64(time.Second))
}
