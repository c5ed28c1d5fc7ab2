package explain

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// Selector selects series of a counter or a histogram, as PromQL does.
type Selector struct {
	Def      *metrics.Def
	part     string // of a histogram: _count, _sum or _bucket
	matchers []*labels.Matcher
}

var (
	promql         = parser.NewParser(parser.Options{})
	baseLabels     = []string{"source", "provider", "feed"}
	histogramParts = []string{"_count", "_sum", "_bucket"}
)

// Parse reads a selector such as `cdr_calls_total{direction="inbound",outcome!~"answered|voicemail"}`. Its errors say
// what to do.
func Parse(text string, operatorLabels []string) (*Selector, error) {
	matchers, err := promql.ParseMetricSelector(text)
	if err != nil {
		return nil, fmt.Errorf(`%w; give a metric with matchers of labels, such as cdr_calls_total{outcome="failed"}`,
			err)
	}
	s, name := new(Selector), ""
	for _, m := range matchers {
		if m.Name == model.MetricNameLabel && m.Type == labels.MatchEqual {
			name = m.Value
		} else {
			s.matchers = append(s.matchers, m)
		}
	}
	if err := s.resolve(name, operatorLabels); err != nil {
		return nil, err
	}
	return s, nil
}

// resolve finds the metric and checks the labels.
func (s *Selector) resolve(name string, operatorLabels []string) error {
	for _, d := range metrics.Catalogue() {
		part, is := strings.CutPrefix(name, d.Name)
		switch {
		case !is, part != "" && (d.Kind != metrics.Histogram || !slices.Contains(histogramParts, part)):
			continue
		case d.Kind == metrics.Gauge:
			return fmt.Errorf("%s is a gauge: it shows a state, and isn't a sum over records", name)
		case d.Kind == metrics.Histogram && part == "":
			return fmt.Errorf("%s is a histogram: give %s_count, %s_sum or %s_bucket", name, name, name, name)
		}
		s.Def, s.part = d, part
		return s.checkLabels(operatorLabels)
	}
	for _, d := range metrics.SelfCatalogue() {
		if d.Name == name {
			return fmt.Errorf("%s is about the exporter itself, and isn't a sum over records", name)
		}
	}
	return fmt.Errorf("no metric %q comes from records; docs/metrics.md has their names", name)
}

func (s *Selector) checkLabels(operatorLabels []string) error {
	known := s.Def.LabelNames()
	if s.Def.OperatorLabels {
		known = append(known, operatorLabels...)
	}
	if s.part == "_bucket" {
		known = append(known, model.BucketLabel)
	}
	for _, m := range s.matchers {
		if !slices.Contains(known, m.Name) {
			return fmt.Errorf("%s%s has no label %q; it has %s", s.Def.Name, s.part, m.Name, strings.Join(known, ", "))
		}
	}
	return nil
}

// Has says whether series of a source, a provider and a feed, or only of the first of these, may be selected.
func (s *Selector) Has(values ...string) bool {
	return !slices.ContainsFunc(s.matchers, func(m *labels.Matcher) bool {
		at := slices.Index(baseLabels[:len(values)], m.Name)
		return at >= 0 && !m.Matches(values[at])
	})
}

// matches says whether the labels of a metric after the base labels are selected. Labels whose values aren't known
// match; certain says that no matcher is of one.
func (s *Selector) matches(own []string, unknown func(label string) bool) (matches, certain bool) {
	certain = true
	for _, m := range s.matchers {
		switch {
		case m.Name == model.BucketLabel || slices.Contains(baseLabels, m.Name):
		case unknown(m.Name):
			certain = false
		case !m.Matches(s.value(own, m.Name)):
			return false, true
		}
	}
	return true, certain
}

// value is the value of a label, the metric's or the operator's.
func (s *Selector) value(own []string, label string) string {
	switch at := s.Def.Index(label); {
	case at >= 0:
		return metrics.CleanLabel(own[at])
	case len(own) > len(s.Def.Labels):
		return cdr.Labels(own[len(s.Def.Labels)]).Value(label)
	}
	return ""
}

// amount is what a value adds to the selected series.
func (s *Selector) amount(v *metrics.Value) cdr.Money {
	h := v.Hist()
	if h == nil {
		return v.Exact(s.Def)
	}
	count := new(metrics.Def).Exact
	switch s.part {
	case "_sum":
		return s.Def.Exact(h.Sum)
	case "_count":
		return count(int64(h.Count)) //nolint:gosec // it counts records
	}
	var sum, upTo uint64
	for i, n := range h.Buckets {
		if upTo += n; s.hasBucket(i) {
			sum += upTo
		}
	}
	return count(int64(sum)) //nolint:gosec // as above
}

// hasBucket says whether a bucket is selected. Its bound may be written as 5 or as 5.0.
func (s *Selector) hasBucket(i int) bool {
	forms := []string{"+Inf"}
	if i < len(s.Def.Bounds) {
		forms[0] = strconv.FormatFloat(s.Def.Bounds[i], 'g', -1, 64)
		if !strings.ContainsAny(forms[0], ".e") {
			forms = append(forms, forms[0]+".0")
		}
	}
	return !slices.ContainsFunc(s.matchers, func(m *labels.Matcher) bool {
		switch {
		case m.Name != model.BucketLabel:
			return false
		case m.Type == labels.MatchNotEqual, m.Type == labels.MatchNotRegexp:
			return slices.ContainsFunc(forms, func(form string) bool { return !m.Matches(form) })
		}
		return !slices.ContainsFunc(forms, m.Matches)
	})
}

// asked are the labels of the metric's own, but for late, that the selector has a matcher for.
func (s *Selector) asked() (names []string) {
	for _, m := range s.matchers {
		if m.Name != model.BucketLabel && m.Name != "late" && !slices.Contains(baseLabels, m.Name) &&
			!slices.Contains(names, m.Name) {
			names = append(names, m.Name)
		}
	}
	return names
}
