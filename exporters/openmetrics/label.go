package openmetrics

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/prometheus/common/model"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// Label is a label that every series gets in addition to its own.
type Label struct{ Name, Value string }

// bucketLabel is the label with the upper bound of a histogram's bucket.
const bucketLabel = "le"

// ParseLabels reads labels of the form NAME=VALUE. It refuses labels of the metrics, the operator's
// included, labels of Prometheus, and repeated ones.
func ParseLabels(texts []string, operator ...string) (labels []Label, err error) {
	taken := map[string]bool{bucketLabel: true}
	for _, name := range operator {
		taken[name] = true
	}
	for _, d := range metrics.Catalogue() {
		for _, name := range d.LabelNames() {
			taken[name] = true
		}
	}
	for _, text := range texts {
		name, value, found := strings.Cut(text, "=")
		switch {
		case !found || value == "" || !utf8.ValidString(value) || !model.LegacyValidation.IsValidLabelName(name):
			return nil, errors.New("write it as NAME=VALUE, such as job=cdr-history: a name of letters, " +
				"digits and _, and a value")
		case strings.HasPrefix(name, model.ReservedLabelPrefix):
			return nil, fmt.Errorf("label %s: Prometheus reserves names that begin with %s; choose another name", name,
				model.ReservedLabelPrefix)
		case taken[name]:
			return nil, fmt.Errorf("label %s: the metrics have a label with that name; choose another name, "+
				"such as job or instance", name)
		case slices.ContainsFunc(labels, func(o Label) bool { return o.Name == name }):
			return nil, fmt.Errorf("label %s is set twice; set it once", name)
		}
		labels = append(labels, Label{Name: name, Value: value})
	}
	return labels, nil
}

// appendLabel appends a label pair, with a comma before it unless it is the first. It skips a label
// without a value: to Prometheus it doesn't exist.
func appendLabel(dst []byte, l Label) []byte {
	if l.Value == "" {
		return dst
	}
	if len(dst) > 0 {
		dst = append(dst, ',')
	}
	return append(dst, l.Name+`="`+escape(l.Value)+`"`...)
}

var escaper = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

// escape returns text in the format's escaping.
func escape(text string) string { return escaper.Replace(strings.ToValidUTF8(text, "\uFFFD")) }
