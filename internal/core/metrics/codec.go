package metrics

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// The ledger stores a series' value as readable text:
//
//	counter    12
//	seconds    12500000            (microseconds)
//	money      12.345
//	histogram  {"count":3,"sum":12500000,"buckets":[0,1,2],"schema":3,"zeros":0,"indexes":[8,16],"counts":[1,2]}
//	           sum in parts of the scale, buckets the classic ones, then the native ones
//	gauge      {"attempts":[[1763640000,9,0],[7,1,-1]],
//	           "failures":[{"sip_code":"503","reason":"tls","fault_domain":"sbc"}]}
//	           the last attempts: seconds since the previous start, number of the outcome,
//	           number of the failure or -1

var errValue = errors.New("not a stored value of this kind of metric")

// Value is the value of one series. It isn't safe for concurrent use.
type Value struct {
	n        int64
	money    cdr.Money
	hist     *HistValue
	gauge    float64       // for a gauge about the exporter itself
	attempts *keptAttempts // for a gauge that the ledger keeps
	// exemplars are by bucket, nil without one; a counter has one. The ledger doesn't keep them.
	exemplars []*Exemplar
}

// NewValue is the initial value of a metric.
func NewValue(d *Def) Value {
	switch d.Kind {
	case Histogram:
		return Value{hist: newHist(d)}
	case Gauge:
		return Value{attempts: &keptAttempts{}}
	case Counter, Seconds, Money:
	}
	return Value{}
}

// Add adds a Delta to a counter or histogram. It returns the classic bucket of a histogram that
// counted it, and whether it fit into the sum. Money always fits.
func (v *Value) Add(d *Def, n int64, money *cdr.Money) (bucket int, fits bool) {
	fits = true
	switch d.Kind {
	case Histogram:
		return v.hist.observe(d, n)
	case Money:
		v.money = v.money.Add(money)
	case Counter, Seconds, Gauge:
		v.n, fits = addUpTo(v.n, n)
	}
	return 0, fits
}

// addUpTo is a + b for values ≥ 0, or the largest number, and whether the sum fits: a counter never
// goes down (counting.md 24).
func addUpTo(a, b int64) (sum int64, fits bool) {
	if b > math.MaxInt64-a {
		return math.MaxInt64, false
	}
	return a + b, true
}

// Hist is the value of a histogram; nil for other kinds.
func (v *Value) Hist() *HistValue { return v.hist }

func (v Value) clone() Value {
	if v.hist != nil {
		v.hist = v.hist.clone()
	}
	if v.attempts != nil {
		v.attempts = v.attempts.clone()
	}
	v.exemplars = slices.Clone(v.exemplars)
	return v
}

// Float is the value of everything but a histogram, in the metric's unit.
func (v *Value) Float(d *Def) float64 {
	switch d.Kind {
	case Money:
		return v.money.Float()
	case Gauge:
		return v.gauge
	case Counter, Seconds, Histogram:
	}
	return d.InUnit(v.n)
}

// Exact is the value of a counter, in the metric's unit.
func (v *Value) Exact(d *Def) cdr.Money {
	if d.Kind == Money {
		return v.money
	}
	return d.Exact(v.n)
}

// point is a series with this value, which mustn't change then.
func (v *Value) point(labels *LabelSet, start time.Time, native bool) Point {
	return Point{
		Labels: labels, Start: start, Value: v.Float(labels.Def), Hist: v.hist, Native: native,
		Exemplars: v.exemplars,
	}
}

func (v *Value) append(dst []byte, d *Def) []byte {
	switch d.Kind {
	case Money:
		return v.money.Append(dst)
	case Histogram:
		text, _ := json.Marshal(v.hist) // numbers always encode
		return append(dst, text...)
	case Gauge:
		return v.attempts.append(dst)
	case Counter, Seconds:
	}
	return strconv.AppendInt(dst, v.n, 10)
}

func parseValue(d *Def, text string) (Value, error) {
	switch d.Kind {
	case Money:
		m, err := cdr.ParseMoneySum(text)
		return Value{money: m}, err
	case Histogram:
		h, err := parseHist(d, text)
		return Value{hist: h}, err
	case Gauge:
		r, err := parseAttempts(text)
		return Value{attempts: r}, err
	case Counter, Seconds:
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return Value{}, fmt.Errorf("%s: %w", d.Name, errValue)
	}
	return Value{n: n}, nil
}

func parseHist(d *Def, text string) (*HistValue, error) {
	h := &HistValue{}
	if err := json.Unmarshal([]byte(text), h); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", d.Name, errValue, err)
	}
	if len(h.Buckets) != len(d.Bounds)+1 || len(h.Indexes) != len(h.Counts) {
		return nil, fmt.Errorf("%s: %w", d.Name, errValue)
	}
	return h, nil
}
