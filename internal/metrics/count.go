package metrics

import (
	"cmp"
	"math"
	"strconv"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// Delta is by how much something that was recorded changes one series.
type Delta struct {
	Def *Def
	// Labels are the values of Def.Labels and, behind them, the operator's labels.
	Labels [mostLabels]string
	// N is how much a counter grows, in microseconds if it is of time, or what a histogram observes, in parts of its scale.
	N int64
	// Money is how much a counter of money grows.
	Money cdr.Money
	// At is when it happened, for history; zero: when the record started.
	At time.Time
}

// mostLabels is how many labels a metric has at most beside the base labels.
const mostLabels = 9

// LabelValues are the values of Def.Labels, and the operator's labels if there are any.
func (d *Delta) LabelValues() []string {
	n := len(d.Def.Labels)
	if d.Labels[n] != "" {
		n++
	}
	return d.Labels[:n]
}

// Context is what must be known of a record to count it for the first time.
type Context struct {
	// Late: first seen more than the feed's late_after after its end.
	Late bool
	// Currency stands in for one that the provider doesn't give.
	Currency string
	// BypassLater: whether media bypassed is known when the record has settled, and counted then.
	BypassLater bool
}

// All functions below are pure: they append what changes to dst and return it.

// Count counts a record that is a call by itself and was seen for the first time.
func Count(dst []Delta, r *cdr.Record, c Context) []Delta {
	dst = CountCharges(CountLegs(dst, r), r, c)
	return CountTrunkTime(CountCall(CountEmergency(dst, r), r, c), r)
}

// CountCharges counts the charges of a record that was seen for the first time.
func CountCharges(dst []Delta, r *cdr.Record, c Context) []Delta {
	labels := ChargeLabels{Direction: r.Direction, CallType: r.CallType, Country: r.Country, Labels: r.Labels}
	for _, charge := range r.Charges {
		charge.Currency = cmp.Or(charge.Currency, c.Currency)
		dst = CountCharge(dst, labels, charge)
	}
	return dst
}

// noOutcome is the label value of a leg that doesn't say how its call ended.
const noOutcome = "none"

// CountLegs counts the legs of a record: those that it lists, else itself.
func CountLegs(dst []Delta, r *cdr.Record) []Delta {
	count := func(direction cdr.Direction, trunk, kind string, outcome cdr.Outcome, none bool) {
		text := outcome.String()
		if none {
			text = noOutcome
		}
		dst = appendDelta(dst, CallLegs, 1, direction.String(), trunk, kind, text)
	}
	for i := range r.Legs {
		l := &r.Legs[i]
		count(l.Direction, l.Trunk, l.Type, l.OwnOutcome(), l.NoOutcome)
	}
	if len(r.Legs) == 0 && !r.ListsLegs {
		l := cdr.Leg{Party: r.Party, Outcome: r.Outcome}
		count(r.Direction, r.Trunk, r.CallType, l.OwnOutcome(), r.NoOutcome)
	}
	return dst
}

// CountCall counts a call, but for what its legs counted, and for the time of its trunks.
func CountCall(dst []Delta, r *cdr.Record, c Context) []Delta {
	direction, outcome, late := r.Direction.String(), r.Outcome.String(), strconv.FormatBool(c.Late)
	dst = appendDelta(dst, Calls, 1, direction, r.CallType, outcome, r.Trunk, late, string(r.Labels))
	if !r.Outcome.Connected() {
		dst = appendDelta(dst, CallFailures, 1, direction, r.Trunk, outcome, digits(r.SIPCode), digits(r.SubCode), r.Reason,
			r.Fault().String(), late, string(r.Labels))
	}
	dst = countTimes(dst, r)
	dst = appendDelta(dst, CallsByCountry, 1, direction, r.Country, r.NumberClass(), strconv.FormatBool(r.Outcome.Connected()))
	if !c.BypassLater {
		dst = countBypass(dst, r)
	}
	if r.MediaLocation != "" || r.SignalLocation != "" {
		dst = appendDelta(dst, CallsByLocation, 1, r.MediaLocation, r.SignalLocation)
	}
	return dst
}

// CountTimes counts how long a connected call of one record took, on its trunk too, and how long its set-up was.
func CountTimes(dst []Delta, r *cdr.Record) []Delta { return CountTrunkTime(countTimes(dst, r), r) }

func countTimes(dst []Delta, r *cdr.Record) []Delta {
	dst = countDuration(dst, r)
	if setup, ok := r.Setup(); ok {
		dst = appendDelta(dst, CallSetup, setup.Microseconds(), r.Direction.String(), r.Trunk)
	}
	return dst
}

// CountDuration counts how long a connected call of one record took, on its trunk too.
func CountDuration(dst []Delta, r *cdr.Record) []Delta {
	return CountTrunkTime(countDuration(dst, r), r)
}

// countDuration counts talk and connected time. A duration that the provider doesn't give isn't one of 0 s.
func countDuration(dst []Delta, r *cdr.Record) []Delta {
	if talk, known := r.TalkTime(); known {
		dst = CountTalk(dst, r, talk)
	}
	if connected, known := r.ConnectedTime(); known {
		dst = CountConnected(dst, r, connected)
	}
	return dst
}

// CountTalk counts how long persons talked in a call.
func CountTalk(dst []Delta, r *cdr.Record, talk time.Duration) []Delta {
	return appendDelta(dst, CallDuration, talk.Microseconds(), r.Direction.String(), r.CallType, r.Trunk)
}

// CountConnected counts how long a call was connected, or how much longer than was counted.
func CountConnected(dst []Delta, r *cdr.Record, connected time.Duration) []Delta {
	return appendDelta(dst, ConnectedSeconds, connected.Microseconds(), r.Direction.String(), r.CallType, r.Trunk, r.Country, string(r.Labels))
}

// CountTrunkTime counts how long a call of one record occupied its trunk.
func CountTrunkTime(dst []Delta, r *cdr.Record) []Delta {
	if connected, known := r.ConnectedTime(); known && r.Trunk != "" {
		dst = CountTrunk(dst, r.Trunk, r.Direction, connected)
	}
	return dst
}

// CountTrunk counts how long a call occupied a trunk.
func CountTrunk(dst []Delta, trunk string, direction cdr.Direction, connected time.Duration) []Delta {
	return appendDelta(dst, TrunkSeconds, connected.Microseconds(), trunk, direction.String())
}

// CountEmergency counts a call to emergency services by its outcome, if it is one.
func CountEmergency(dst []Delta, r *cdr.Record) []Delta {
	if r.Emergency == cdr.NoEmergency {
		return dst
	}
	return appendDelta(dst, EmergencyCalls, 1, r.Outcome.String(), strconv.FormatBool(r.Emergency == cdr.EmergencyTest))
}

// countBypass counts a call that says whether media bypassed.
func countBypass(dst []Delta, r *cdr.Record) []Delta {
	if !r.MediaBypass.Known() {
		return dst
	}
	return appendDelta(dst, MediaBypassCalls, 1, r.Trunk, r.MediaBypass.String())
}

// ChargeLabels are the labels that a call's charges and their corrections carry.
type ChargeLabels struct {
	Direction         cdr.Direction
	CallType, Country string
	Labels            cdr.Labels
}

// CountCharge counts the first amount known of a component. Zero makes no series; one below zero is a credit.
func CountCharge(dst []Delta, l ChargeLabels, c cdr.Charge) []Delta {
	if c.Amount.Sign() <= 0 {
		return CountCorrection(dst, l, c)
	}
	dst = appendDelta(dst, CallCharges, 0, l.Direction.String(), l.CallType, c.Currency, c.Component, l.Country, string(l.Labels))
	dst[len(dst)-1].Money = c.Amount
	return dst
}

// CountCorrection counts a later change of a component's amount: above zero a debit, below zero a credit.
func CountCorrection(dst []Delta, l ChargeLabels, c cdr.Charge) []Delta {
	sign, amount := "debit", c.Amount
	switch amount.Sign() {
	case 0:
		return dst
	case -1:
		sign, amount = "credit", amount.Neg()
	}
	dst = appendDelta(dst, ChargeCorrections, 0, l.Direction.String(), l.CallType, c.Currency, c.Component, l.Country, sign, string(l.Labels))
	dst[len(dst)-1].Money = amount
	return dst
}

// CountOutcomeChange counts an outcome that changed after it was counted.
func CountOutcomeChange(dst []Delta, from, to cdr.Outcome) []Delta {
	return appendDelta(dst, OutcomeChanges, 1, from.String(), to.String())
}

// CountRecording counts a recording, in whichever version of its call it appears.
func CountRecording(dst []Delta, kind string) []Delta { return appendDelta(dst, Recordings, 1, kind) }

// CountSession counts a session, in whichever version of its call it appears.
func CountSession(dst []Delta, s *cdr.Session) []Delta {
	dst = appendDelta(dst, Sessions, 1, s.Result.String(), s.Media)
	if s.Result != cdr.SessionOK {
		dst = appendDelta(dst, SessionFailures, 1, s.Stage, s.Reason)
	}
	return dst
}

// CountVisit counts a visit of a caller to a queue. A wait below zero is none.
func CountVisit(dst []Delta, v *cdr.Visit) []Delta {
	from := len(dst)
	dst = appendDelta(dst, QueueCalls, 1, v.Queue, v.Result.String())
	if v.Wait.Known && v.Wait.Value >= 0 {
		dst = appendDelta(dst, QueueWait, v.Wait.Value.Microseconds(), v.Queue, v.Result.String())
	}
	for i := range dst[from:] {
		dst[from+i].At = v.Start
	}
	return dst
}

// CountSettled counts what is known when a record has settled: streams, ratings and, if Count left it for later, whether media bypassed.
func CountSettled(dst []Delta, r *cdr.Record, bypassLater bool) []Delta {
	for i := range r.Streams {
		dst = countStream(dst, &r.Streams[i])
	}
	for _, rating := range r.Ratings {
		dst = appendDelta(dst, Ratings, 1, rating)
	}
	if bypassLater {
		dst = countBypass(dst, r)
	}
	return dst
}

// countStream counts a media stream. A time below zero is no measure, what isn't between 0 and 1 is
// no share, and what isn't between 1 and 5 is no score.
func countStream(dst []Delta, s *cdr.Stream) []Delta {
	direction := s.Direction()
	dst = appendDelta(dst, MediaStreams, 1, s.Media, direction, s.Network, s.Platform, s.Verdict().String(), string(s.Labels))
	for _, m := range [...]struct {
		def *Def
		cdr.Span
	}{{MediaJitter, s.Jitter}, {MediaRoundTrip, s.RoundTrip}} {
		if m.Known && m.Value >= 0 {
			dst = appendDelta(dst, m.def, m.Value.Microseconds(), s.Media, direction, s.Network, string(s.Labels))
		}
	}
	for _, m := range [...]struct {
		def *Def
		cdr.Float
		least, most float64
	}{{MediaPacketLoss, s.Loss, 0, 1}, {MediaConcealed, s.Concealed, 0, 1}, {MediaMOS, s.MOS, 1, 5}} {
		if m.Known && m.Value >= m.least && m.Value <= m.most {
			dst = appendDelta(dst, m.def, int64(math.Round(m.Value*float64(m.def.Scale))), s.Media, direction, s.Network, string(s.Labels))
		}
	}
	return dst
}

func appendDelta(dst []Delta, def *Def, n int64, own ...string) []Delta {
	dst = append(dst, Delta{Def: def, N: n})
	copy(dst[len(dst)-1].Labels[:], own)
	return dst
}

// digits is the label value of an integer, empty if it wasn't given.
func digits(n cdr.Int) string {
	if !n.Known {
		return ""
	}
	return strconv.FormatInt(n.Value, 10)
}
