package openmetrics

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/prometheus/common/model"

	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// Label is a label that every series is given beside its own.
type Label struct{ Name, Value string }

// bucketLabel is the upper bound of a histogram's bucket.
const bucketLabel = "le"

// errLabel says how a label is written.
var errLabel = errors.New("write it as NAME=VALUE, such as job=cdr-history: a name of letters, digits and _, and a value")

// ParseLabel reads NAME=VALUE.
func ParseLabel(text string) (Label, error) {
	name, value, found := strings.Cut(text, "=")
	if !found || value == "" || !utf8.ValidString(value) || !model.LegacyValidation.IsValidLabelName(name) {
		return Label{}, errLabel
	}
	return Label{Name: name, Value: value}, nil
}

// CheckLabels says which of the labels can't be given to series: those that some series
// has already, that Prometheus keeps for itself, and repeated ones.
func CheckLabels(labels []Label) error {
	taken := takenLabels()
	for i, l := range labels {
		switch {
		case strings.HasPrefix(l.Name, model.ReservedLabelPrefix):
			return fmt.Errorf("label %s: Prometheus keeps names that begin with %s for itself; give it another name", l.Name, model.ReservedLabelPrefix)
		case taken[l.Name]:
			return fmt.Errorf("label %s: the metrics have a label of that name; give it another name, such as job or instance", l.Name)
		case slices.ContainsFunc(labels[:i], func(o Label) bool { return o.Name == l.Name }):
			return fmt.Errorf("label %s is given twice; give it once", l.Name)
		}
	}
	return nil
}

// takenLabels are the labels of the metrics that come from records.
func takenLabels() map[string]bool {
	taken := map[string]bool{bucketLabel: true}
	for _, d := range metrics.Catalogue() {
		for _, name := range d.LabelNames() {
			taken[name] = true
		}
	}
	return taken
}

// appendLabels appends label pairs, each with a comma before it but for the first.
func appendLabels(dst []byte, names, values []string) []byte {
	for i, name := range names {
		if values[i] == "" {
			continue // to Prometheus a label without a value is none
		}
		if len(dst) > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, name+`="`+escape(values[i])+`"`...)
	}
	return dst
}

var escaper = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

// escape returns text as the format writes it.
func escape(text string) string { return escaper.Replace(strings.ToValidUTF8(text, "\uFFFD")) }
