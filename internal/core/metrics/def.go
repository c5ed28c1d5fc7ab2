package metrics

import (
	"slices"
	"strconv"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// Kind is the kind of a metric and of its sums.
type Kind uint8

// The kinds of metrics. The numbers are part of the ledger's format.
const (
	Counter   Kind = iota // a counter of events
	Seconds               // a counter of time, kept in microseconds
	Money                 // a counter of decimal amounts
	Histogram             // of seconds or ratios, kept in microseconds or billionths
	Gauge                 // a value at an instant
)

var kindNames = [...]string{"counter", "seconds", "money", "histogram", "gauge"}

// String is the kind's name, as the ledger keeps it.
func (k Kind) String() string { return kindNames[k] }

// The resolution of sums (counting.md 24).
const (
	micros     = 1_000_000
	billionths = 1_000_000_000
)

// Label is one label of a metric.
type Label struct {
	Name string
	// Open labels have the provider's values and become `overflow` past the series limit; closed
	// ones keep their value.
	Open bool
}

// OverflowValue replaces the values of open labels in folded series.
const OverflowValue = "overflow"

// Def defines one metric.
type Def struct {
	// Name is the Prometheus name, which follows from OTel, the OpenTelemetry name, by the rules of
	// UnderscoreEscapingWithSuffixes.
	Name, OTel string
	// Unit is the UCUM unit for OTLP.
	Unit string
	Help string
	Kind Kind
	// Base says which of the base labels (source, provider, feed) it has.
	Base BaseLabels
	// Labels come after the base labels.
	Labels []Label
	// OperatorLabels says that the series may also have the operator's labels. These are one more
	// value after those of Labels, of type cdr.Labels, absent if empty.
	OperatorLabels bool
	// OfStreams says that these are the operator's labels of media streams, by subnet, not those of
	// calls.
	OfStreams bool
	// Bounds are the upper bounds of a histogram's classic buckets, in its own unit, without +Inf.
	Bounds []float64
	// Scale is the number of parts of its unit in which a histogram or a counter of time is kept:
	// 1e6 means microseconds.
	Scale int64
	// Optional gauges about the exporter itself are absent until they are set.
	Optional bool
	// Zeros are the values of a self metric's only label whose series start at 0.
	Zeros []string
	// Exemplars says that the series have exemplars of the last calls that changed them.
	Exemplars bool
}

// BaseLabels says which labels come before a metric's own.
type BaseLabels uint8

// The sets of base labels.
const (
	NoBase BaseLabels = iota
	SourceOnly
	SourceFeed
	RecordBase // for everything that comes from records
)

var baseNames = [...][]string{nil, {"source"}, {"source", "feed"}, {"source", "provider", "feed"}}

// LabelNames are all label names in order, the base labels first, without the operator's.
func (d *Def) LabelNames() []string {
	base := baseNames[d.Base]
	names := make([]string, 0, len(base)+len(d.Labels))
	names = append(names, base...)
	for _, l := range d.Labels {
		names = append(names, l.Name)
	}
	return names
}

// Index is the place of a label among Labels, below 0 if it isn't one of them.
func (d *Def) Index(label string) int {
	return slices.IndexFunc(d.Labels, func(l Label) bool { return l.Name == label })
}

// InUnit converts parts of the metric's scale to its unit.
func (d *Def) InUnit(parts int64) float64 { return float64(parts) / float64(max(d.Scale, 1)) }

// Exact converts a number of parts of the metric's scale to its unit, as a decimal.
func (d *Def) Exact(parts int64) cdr.Money {
	digits := len(strconv.FormatInt(max(d.Scale, 1), 10)) - 1
	m, _ := cdr.ParseMoneySum(strconv.FormatInt(parts, 10) + "e-" + strconv.Itoa(digits)) // a number is one
	return m
}

var catalogue, selfCatalogue []*Def

// Catalogue has the metrics that come from records, in the order of definition. The ledger keeps
// them.
func Catalogue() []*Def { return slices.Clone(catalogue) }

// SelfCatalogue has the exporter's metrics about itself, in the order of definition.
func SelfCatalogue() []*Def { return slices.Clone(selfCatalogue) }

func ofRecords(kind Kind, name, otel, unit, help string, labels ...string) *Def {
	return define(&catalogue, RecordBase, kind, name, otel, unit, help, labels)
}

func ofSelf(base BaseLabels, kind Kind, name, otel, unit, help string, labels ...string) *Def {
	return define(&selfCatalogue, base, kind, name, otel, unit, help, labels)
}

// define adds a definition to a catalogue; a label whose name ends in `*` is open.
func define(all *[]*Def, base BaseLabels, kind Kind, name, otel, unit, help string, labels []string) *Def {
	d := &Def{Name: name, OTel: otel, Unit: unit, Help: help, Kind: kind, Base: base}
	if kind == Seconds {
		d.Scale = micros
	}
	for _, label := range labels {
		label, isOpen := strings.CutSuffix(label, "*")
		d.Labels = append(d.Labels, Label{Name: label, Open: isOpen})
	}
	*all = append(*all, d)
	return d
}

// inBuckets sets a histogram's bounds, and the scale in which it is kept.
func (d *Def) inBuckets(bounds []float64, scale int64) *Def {
	d.Bounds, d.Scale = bounds, scale
	return d
}

func (d *Def) startingAt(values ...string) *Def {
	d.Zeros = values
	return d
}

func (d *Def) optional() *Def {
	d.Optional = true
	return d
}

func (d *Def) withExemplars() *Def {
	d.Exemplars = true
	return d
}

func (d *Def) withOperatorLabels() *Def {
	d.OperatorLabels = true
	return d
}

func (d *Def) withStreamLabels() *Def {
	d.OperatorLabels, d.OfStreams = true, true
	return d
}

// logAttributes are the attributes of log records that say what a label says, by label.
// A test of exporters/otlp compares what is counted of a record with its log record.
var logAttributes = map[string]string{
	"source": "cdr.source", "provider": "cdr.provider", "feed": "cdr.feed",
	"direction": "cdr.direction", "call_type": "cdr.call_type", "outcome": "cdr.outcome", "trunk": "cdr.trunk",
	"country":  "cdr.country",
	"sip_code": "cdr.sip_code", "sub_code": "cdr.sub_code", "reason": "cdr.reason", "fault_domain": "cdr.fault_domain",
	"currency": "cdr.currency", "media_bypass": "cdr.media_bypass",
	"media_location": "cdr.media_location", "signaling_location": "cdr.signaling_location",
	"result": "cdr.session.result", "queue": "cdr.queue",
}

// LogAttribute is the attribute of log records with the meaning of a label, or empty.
func LogAttribute(d *Def, label string) string {
	if label == "result" && (d == QueueCalls || d == QueueWait) {
		return "cdr.queue_result"
	}
	return logAttributes[label]
}
