package dashboards

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/units"
)

// alerts is the table of what fires, each with its runbook. Prometheus writes both series itself, and gives them
// the labels of the alert.
func (b *board) alerts(t text) *table.PanelBuilder {
	keep := by("severity", "alertname", "source", "feed", "trunk", "direction")
	chosen := `alertname=~"CDR.*", severity!="none", source=~"$source|"`
	since := query{
		expr: fmt.Sprintf("1000 * %s (ALERTS_FOR_STATE{%s} and ignoring (alertstate) ALERTS{%s, "+
			"alertstate=\"firing\"})", across("min", keep), chosen, chosen),
		unit: units.DateTimeFromNow, by: keep, name: "Since",
	}
	p := b.table(t, since).NoValue("None fires.")
	p.OverrideByName(heading("alertname"), properties{linkTo("Runbook", b.RunbookURL+"${__value.raw}.md")})
	return p.CellHeight(common.TableCellHeightSm)
}
