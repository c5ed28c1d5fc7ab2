package simulate

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// incident is something that goes wrong.
type incident string

const (
	crash   incident = "crash"   // in the middle of a step
	restart incident = "restart" // Stop and New
	reload  incident = "reload"
	fault   incident = "fault"  // the next request fails
	outage  incident = "outage" // all requests fail for minutes
	pause   incident = "pause"  // nothing gets a turn for minutes
	lost    incident = "lost"   // log records arrive, but the answer to the exporter doesn't
)

var incidents = []incident{crash, crash, crash, crash, restart, reload, fault, fault, outage, pause, lost}

// event is an incident before a step.
type event struct {
	step int
	what incident
}

// script is all that a run depends on.
type script struct {
	seed   uint64
	events []event
	// length is how long calls are published, and calm how long the exporter runs after that.
	length, calm time.Duration
}

const (
	// length is how long calls are published, and lastStep about the number of steps in that time.
	length   = 90 * time.Minute
	lastStep = 1200
	// calm is longer than the exporter's lookback, and than any call waits.
	calm = 90 * time.Minute
)

// newScript makes the script of a seed: a few incidents, or one in every fifty steps.
func newScript(seed uint64) script {
	s := script{seed: seed, length: length, calm: calm}
	random := rand.New(rand.NewPCG(seed, 0))
	for range 3 + random.IntN(22) {
		s.events = append(s.events, event{random.IntN(lastStep), incidents[random.IntN(len(incidents))]})
	}
	slices.SortFunc(s.events, func(a, b event) int { return cmp.Compare(a.step, b.step) })
	return s
}

// random decides on a step. It is the same whatever happened before, so that removing an event
// changes as little as possible.
func (s *script) random(step int) *rand.Rand { return rand.New(rand.NewPCG(s.seed, uint64(step)+1)) }

// at are the incidents before a step.
func (s *script) at(step int) (all []incident) {
	for _, e := range s.events {
		if e.step == step {
			all = append(all, e.what)
		}
	}
	return all
}

func (s *script) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "seed %d:", s.seed)
	for _, e := range s.events {
		fmt.Fprintf(&text, " %s at %d;", e.what, e.step)
	}
	return strings.TrimSuffix(text.String(), ";")
}

// shortest removes events as long as the script still fails: halves at first, single ones at last.
func (s *script) shortest(fails func(script) bool) script {
	short := *s
	for size := (len(s.events) + 1) / 2; size > 0; size /= 2 {
		for from := 0; from < len(short.events); {
			fewer := short
			fewer.events = slices.Delete(slices.Clone(short.events), from, min(from+size, len(short.events)))
			if fails(fewer) {
				short = fewer
			} else {
				from += size
			}
		}
	}
	return short
}
