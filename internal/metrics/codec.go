package metrics

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// The ledger keeps a series' value as text that a person can read:
//
//	counter    12
//	seconds    12500000            (microseconds)
//	money      12.345
//	histogram  3 12500000 0,1,2 3 0 8:1,16:2
//	           count, sum in parts, classic buckets, schema, zeros, native buckets

var errValue = errors.New("not a stored value of this kind of metric")

// value is one series' state.
type value struct {
	n     int64
	money cdr.Money
	hist  *hist
}

func newValue(d *Def) value {
	if d.Kind == Histogram {
		return value{hist: newHist(d)}
	}
	return value{}
}

// set makes v a copy of o and keeps v's memory.
func (v *value) set(o *value) {
	v.n, v.money = o.n, o.money
	if o.hist == nil {
		return
	}
	if v.hist == nil {
		v.hist = &hist{}
	}
	v.hist.set(o.hist)
}

// add merges o into v.
func (v *value) add(o *value) {
	v.n += o.n
	v.money = v.money.Add(&o.money)
	if v.hist != nil {
		v.hist.add(o.hist)
	}
}

// float is the value in the metric's unit.
func (v *value) float(d *Def) float64 {
	switch d.Kind {
	case Money:
		return v.money.Float()
	case Seconds:
		return float64(v.n) / 1e6
	case Counter, Histogram, Gauge:
	}
	return float64(v.n)
}

// append appends the stored form.
func (v *value) append(dst []byte, d *Def) []byte {
	switch d.Kind {
	case Money:
		return v.money.Append(dst)
	case Histogram:
		return v.hist.append(dst)
	case Counter, Seconds, Gauge:
	}
	return strconv.AppendInt(dst, v.n, 10)
}

func (h *hist) append(dst []byte) []byte {
	dst = strconv.AppendUint(dst, h.count, 10)
	dst = strconv.AppendInt(append(dst, ' '), h.sum, 10)
	for i, b := range h.buckets {
		dst = strconv.AppendUint(append(dst, separator(i)), b, 10)
	}
	dst = strconv.AppendInt(append(dst, ' '), int64(h.schema), 10)
	dst = strconv.AppendUint(append(dst, ' '), h.zeros, 10)
	for i, index := range h.indexes {
		dst = strconv.AppendInt(append(dst, separator(i)), int64(index), 10)
		dst = strconv.AppendUint(append(dst, ':'), h.counts[i], 10)
	}
	return dst
}

func separator(i int) byte {
	if i == 0 {
		return ' '
	}
	return ','
}

// parseValue reads the stored form.
func parseValue(d *Def, text string) (value, error) {
	switch d.Kind {
	case Money:
		m, err := cdr.ParseMoneySum(text)
		return value{money: m}, err
	case Histogram:
		h, err := parseHist(d, text)
		return value{hist: h}, err
	case Counter, Seconds, Gauge:
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return value{}, fmt.Errorf("%s: %w", d.Name, errValue)
	}
	return value{n: n}, nil
}

// SumStored adds two stored values of a metric.
func SumStored(d *Def, a, b string) (string, error) {
	sum, err := parseValue(d, a)
	if err != nil {
		return "", err
	}
	other, err := parseValue(d, b)
	if err != nil {
		return "", err
	}
	sum.add(&other)
	return string(sum.append(nil, d)), nil
}

func parseHist(d *Def, text string) (*hist, error) {
	fields := strings.Split(text, " ")
	if len(fields) != 5 && len(fields) != 6 {
		return nil, fmt.Errorf("%s: %w", d.Name, errValue)
	}
	h := newHist(d)
	p := numbers{}
	h.count = p.uint(fields[0])
	h.sum = p.int(fields[1], 64)
	buckets := strings.Split(fields[2], ",")
	if len(buckets) != len(h.buckets) {
		return nil, fmt.Errorf("%s: %w", d.Name, errValue)
	}
	for i, b := range buckets {
		h.buckets[i] = p.uint(b)
	}
	h.schema = int32(p.int(fields[3], 32))
	h.zeros = p.uint(fields[4])
	if len(fields) == 6 {
		for pair := range strings.SplitSeq(fields[5], ",") {
			index, count, _ := strings.Cut(pair, ":")
			h.indexes = append(h.indexes, int32(p.int(index, 32)))
			h.counts = append(h.counts, p.uint(count))
		}
	}
	if p.err != nil {
		return nil, fmt.Errorf("%s: %w", d.Name, errValue)
	}
	return h, nil
}

// numbers parses several numbers and keeps the first error.
type numbers struct{ err error }

func (p *numbers) uint(s string) uint64 {
	n, err := strconv.ParseUint(s, 10, 64)
	p.keep(err)
	return n
}

func (p *numbers) int(s string, bits int) int64 {
	n, err := strconv.ParseInt(s, 10, bits)
	p.keep(err)
	return n
}

func (p *numbers) keep(err error) {
	if p.err == nil {
		p.err = err
	}
}
