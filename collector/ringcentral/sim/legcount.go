package sim

import (
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

const (
	none              = "none"
	answeredElsewhere = "Answered Elsewhere"
)

// judgeLegs says what the legs of a kind count as. The first leg stands for the whole call unless
// it is alone. In the log of an extension the rows of a session share a call: there a leg that
// stands for the whole call has no outcome, and if the others don't give the row's outcome, none
// has one.
func judgeLegs(k *simulator.Kind, shared bool) {
	if k.Ignored || len(k.Legs) == 0 {
		return
	}
	elsewhere := k.Phrase == answeredElsewhere
	given := len(k.Legs) == 1 && !elsewhere && k.Legs[0].Type != "ringout_web_to_subscriber" &&
		k.Legs[0].Outcome == k.Outcome
	for i := range k.Legs[1:] {
		given = given || ofLegs(k) == k.Legs[i+1].Outcome && ofLegs(k) == k.Outcome
	}
	legs, w := k.Legs, k.Detail.(*wire) //nolint:forcetypeassert // this simulator's
	k.LegLabels = func(queues bool) (all []string) {
		for i := range legs {
			l, outcome := &legs[i], legs[i].Outcome
			label := outcome.String()
			switch {
			case l.Result == answeredElsewhere || shared &&
				(outcome == cdr.Unknown || !given || i == 0 && len(legs) > 1):
				label = none
			case queues && i < len(w.Legs) && w.Legs[i].Queue > 0 && outcome == cdr.Answered:
				label = cdr.Machine.String()
			}
			all = append(all, l.Type+"|"+label)
		}
		return all
	}
	if len(legs) == 1 || !given || !k.Outcome.Connected() {
		return
	}
	k.Times = func(v *simulator.Version, queues bool) (talk cdr.Length, connected time.Duration) {
		var talks, all []cdr.Interval
		for i := range legs {
			l := &legs[i]
			if !l.Outcome.Connected() {
				continue
			}
			from := v.Published.Add(l.After) // any instant does
			interval := cdr.Interval{From: from, To: from.Add(lasted(l, v))}
			if i == 0 {
				interval.To = from.Add(v.Duration)
			} else if over := interval.To.Sub(v.Published.Add(v.Duration)); over > 0 && over < time.Second &&
				over < lasted(l, v) {
				// legs are rounded to whole seconds: none ends after its row for that
				interval.To = interval.To.Add(-over)
			}
			if i > 0 || !shared {
				all = append(all, interval)
			}
			if i > 0 && l.Outcome == cdr.Answered && (!queues || w.Legs[i].Queue == 0) &&
				!strings.HasSuffix(l.Type, "to_subscriber") {
				talks = append(talks, interval)
			}
		}
		talk, connected = cdr.Length{Value: length(talks), Known: len(talks) > 0}, length(all)
		if !shared && !talk.Known {
			talk = cdr.KnownLength(v.Duration)
		}
		return talk, connected
	}
}

// ofLegs is the outcome that the legs give but for the first.
func ofLegs(k *simulator.Kind) cdr.Outcome {
	for _, outcome := range []cdr.Outcome{cdr.Answered, cdr.Voicemail} {
		if slices.ContainsFunc(k.Legs[1:], func(l simulator.Leg) bool { return l.Outcome == outcome }) {
			return outcome
		}
	}
	return k.Legs[len(k.Legs)-1].Outcome
}

// length is how long intervals take together that are in the order of their starts.
func length(all []cdr.Interval) (sum time.Duration) {
	var until time.Time
	for _, i := range all {
		if i.From.After(until) {
			until = i.From
		}
		if i.To.After(until) {
			sum += i.To.Sub(until)
			until = i.To
		}
	}
	return sum
}
