package explain

import (
	"slices"
	"strconv"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// Calls of several records: the ledger remembers a call, and late legs change it after it was counted.

// callTime is a counted time of a call of several records.
type callTime struct {
	call counting.Hash
	counting.CountedTime
}

// asCounted gives a fact of a call the labels that the call was counted with.
func asCounted(f *facts.Fact, call *counting.CallMemory) *facts.Fact {
	f.Late, f.Record.Trunk = call.Late, call.Trunk
	call.Labels.ApplyTo(f.Record)
	return f
}

// wereSeveral says whether legs that the provider lists as one call were counted as several: a parent came late.
func (e *Feed) wereSeveral(f *facts.Fact, call *counting.CallMemory) bool {
	return slices.ContainsFunc(f.Record.Legs, func(leg cdr.Leg) bool {
		l := e.find(leg.ID, leg.Start)
		return l != nil && l.Memory != nil && l.Memory.Call != nil && l.Memory.Call.ID != call.ID
	})
}

// addTimes adds how long a call was connected or occupied its trunks, as it was counted: late legs add to that, and a
// shorter version takes nothing away. The fact is of the call.
func (e *Feed) addTimes(f *facts.Fact, call *counting.CallMemory) {
	for _, t := range call.Times {
		of := callTime{call.ID, t}
		if e.timed[of] || t.Length == 0 || (t.Trunk == "") != (f.Kind == facts.Connected) {
			continue
		}
		e.timed[of] = true
		one, r := *f, *f.Record
		one.Record, one.Trunk, one.Direction, one.Time, r.Start = &r, t.Trunk, t.Direction, t.Length, call.Began
		e.addFact(asCounted(&one, call), new(counting.Memory), false)
	}
}

// addLateLegs adds the counted times of calls whose legs no longer say that they were connected.
func (e *Feed) addLateLegs() {
	for _, l := range e.records {
		if l.Status != counting.StatusCounted || l.Memory == nil || l.Memory.Call == nil || l.Memory.Call.Ignored {
			continue
		}
		call := l.Memory.Call
		for _, kind := range [...]facts.Kind{facts.Connected, facts.TrunkTime} {
			e.addTimes(&facts.Fact{Kind: kind, Record: l.record}, call)
		}
	}
}

// addGrown notes a call that may have added something else to the series than its legs say now, since some of them came
// or changed after it was counted.
func (e *Feed) addGrown(r *cdr.Record, call *counting.CallMemory) {
	def, always := e.Selector.Def, true // whatever the selector asks for
	switch def {
	case metrics.Calls, metrics.CallsByCountry:
		if always = false; !call.Changed {
			return
		}
	case metrics.CallFailures:
		if always = call.Changed; !call.Changed && r.Outcome.Connected() {
			return
		}
	case metrics.OutcomeChanges:
		if !call.Changed {
			return
		}
	case metrics.CallDuration, metrics.CallSetup:
	default:
		return
	}
	was := map[string]string{
		"direction": call.Labels.Direction.String(), "call_type": call.Labels.CallType, "country": call.Labels.Country,
		"trunk": call.Trunk, "late": strconv.FormatBool(call.Late),
	}
	if !call.Changed {
		was["outcome"] = r.Outcome.String()
	}
	var own []string
	for _, l := range def.Labels {
		own = append(own, was[l.Name])
	}
	unknown := func(label string) bool {
		_, is := was[label]
		return !is && def.Index(label) >= 0
	}
	matches, certain := e.Selector.matches(append(own, string(call.Labels.Labels)), unknown)
	if matches && (always || !certain) && e.isWithin(r) {
		e.result.Differ(revised)
	}
}
