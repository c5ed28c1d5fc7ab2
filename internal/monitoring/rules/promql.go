package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

var promql = parser.NewParser(parser.Options{})

// parse reads PromQL that this package or internal/monitoring/dashboards wrote.
func parse(expr string) parser.Expr {
	parsed, err := promql.ParseExpr(expr)
	if err != nil {
		panic(fmt.Sprintf("a rule isn't PromQL: %v\n%s", err, expr))
	}
	return parsed
}

// series are the names of all series that an expression reads.
func series(expr parser.Expr) (names []string) {
	parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
		if v, ok := n.(*parser.VectorSelector); ok {
			names = append(names, v.Name)
		}
		return nil
	})
	return names
}

// rename makes a vector read another series.
func rename(v *parser.VectorSelector, name string) {
	for _, m := range v.LabelMatchers {
		if m.Name == model.MetricNameLabel {
			m.Value = name
		}
	}
	v.Name = name
}

// isRecorded says whether a series was made by a rule: level:metric:operation.
func isRecorded(series string) bool { return strings.Contains(series, ":") }

// prependMatchers adds matchers to the series of an expression that no rule recorded.
func prependMatchers(expr parser.Expr, matchers []*labels.Matcher) {
	parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
		v, ok := n.(*parser.VectorSelector)
		if ok && !isRecorded(v.Name) && v.Name != alertSeries {
			v.LabelMatchers = slices.Concat(matchers, v.LabelMatchers)
		}
		return nil
	})
}

// alertSeries is what Prometheus records of alerts. It has the labels of the alert, none of the scrape.
const alertSeries = "ALERTS"

// editGroupings changes the labels of each by and each on.
func editGroupings(expr parser.Expr, by, on func(labels []string) []string) {
	parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
		switch n := n.(type) {
		case *parser.AggregateExpr:
			if len(n.Grouping) > 0 && !n.Without {
				n.Grouping = by(n.Grouping)
			}
		case *parser.BinaryExpr:
			if n.VectorMatching != nil && n.VectorMatching.On {
				n.VectorMatching.MatchingLabels = on(n.VectorMatching.MatchingLabels)
			}
		}
		return nil
	})
}

// replaceVectors replaces each vector of an expression: a series, or a function of a range of one.
func replaceVectors(
	expr parser.Expr, replace func(vector parser.Expr, of *parser.VectorSelector) parser.Expr,
) parser.Expr {
	into := func(e parser.Expr) parser.Expr { return replaceVectors(e, replace) }
	switch e := expr.(type) {
	case *parser.VectorSelector:
		return replace(e, e)
	case *parser.Call:
		for i, argument := range e.Args {
			if m, ok := argument.(*parser.MatrixSelector); ok {
				//nolint:forcetypeassert // the parser's promise
				return replace(e, m.VectorSelector.(*parser.VectorSelector))
			}
			e.Args[i] = into(argument)
		}
	case *parser.AggregateExpr:
		e.Expr = into(e.Expr)
	case *parser.BinaryExpr:
		e.LHS, e.RHS = into(e.LHS), into(e.RHS)
	case *parser.ParenExpr:
		e.Expr = into(e.Expr)
	case *parser.UnaryExpr:
		e.Expr = into(e.Expr)
	case *parser.SubqueryExpr:
		e.Expr = into(e.Expr)
	}
	return expr
}
