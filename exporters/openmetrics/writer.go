package openmetrics

import (
	"bufio"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// Writer writes OpenMetrics text. It isn't safe for concurrent use.
type Writer struct {
	out    *bufio.Writer
	labels []Label

	def *metrics.Def
	// heads are the texts before the value on each line of a sample: one for a counter; one each
	// for buckets, count and sum of a histogram.
	heads []string
	line  []byte

	samples int64
}

// NewWriter writes to w. It gives every series these labels, which ParseLabels has accepted.
func NewWriter(w io.Writer, labels []Label) *Writer {
	const buffer = 1 << 16
	return &Writer{out: bufio.NewWriterSize(w, buffer), labels: labels}
}

// Samples is the number of samples written; a histogram has one for each bucket, its count and its
// sum.
func (w *Writer) Samples() int64 { return w.samples }

// Family begins a metric, a counter or a histogram.
func (w *Writer) Family(d *metrics.Def) {
	w.def = d
	name, kind := strings.TrimSuffix(d.Name, "_total"), "counter"
	if d.Kind == metrics.Histogram {
		kind = "histogram"
	}
	// Flush returns its error
	_, _ = w.out.WriteString("# TYPE " + name + " " + kind + "\n# HELP " + name + " " + escape(d.Help) + "\n")
}

// Series begins a series of the family.
func (w *Writer) Series(set *metrics.LabelSet) {
	var pairs []byte
	for i, name := range w.def.LabelNames() {
		pairs = appendLabel(pairs, Label{name, set.Values[i]})
	}
	for name, value := range set.Operator().All() {
		pairs = appendLabel(pairs, Label{name, value})
	}
	for _, l := range w.labels {
		pairs = appendLabel(pairs, l)
	}
	head := func(suffix, bound string) string {
		return w.def.Name + suffix + "{" + string(appendLabel(slices.Clip(pairs), Label{bucketLabel, bound})) + "} "
	}
	if w.def.Kind != metrics.Histogram {
		w.heads = []string{head("", "")}
		return
	}
	w.heads = w.heads[:0]
	for _, bound := range w.def.Bounds {
		w.heads = append(w.heads, head("_bucket", boundText(bound)))
	}
	w.heads = append(w.heads, head("_bucket", "+Inf"), head("_count", ""), head("_sum", ""))
}

// Value writes a counter's value at a time, in its unit.
func (w *Writer) Value(at time.Time, value float64) { w.float(0, at, value) }

// Histogram writes a histogram's value at a time: its classic buckets, count and sum.
func (w *Writer) Histogram(at time.Time, h *metrics.HistValue) {
	cumulated := uint64(0)
	for i, n := range h.Buckets {
		cumulated += n
		w.uint(i, at, cumulated)
	}
	w.uint(len(h.Buckets), at, h.Count)
	w.float(len(h.Buckets)+1, at, w.def.InUnit(h.Sum))
}

// uint and float write a line with the n-th head.
func (w *Writer) uint(n int, at time.Time, value uint64) {
	w.end(strconv.AppendUint(append(w.line[:0], w.heads[n]...), value, 10), at)
}

func (w *Writer) float(n int, at time.Time, value float64) {
	w.end(strconv.AppendFloat(append(w.line[:0], w.heads[n]...), value, 'g', -1, 64), at)
}

// end writes a line with its time, in seconds since 1970, to the millisecond.
func (w *Writer) end(line []byte, at time.Time) {
	w.line = append(strconv.AppendFloat(append(line, ' '), float64(at.UnixMilli())/1000, 'f', -1, 64), '\n')
	_, _ = w.out.Write(w.line) // Flush returns its error
	w.samples++
}

// Close writes the end of the text. It doesn't close the underlying writer.
func (w *Writer) Close() error {
	_, _ = w.out.WriteString("# EOF\n") // Flush returns its error
	return w.out.Flush()
}

// boundText is a bucket's bound in the format's canonical form, always with a decimal point.
func boundText(bound float64) string {
	text := strconv.FormatFloat(bound, 'g', -1, 64)
	if bound == math.Trunc(bound) && !strings.ContainsAny(text, "e.") {
		text += ".0"
	}
	return text
}
