package simulate

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

var (
	seeds   = flag.Int("seeds", 1, "number of fresh seeds")
	oneSeed = flag.Uint64("seed", 0, "play this seed only, and print its trace")
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// failed are seeds that have found a defect, of the exporter or of the simulation itself. They are
// played in each run.
var failed = []uint64{3418953}

// TestSimulation (guarantees 1, 4, 5): whatever happens and in whatever order, each call counts
// once, and its log record arrives.
func TestSimulation(t *testing.T) {
	list := failed
	for range *seeds {
		list = append(list, 1+rand.Uint64N(1e9))
	}
	if *oneSeed != 0 {
		list = []uint64{*oneSeed}
	}
	for _, seed := range list {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			s := newScript(seed)
			trace, problems := play(t, s)
			if *oneSeed != 0 {
				t.Log(trace)
			}
			if len(problems) == 0 {
				return
			}
			short := s.shortest(func(s script) bool {
				_, problems := play(t, s)
				return len(problems) > 0
			})
			t.Errorf("%s\n%s\nThe shortest script that fails: %s", strings.Join(problems, "\n"), &s, &short)
		})
	}
}

// TestSimulationReplays: a seed always gives the same trace.
func TestSimulationReplays(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			s := newScript(seed)
			s.length, s.calm = length/6, 0
			first, _ := play(t, s)
			if again, _ := play(t, s); again != first {
				t.Errorf("the second trace differs:\n%s", firstDifference(first, again))
			}
		})
	}
}

// TestShortest: of five events, the two that make a script fail together remain.
func TestShortest(t *testing.T) {
	s := script{seed: 7, events: []event{{1, pause}, {2, crash}, {3, reload}, {4, lost}, {5, outage}}}
	short := s.shortest(func(s script) bool { return len(s.at(2)) > 0 && len(s.at(4)) > 0 })
	if got, want := short.String(), "seed 7: crash at 2; lost at 4"; got != want {
		t.Errorf("the shortest script is %q, want %q", got, want)
	}
}

// play runs a script and returns its trace and what is wrong at the end.
func play(t *testing.T, s script) (trace string, problems []string) {
	w, err := newWorld(&s, t.TempDir())
	require.NoError(t, err)
	defer w.close()
	synctest.Test(t, func(*testing.T) {
		if err := w.run(); err != nil {
			w.problem("%v", err)
		}
	})
	return w.trace.String(), w.problems
}

// firstDifference is the first line in which two traces differ.
func firstDifference(a, b string) string {
	left, right := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(left), len(right)) {
		if left[i] != right[i] {
			return left[i] + "\n" + right[i]
		}
	}
	return fmt.Sprintf("one has %d lines, the other %d", len(left), len(right))
}
