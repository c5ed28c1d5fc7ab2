package dashboards

import "github.com/grafana/grafana-foundation-sdk/go/loki"

// logTarget is a query to Loki; a panel has one.
func logTarget(expr string, labels []string) *loki.DataqueryBuilder {
	return loki.NewDataqueryBuilder().
		Datasource(lokiSource()).
		EditorMode(loki.QueryEditorModeCode).
		Expr(expr).
		LegendFormat(legend(query{by: labels})).
		RefId(refID(0))
}
