package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// fields are the fields of definitions that labels come from, where these aren't called the same.
var fields = map[string][]string{
	"reason": {"outcome", "sip_code"}, "fault_domain": {"outcome", "sip_code"}, "connected": {"outcome"},
	"component": {"amount"}, "sign": {"amount"}, "result": {"queue_result"}, "leg_type": {"party"},
}

// measured are the fields of definitions that the amounts of metrics are taken from.
var measured = map[*metrics.Def]string{
	metrics.CallCharges: "amount", metrics.ChargeCorrections: "amount", metrics.CallDuration: "duration",
	metrics.ConnectedSeconds: "duration", metrics.TrunkSeconds: "duration", metrics.QueueWait: "queue_wait",
	metrics.CallSetup: "answer",
}

// because says which value of the row made a record part of the series: for each label that the selector asks for, else
// for the outcome or the first label; and for what was measured.
func (s *Selector) because(d *metrics.Delta, f *facts.Fact) string {
	labels := s.asked()
	if len(labels) == 0 && len(s.Def.Labels) > 0 {
		labels = []string{s.Def.Labels[0].Name}
		if s.Def.Index("outcome") >= 0 {
			labels[0] = "outcome"
		}
	}
	var texts []string
	for _, label := range labels {
		texts = append(texts, fmt.Sprintf("%s=%q %s", label, s.value(d.LabelValues(), label), origin(f, label)))
	}
	if field := measured[s.Def]; field != "" {
		if o := originOf(f.Record, field); o != nil {
			texts = append(texts, field+" "+originText(o))
		}
	}
	if n := len(f.Record.Legs); n > 1 && f.New > 0 {
		texts = append(texts, fmt.Sprintf("a call of %d legs", n))
	}
	return strings.Join(texts, "; ")
}

// originOf is where a record has a field from; nil: it isn't known.
func originOf(r *cdr.Record, field string) *cdr.Origin {
	at := slices.IndexFunc(r.Origins, func(o cdr.Origin) bool { return o.Field == field })
	if at < 0 {
		return nil
	}
	return &r.Origins[at]
}

// origin says where a label's value is from.
func origin(f *facts.Fact, label string) string {
	r := f.Record
	of := fields[label]
	if of == nil {
		of = []string{label}
	}
	for _, field := range of {
		if o := originOf(r, field); o != nil {
			return originText(o)
		}
	}
	switch label {
	case "reason", "fault_domain", "outcome":
		if !r.SIPCode.Known {
			break
		}
		text := "by the table of SIP codes, from "
		if label == "outcome" {
			text = "with the SIP code "
		}
		text += fmt.Sprint(r.SIPCode.Value)
		if r.SubCode.Known {
			text += fmt.Sprintf(" and %d", r.SubCode.Value)
		}
		return text
	case "country", "number_class":
		return "by the other party's number"
	case "currency":
		return "as the row or its source says"
	}
	if r.Labels.Value(label) != "" {
		return "by the configuration's labels"
	}
	return "as the record says"
}

func originText(o *cdr.Origin) string {
	text := "from"
	if o.Table {
		text = "by a table, from"
	}
	if o.Value != "" {
		text += fmt.Sprintf(" %q,", o.Value)
	}
	return text + " " + o.Where
}
