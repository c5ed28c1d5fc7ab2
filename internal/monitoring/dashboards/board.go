package dashboards

import (
	"errors"
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"

	"github.com/cdr-exporter/cdr-exporter/internal/monitoring/rules"
)

// columns is the width of Grafana's grid.
const columns = 24

// tag marks all dashboards, which are linked by it.
const tag = "cdr-exporter"

// titlePrefix stands before every title: Grafana sorts and searches by title.
const titlePrefix = "CDR exporter / "

type board struct {
	*rules.Parameters

	name    string
	builder *dashboard.DashboardBuilder
	// filters are the variables that narrow every query whose metric has the label.
	filters []string
	// x and y are the place of the next panel, and bottom is the lower end of the present row.
	x, y, bottom uint32
	panels       uint32
	annotations  []annotation
	problems     []error
}

// annotation is a query for events as Grafana's Prometheus data source reads it; the SDK doesn't know the fields here.
type annotation struct {
	dashboard.AnnotationQuery
	TitleFormat string `json:"titleFormat"`
	TextFormat  string `json:"textFormat"`
	// UseValueForTime says that a series' value is when its event was, in milliseconds.
	UseValueForTime bool `json:"useValueForTime"`
}

// annotate marks events in every course.
func (b *board) annotate(name, colour, title, words, expr string, valueIsTime bool) {
	q, err := dashboard.NewAnnotationQueryBuilder().Name(name).Datasource(prometheusSource()).IconColor(colour).
		Expr(expr).Build()
	if err != nil {
		b.problem("annotation %s: %w", name, err)
	}
	q.Placement = nil // the SDK's default hides its switch in a menu
	b.annotations = append(b.annotations, annotation{q, title, words, valueIsTime})
}

// newBoard begins a dashboard. Its name is the file's name and part of its uid.
func newBoard(p *rules.Parameters, name, title, description, from string) *board {
	b := &board{Parameters: p, name: name}
	b.builder = dashboard.NewDashboardBuilder(titlePrefix+title).
		Uid(uid(name)).
		Description(description).
		Tags([]string{tag}).
		Readonly().
		Tooltip(dashboard.DashboardCursorSyncCrosshair).
		Time(from, "now").
		Refresh("1m").
		Timezone("browser").
		Annotations(nil).
		Link(dashboard.NewDashboardLinkBuilder("CDR exporter").
			Type(dashboard.DashboardLinkTypeDashboards).
			Tags([]string{tag}).
			AsDropdown(true).
			IncludeVars(true).
			KeepTime(true).
			Tooltip("The other dashboards, for the same time and the same choice").
			Icon("external link"))
	return b
}

// uid is a dashboard's own; links lead there.
func uid(name string) string { return tag + "-" + name }

// problem notes what is wrong; build returns it.
func (b *board) problem(format string, args ...any) {
	b.problems = append(b.problems, fmt.Errorf("%s: "+format, append([]any{b.name}, args...)...))
}

func (b *board) row(title string) {
	b.panels++
	b.x, b.y = 0, max(b.y, b.bottom)
	at := dashboard.GridPos{X: 0, Y: b.y, W: columns, H: 1}
	b.builder.WithRow(dashboard.NewRowBuilder(title).Id(b.panels).GridPos(at))
	b.y++
	b.bottom = b.y
}

// add puts a panel to the right of the last one, or below if the row is full.
func (b *board) add(width, height uint32, p panel) {
	b.panels++
	if b.x+width > columns {
		b.x, b.y = 0, b.bottom
	}
	built, err := p.Build()
	if err != nil {
		b.problem("panel %d: %w", b.panels, err)
		return
	}
	id := b.panels
	built.Id = &id
	built.GridPos = &dashboard.GridPos{X: b.x, Y: b.y, W: width, H: height}
	b.builder.WithPanel(finished{built})
	b.x += width
	b.bottom = max(b.bottom, b.y+height)
}

// panel is what the foundation SDK builds a panel from.
type panel = cog.Builder[dashboard.Panel]

// finished is a panel that has its place.
type finished struct{ panel dashboard.Panel }

func (f finished) Build() (dashboard.Panel, error) { return f.panel, nil }

func (b *board) build() (dashboard.Dashboard, error) {
	if err := errors.Join(b.problems...); err != nil {
		return dashboard.Dashboard{}, err
	}
	d, err := b.builder.Build()
	if err != nil {
		return dashboard.Dashboard{}, fmt.Errorf("%s: %w", b.name, err)
	}
	for _, p := range d.Panels {
		if p.Panel == nil {
			continue
		}
		for i, asked := range p.Panel.Targets {
			if q, ok := asked.(prometheus.Dataquery); ok {
				q.Expr = b.Resolve(q.Expr)
				p.Panel.Targets[i] = q
			}
		}
	}
	for i := range d.Links {
		d.Links[i].Placement = nil // the SDK's default hides them in a menu
	}
	return d, nil
}
