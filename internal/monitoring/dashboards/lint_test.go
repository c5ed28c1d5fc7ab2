package dashboards

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// The rules of Grafana's dashboard linter, by its names for them, and what else a
// dashboard owes its readers. That PromQL is valid is seen by TestE2EQueries.

// logPanel is the kind of panel that has no unit.
const logPanel = "logs"

// panelsOf are the panels that aren't rows.
func panelsOf(d *Built) []*dashboard.Panel {
	var all []*dashboard.Panel
	for _, p := range d.Panels {
		if p.Panel != nil {
			all = append(all, p.Panel)
		}
	}
	return all
}

// TestDashboards: uneditable-dashboard, template-datasource-rule, and tags and links.
func TestDashboards(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range built(t) {
		if d.Editable == nil || *d.Editable {
			t.Errorf("%s can be edited", d.File)
		}
		if seen[*d.Uid] || len(*d.Uid) < 8 || len(*d.Uid) > 40 {
			t.Errorf("%s: the uid %s isn't its own, or not of 8 to 40 characters", d.File, *d.Uid)
		}
		seen[*d.Uid] = true
		if !slices.Contains(d.Tags, tag) || len(d.Links) == 0 || !slices.Contains(d.Links[0].Tags, tag) {
			t.Errorf("%s has no tag, or doesn't link to the others", d.File)
		}
		if *d.Title == "" || *d.Description == "" {
			t.Errorf("%s says nothing of itself", d.File)
		}
		for _, v := range d.Templating.List {
			if v.Type != dashboard.VariableTypeDatasource {
				continue
			}
			kind := *v.Query.String
			name, label := kind+"_datasource", strings.ToUpper(kind[:1])+kind[1:]+" data source"
			if v.Name != name || *v.Label != label {
				t.Errorf("%s: the data source %s (%s) should be %s (%s)", d.File, v.Name, *v.Label, name, label)
			}
		}
	}
}

// TestVariables: template-job-rule, template-instance-rule,
// template-on-time-change-reload-rule, and that each describes itself.
func TestVariables(t *testing.T) {
	for _, d := range built(t) {
		want := []string{prometheusVariable, "job", "instance", "source", "provider"}
		switch d.File {
		case "exporter.json": // its metrics have no provider
			want = []string{prometheusVariable, "job", "instance", "source"}
		case "calls.json": // asks Loki
			want = []string{lokiVariable, prometheusVariable, "service_name", "source", "provider", "trunk"}
		case "trunks.json":
			want = append(want, "feed", "trunk")
		}
		var names []string
		for _, v := range d.Templating.List {
			names = append(names, v.Name)
			checkVariable(t, d.File, &v)
		}
		if len(names) < len(want) || !slices.Equal(names[:len(want)], want) {
			t.Errorf("%s has the variables %v, want first %v", d.File, names, want)
		}
	}
}

func checkVariable(t *testing.T, file string, v *dashboard.VariableModel) {
	t.Helper()
	if v.Label == nil || *v.Label == "" || v.Description == nil || *v.Description == "" || v.Current == nil {
		t.Errorf("%s: the variable %s has no label, no description or no value", file, v.Name)
	}
	if v.Type != dashboard.VariableTypeQuery {
		return
	}
	if *v.Refresh != dashboard.VariableRefreshOnTimeRangeChanged {
		t.Errorf("%s: the variable %s isn't asked again when the time changes", file, v.Name)
	}
	if uid := *v.Datasource.Uid; uid != *prometheusSource().Uid && uid != *lokiSource().Uid {
		t.Errorf("%s: the variable %s asks %s", file, v.Name, uid)
	}
	if v.Name != "job" && v.Name != "instance" {
		return
	}
	if !*v.Multi || *v.AllValue != ".+" || !strings.EqualFold(*v.Label, v.Name) {
		t.Errorf("%s: %s should take several values, have the all value .+ and be called so", file, v.Name)
	}
}

// TestVariableQueries: the metric of each exists, and has the label.
func TestVariableQueries(t *testing.T) {
	query := regexp.MustCompile(`^label_values\((\w+)(\{.*\})?, (\w+)\)$`)
	for _, d := range built(t) {
		for _, v := range d.Templating.List {
			if v.Type != dashboard.VariableTypeQuery || *v.Datasource.Uid != *prometheusSource().Uid {
				continue
			}
			found := query.FindStringSubmatch(*v.Query.String)
			if found == nil {
				t.Errorf("%s: %s isn't understood", d.File, *v.Query.String)
				continue
			}
			def := catalogued(found[1])
			if def == nil || !slices.Contains(append(def.LabelNames(), "job", "instance"), found[3]) {
				t.Errorf("%s: %s asks for a label that isn't there", d.File, *v.Query.String)
			}
		}
	}
}

// TestPanels: panel-title-description-rule, panel-units-rule, panel-datasource-rule,
// panel-no-targets-rule.
func TestPanels(t *testing.T) {
	for _, d := range built(t) {
		seen := map[string]bool{}
		for _, p := range panelsOf(&d) {
			name := d.File + ": " + *p.Title
			if *p.Title == "" || seen[*p.Title] {
				t.Errorf("%s: the title isn't its own", name)
			}
			seen[*p.Title] = true
			if p.Description == nil || !strings.HasSuffix(*p.Description, ".") {
				t.Errorf("%s: no description, or no sentence", name)
			}
			if p.Type != logPanel && (p.FieldConfig.Defaults.Unit == nil || *p.FieldConfig.Defaults.Unit == "") {
				t.Errorf("%s has no unit", name)
			}
			want := *prometheusSource().Uid
			if d.File == "calls.json" {
				want = *lokiSource().Uid
			}
			if p.Datasource == nil || *p.Datasource.Uid != want {
				t.Errorf("%s doesn't ask %s", name, want)
			}
			if len(p.Targets) == 0 {
				t.Errorf("%s asks nothing", name)
			}
		}
	}
}

// TestGrid: no two panels have one id or lie on each other, and none leaves the grid.
func TestGrid(t *testing.T) {
	for _, d := range built(t) {
		taken := map[[2]uint32]string{}
		ids := map[uint32]bool{}
		for _, p := range d.Panels {
			id, at, name := place(p)
			if ids[id] || id == 0 {
				t.Errorf("%s: the id %d of %s isn't its own", d.File, id, name)
			}
			ids[id] = true
			if at.X+at.W > columns || at.W == 0 || at.H == 0 {
				t.Errorf("%s: %s leaves the grid: %+v", d.File, name, at)
			}
			for x := at.X; x < at.X+at.W; x++ {
				for y := at.Y; y < at.Y+at.H; y++ {
					if other, ok := taken[[2]uint32{x, y}]; ok {
						t.Fatalf("%s: %s lies on %s", d.File, name, other)
					}
					taken[[2]uint32{x, y}] = name
				}
			}
		}
	}
}

// place is where a panel or a row is.
func place(p dashboard.PanelOrRowPanel) (id uint32, at dashboard.GridPos, title string) {
	if p.RowPanel != nil {
		return p.RowPanel.Id, *p.RowPanel.GridPos, *p.RowPanel.Title
	}
	return *p.Panel.Id, *p.Panel.GridPos, *p.Panel.Title
}

// selectors finds metrics with their matchers.
var (
	selectors = regexp.MustCompile(`\b([a-z_:][a-zA-Z0-9_:]*)\{([^}]*)\}`)
	ranges    = regexp.MustCompile(`\b(rate|irate|increase|\w+_over_time)` +
		`\(\s*\w+\{[^}]*\}\[([^\]]*)\](?: offset -?1[hw])?\s*\)`)
	bare   = regexp.MustCompile(`\b(?:cdr|process|go)_[a-z_]+\b`)
	quoted = regexp.MustCompile(`"[^"]*"`)
)

// TestTargets: target-job-rule, target-instance-rule, target-rate-interval-rule,
// target-counter-agg-rule, and that every metric is of the catalogue, as it is.
func TestTargets(t *testing.T) {
	for _, target := range targets(t) {
		if target.Log {
			continue
		}
		if strings.Contains(target.Expr, "ALERTS{") {
			continue // Prometheus's own, which have the labels of alerts
		}
		if err := checkTarget(target.Expr); err != nil {
			t.Errorf("%s, %s: %v in %s", target.Dashboard, target.Panel, err, target.Expr)
		}
	}
}

func checkTarget(expr string) error {
	found := selectors.FindAllStringSubmatch(expr, -1)
	if names := bare.FindAllString(quoted.ReplaceAllString(expr, ""), -1); len(names) != len(found) || len(found) == 0 {
		return fmt.Errorf("a metric has no matchers: %v", names)
	}
	for _, f := range found {
		matchers := strings.Split(strings.ReplaceAll(f[2], ", ", ","), ",")
		if !slices.Contains(matchers, `job=~"$job"`) || !slices.Contains(matchers, `instance=~"$instance"`) {
			return fmt.Errorf("%s isn't narrowed by job and instance", f[1])
		}
		def := catalogued(f[1])
		if def == nil {
			return fmt.Errorf("%s isn't in the catalogue", f[1])
		}
		for _, m := range matchers {
			label, _, _ := strings.Cut(m, "=")
			if label == "le" && strings.HasSuffix(f[1], "_bucket") {
				continue
			}
			if !slices.Contains(append(def.LabelNames(), "job", "instance"), strings.TrimSuffix(label, "!")) {
				return fmt.Errorf("%s has no label %s", f[1], label)
			}
		}
	}
	asked := ranges.FindAllStringSubmatch(expr, -1)
	for _, a := range asked {
		if want := map[string]string{"rate": "$__rate_interval", "increase": "$__range"}[a[1]]; a[2] != want {
			return fmt.Errorf("%s over %s", a[1], a[2])
		}
	}
	counters := 0
	for _, f := range found {
		if def := catalogued(f[1]); def.Kind != metrics.Gauge {
			counters++
		}
	}
	if counters != len(asked) {
		return fmt.Errorf("%d counters and histograms, but %d rates", counters, len(asked))
	}
	return nil
}

// catalogued is the definition of a series, nil if there is none.
func catalogued(series string) *metrics.Def {
	for _, d := range append(slices.Concat(metrics.Catalogue(), metrics.SelfCatalogue()), processStart) {
		if d.Name == series {
			return d
		}
		if d.Kind != metrics.Histogram {
			continue
		}
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			if d.Name+suffix == series {
				return d
			}
		}
	}
	return nil
}
