package rules

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// An alert that keeps the operator's labels (alert_labels) judges each of their values by itself. The series that it
// reads are recorded a second time, with the labels. Series that can't have the labels, such as the last attempts of
// a trunk, cover the whole trunk.

var keptLabel = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// labelled are the recorded series that can have the operator's labels, since all that they are made of has them,
// in their order.
func labelled(recording []Group) (all []Rule) {
	for r := range rulesOf(recording...) {
		if !slices.ContainsFunc(series(parse(r.Expr)), func(s string) bool { return !hasLabels(s, all) }) {
			all = append(all, *r)
		}
	}
	return all
}

// hasLabels says whether a metric or one of these recorded series can have the operator's labels.
func hasLabels(series string, recorded []Rule) bool {
	return slices.ContainsFunc(recorded, func(r Rule) bool { return r.Record == series }) ||
		slices.ContainsFunc(metrics.Catalogue(), func(d *metrics.Def) bool {
			return d.OperatorLabels && !d.OfStreams && d.Name == series
		})
}

// readLabelled makes an expression read those of these recorded series that have labels.
func readLabelled(expr string, labels []string, recorded []Rule) parser.Expr {
	return replaceVectors(parse(expr), func(vector parser.Expr, of *parser.VectorSelector) parser.Expr {
		if isRecorded(of.Name) && hasLabels(of.Name, recorded) {
			rename(of, strings.Join(labels, "_")+"_"+of.Name)
		}
		return vector
	})
}

// recordLabels are the series that the alerts read which keep labels, a group for each set of labels.
func (p *Parameters) recordLabels(recording []Group) (groups []Group) {
	if len(p.AlertLabels) == 0 {
		return nil
	}
	recorded, read := labelled(recording), make(map[string][]string) // series by the labels of their alerts
	for r := range rulesOf(p.alerting()...) {
		list := strings.Join(p.AlertLabels[r.Alert], ", ")
		read[list] = append(read[list], series(parse(r.Expr))...)
	}
	delete(read, "")
	for _, list := range slices.Sorted(maps.Keys(read)) {
		labels := strings.Split(list, ", ")
		g := Group{Name: "cdr-by-" + strings.Join(labels, "-"), Doc: "What alerts read that keep the labels " +
			list + "."}
		wanted := read[list]
		for _, r := range slices.Backward(recorded) {
			if !slices.Contains(wanted, r.Record) {
				continue
			}
			wanted = append(wanted, series(parse(r.Expr))...)
			expr := readLabelled(r.Expr, labels, recorded)
			editGroupings(expr, func(by []string) []string { return slices.Concat(labels, by) }, slices.Clone)
			g.Rules = append(g.Rules, Rule{
				Record: strings.Join(labels, "_") + "_" + r.Record, Doc: r.Doc,
				Expr: expr.String(),
			})
		}
		slices.Reverse(g.Rules)
		groups = append(groups, g)
	}
	return groups
}

// keepLabels makes alerts keep their labels.
func (p *Parameters) keepLabels(alerting []Group) []Group {
	if len(p.AlertLabels) == 0 {
		return alerting
	}
	recorded := labelled(p.recording())
	for r := range rulesOf(alerting...) {
		if labels := p.AlertLabels[r.Alert]; len(labels) > 0 {
			r.Expr = readLabelled(r.Expr, labels, recorded).String()
			for _, l := range labels {
				r.Summary += "{{ with $labels." + l + " }} It is about " + strings.ReplaceAll(l, "_", " ") +
					" {{ . }}.{{ end }}"
			}
		}
	}
	return alerting
}

// canKeepLabels are the alerts whose value has the operator's labels.
func (p *Parameters) canKeepLabels() (names []string) {
	recorded := labelled(p.recording())
	for a := range rulesOf(p.alerting()...) {
		if hasLabelledValue(parse(a.Expr), recorded) {
			names = append(names, a.Alert)
		}
	}
	return names
}

// hasLabelledValue says whether samples of an expression can have the operator's labels. The right side of "and" and
// "unless" gives none.
func hasLabelledValue(n parser.Node, recorded []Rule) bool {
	children := parser.Children(n)
	switch n := n.(type) {
	case *parser.VectorSelector:
		return isRecorded(n.Name) && hasLabels(n.Name, recorded)
	case *parser.BinaryExpr:
		if n.Op == parser.LAND || n.Op == parser.LUNLESS {
			children = children[:1]
		}
	}
	return slices.ContainsFunc(children, func(c parser.Node) bool { return hasLabelledValue(c, recorded) })
}

// validateAlertLabels reports alerts that can't keep labels, and invalid names of labels.
func (p *Parameters) validateAlertLabels(r *config.Report) {
	if len(p.AlertLabels) == 0 {
		return
	}
	can := p.canKeepLabels()
	for alert, labels := range p.AlertLabels {
		if !slices.Contains(can, alert) {
			r.Problemf("alert_labels", "%q can't keep labels of calls; these alerts can: %s", alert,
				strings.Join(can, ", "))
		}
		if slices.ContainsFunc(labels, func(l string) bool { return !keptLabel.MatchString(l) }) {
			r.Problemf("alert_labels", "must be labels of the configuration by alert, such as CDRFailureSpike: "+
				"[department], %s: %v isn't", alert, labels)
		}
	}
}

// UnknownLabels are those that alerts keep and the configuration doesn't have.
func (p *Parameters) UnknownLabels() (unknown []string) {
	for _, l := range slices.Concat(slices.Collect(maps.Values(p.AlertLabels))...) {
		if !slices.Contains(p.Labels, l) && !slices.Contains(unknown, l) {
			unknown = append(unknown, l)
		}
	}
	slices.Sort(unknown)
	return unknown
}
