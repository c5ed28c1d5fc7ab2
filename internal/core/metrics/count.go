package metrics

import (
	"math"
	"strconv"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
)

// Delta is a fact's change of one series.
type Delta struct {
	Def *Def
	// labels are the values of Def.Labels, followed by the operator's labels.
	labels [mostLabels]string
	// N is the increase of a counter, in microseconds for time, or the observed value of a
	// histogram, in parts of its scale.
	N int64
	// Money is the increase of a money counter.
	Money cdr.Money
	// Series is the identity of the changed series, set when the delta is added.
	Series *LabelSet
}

// mostLabels is the largest number of a metric's labels without the base labels.
const mostLabels = 9

// LabelValues are the values of Def.Labels, and the operator's labels if there are any.
func (d *Delta) LabelValues() []string {
	n := len(d.Def.Labels)
	if d.labels[n] != "" {
		n++
	}
	return d.labels[:n]
}

// Count appends a fact's changes to dst and returns it. It is pure.
func Count(dst []Delta, f *facts.Fact) []Delta {
	r := f.Record
	switch f.Kind {
	case facts.Call:
		return countCall(dst, r, f.Late)
	case facts.Failure:
		return appendDelta(dst, CallFailures, 1, r.Direction.String(), r.Trunk, r.Outcome.String(), digits(r.SIPCode),
			digits(r.SubCode), r.Reason, r.Fault().String(), strconv.FormatBool(f.Late), string(r.Labels))
	case facts.Talk:
		return appendDelta(dst, CallDuration, f.Time.Microseconds(), r.Direction.String(), r.CallType, r.Trunk)
	case facts.Connected:
		return appendDelta(dst, ConnectedSeconds, f.Time.Microseconds(), r.Direction.String(), r.CallType, r.Trunk,
			r.Country, string(r.Labels))
	case facts.Setup:
		return appendDelta(dst, CallSetup, f.Time.Microseconds(), r.Direction.String(), r.Trunk)
	case facts.TrunkTime:
		return appendDelta(dst, TrunkSeconds, f.Time.Microseconds(), f.Trunk, f.Direction.String())
	case facts.Leg:
		return countLeg(dst, r, f.Part)
	case facts.Charge, facts.Correction:
		return countMoney(dst, f)
	case facts.OutcomeChange:
		return appendDelta(dst, OutcomeChanges, 1, f.From.String(), f.To.String())
	case facts.Bypass:
		return appendDelta(dst, MediaBypassCalls, 1, r.Trunk, r.MediaBypass.String())
	case facts.Emergency:
		leg := r.Leg()
		return appendDelta(dst, EmergencyCalls, 1, leg.OwnOutcome().String(),
			strconv.FormatBool(r.Emergency == cdr.EmergencyTest))
	case facts.Recording:
		return appendDelta(dst, Recordings, 1, r.Recordings[f.Part].Type)
	case facts.Session:
		return countSession(dst, &r.Sessions[f.Part])
	case facts.Visit:
		return countVisit(dst, &r.Visits[f.Part])
	case facts.Stream:
		return countStream(dst, &r.Streams[f.Part])
	case facts.Rating:
		return appendDelta(dst, Ratings, 1, r.Ratings[f.Part])
	case facts.Record, facts.Revision, facts.Attempt:
	}
	return dst
}

func countCall(dst []Delta, r *cdr.Record, late bool) []Delta {
	direction := r.Direction.String()
	dst = appendDelta(dst, Calls, 1, direction, r.CallType, r.Outcome.String(), r.Trunk, strconv.FormatBool(late),
		string(r.Labels))
	dst = appendDelta(dst, CallsByCountry, 1, direction, r.Country, r.NumberClass(),
		strconv.FormatBool(r.Outcome.Connected()))
	if r.MediaLocation != "" || r.SignalLocation != "" {
		dst = appendDelta(dst, CallsByLocation, 1, r.MediaLocation, r.SignalLocation)
	}
	return dst
}

// noOutcome is the label value of a leg that doesn't say how its call ended.
const noOutcome = "none"

// countLeg counts a leg of a record or, with an index below 0, the record itself.
func countLeg(dst []Delta, r *cdr.Record, part int) []Delta {
	l := r.Leg()
	if part >= 0 {
		l = r.Legs[part]
	}
	outcome := l.OwnOutcome().String()
	if l.NoOutcome {
		outcome = noOutcome
	}
	return appendDelta(dst, CallLegs, 1, l.Direction.String(), l.Trunk, l.Type, outcome)
}

// countMoney counts a charge, or a correction: above zero as a debit, below zero as a credit.
func countMoney(dst []Delta, f *facts.Fact) []Delta {
	l, c, amount := f.ChargeLabels(), &f.Charge, f.Charge.Amount
	if f.Kind == facts.Charge {
		dst = appendDelta(dst, CallCharges, 0, l.Direction.String(), l.CallType, c.Currency, c.Component, l.Country,
			string(l.Labels))
	} else {
		sign := "debit"
		if amount.Sign() < 0 {
			sign, amount = "credit", amount.Neg()
		}
		dst = appendDelta(dst, ChargeCorrections, 0, l.Direction.String(), l.CallType, c.Currency, c.Component,
			l.Country, sign, string(l.Labels))
	}
	dst[len(dst)-1].Money = amount
	return dst
}

func countSession(dst []Delta, s *cdr.Session) []Delta {
	dst = appendDelta(dst, Sessions, 1, s.Result.String(), s.Media)
	if s.Result != cdr.SessionOK {
		dst = appendDelta(dst, SessionFailures, 1, s.Stage, s.Reason)
	}
	return dst
}

// countVisit counts a visit of a caller to a queue. A wait below zero counts as unknown.
func countVisit(dst []Delta, v *cdr.Visit) []Delta {
	dst = appendDelta(dst, QueueCalls, 1, v.Queue, v.Result.String())
	if v.Wait.Known && v.Wait.Value >= 0 {
		dst = appendDelta(dst, QueueWait, v.Wait.Value.Microseconds(), v.Queue, v.Result.String())
	}
	return dst
}

// countStream counts a media stream. It leaves out negative times, shares outside 0 to 1, and
// scores outside 1 to 5.
func countStream(dst []Delta, s *cdr.Stream) []Delta {
	direction := s.Direction()
	dst = appendDelta(dst, MediaStreams, 1, s.Media, direction, s.Network, s.Platform, s.Verdict().String(),
		string(s.Labels))
	for _, m := range [...]struct {
		def *Def
		cdr.Length
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
			dst = appendDelta(dst, m.def, int64(math.Round(m.Value*float64(m.def.Scale))), s.Media, direction,
				s.Network, string(s.Labels))
		}
	}
	return dst
}

func appendDelta(dst []Delta, def *Def, n int64, own ...string) []Delta {
	dst = append(dst, Delta{Def: def, N: n})
	copy(dst[len(dst)-1].labels[:], own)
	return dst
}

// digits is the label value of an integer, empty if unknown.
func digits(n cdr.Int) string {
	if !n.Known {
		return ""
	}
	return strconv.FormatInt(n.Value, 10)
}
