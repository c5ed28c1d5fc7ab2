package explain

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// Selector selects series of a counter or a histogram, as PromQL does.
type Selector struct {
	Def      *metrics.Def
	part     string // of a histogram: _count, _sum or _bucket
	matchers []matcher
}

// matcher is a condition on one label.
type matcher struct {
	label   string
	value   string
	negated bool
	pattern *regexp.Regexp // nil: the value is compared
}

func (m *matcher) matches(value string) bool {
	is := value == m.value
	if m.pattern != nil {
		is = m.pattern.MatchString(value)
	}
	return is != m.negated
}

var (
	baseLabels     = []string{"source", "provider", "feed"}
	histogramParts = []string{"_count", "_sum", "_bucket"}
)

const (
	bucketLabel = "le"
	nameLabel   = "__name__"
)

// Parse reads a selector such as `cdr_calls_total{direction="inbound",outcome!~"answered|voicemail"}`. Its errors say
// what to do.
func Parse(text string, operatorLabels []string) (*Selector, error) {
	s := new(Selector)
	name, err := s.parse(text)
	if err != nil {
		return nil, fmt.Errorf(`%w; give a metric with matchers of labels, such as cdr_calls_total{outcome="failed"}`,
			err)
	}
	if err := s.resolve(name, operatorLabels); err != nil {
		return nil, err
	}
	return s, nil
}

// The forms of a selector and of a matcher in it, up to the comma. A value is in one of PromQL's three quotes.
var (
	selectorForm = regexp.MustCompile(`^\s*([a-zA-Z_:][\w:]*)?\s*(?:\{(?s:(.*))\})?\s*$`)
	matcherForm  = regexp.MustCompile(`^\s*([a-zA-Z_]\w*)\s*(=~|!~|!=|=)\s*` +
		`("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|` + "`[^`]*`" + `)\s*(?:,\s*|$)`)
)

// parse reads the parts of a selector and returns the metric's name.
func (s *Selector) parse(text string) (name string, err error) {
	parts := selectorForm.FindStringSubmatch(text)
	if parts == nil {
		return "", errors.New("the selector isn't METRIC{…}: functions and ranges aren't part of one")
	}
	name = parts[1]
	for rest := strings.TrimSpace(parts[2]); rest != ""; {
		words := matcherForm.FindStringSubmatch(rest)
		if words == nil {
			return "", errors.New("what is in {} isn't matchers LABEL=\"VALUE\" with = != =~ or !~ and commas between")
		}
		rest = rest[len(words[0]):]
		m := matcher{label: words[1], negated: words[2][0] == '!'}
		if m.value, err = unquote(words[3]); err != nil {
			return "", err
		}
		if strings.HasSuffix(words[2], "~") {
			if m.pattern, err = regexp.Compile("^(?s:" + m.value + ")$"); err != nil {
				return "", fmt.Errorf("the expression of %s isn't a valid one (RE2)", m.label)
			}
		}
		if m.label == nameLabel && m.pattern == nil && !m.negated {
			name = m.value
		} else {
			s.matchers = append(s.matchers, m)
		}
	}
	if name == "" {
		return "", errors.New("the selector has no metric")
	}
	return name, nil
}

// unquote reads a text in quotes.
func unquote(text string) (string, error) {
	if text[0] == '\'' {
		text = strings.ReplaceAll(text[1:len(text)-1], `\'`, `'`)
		text = `"` + strings.ReplaceAll(text, `"`, `\"`) + `"`
	}
	value, err := strconv.Unquote(text)
	if err != nil {
		return "", errors.New("a value has a backslash that escapes nothing")
	}
	return value, nil
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
		known = append(known, bucketLabel)
	}
	for i := range s.matchers {
		if label := s.matchers[i].label; !slices.Contains(known, label) {
			return fmt.Errorf("%s%s has no label %q; it has %s", s.Def.Name, s.part, label, strings.Join(known, ", "))
		}
	}
	return nil
}

// Has says whether series of a source, a provider and a feed, or only of the first of these, may be selected.
func (s *Selector) Has(values ...string) bool {
	return !slices.ContainsFunc(s.matchers, func(m matcher) bool {
		at := slices.Index(baseLabels[:len(values)], m.label)
		return at >= 0 && !m.matches(values[at])
	})
}

// matches says whether the labels of a metric after the base labels are selected. Labels whose values aren't known
// match; certain says that no matcher is of one.
func (s *Selector) matches(own []string, unknown func(label string) bool) (matches, certain bool) {
	certain = true
	for i := range s.matchers {
		switch m := &s.matchers[i]; {
		case m.label == bucketLabel || slices.Contains(baseLabels, m.label):
		case unknown(m.label):
			certain = false
		case !m.matches(s.value(own, m.label)):
			return false, true
		}
	}
	return true, certain
}

// value is the value of a label, the metric's or the operator's.
func (s *Selector) value(own []string, label string) string {
	at := slices.IndexFunc(s.Def.Labels, func(l metrics.Label) bool { return l.Name == label })
	switch {
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
	return !slices.ContainsFunc(s.matchers, func(m matcher) bool {
		if m.label != bucketLabel {
			return false
		}
		if m.negated {
			return slices.ContainsFunc(forms, func(form string) bool { return !m.matches(form) })
		}
		return !slices.ContainsFunc(forms, m.matches)
	})
}

// asked are the labels of the metric's own, but for late, that the selector has a matcher for.
func (s *Selector) asked() (labels []string) {
	for i := range s.matchers {
		label := s.matchers[i].label
		if label != bucketLabel && label != "late" && !slices.Contains(baseLabels, label) &&
			!slices.Contains(labels, label) {
			labels = append(labels, label)
		}
	}
	return labels
}
