package main

import (
	"bytes"
	"context"
	_ "embed" // The page's template and style.
	"fmt"
	"html/template"
	"strings"
)

//go:embed page.gohtml
var pageText string

//go:embed page.css
var pageStyle string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// panelView is a panel as the page has it. One that found nothing has none of the three.
type panelView struct {
	Title, Type string
	At          rectangle
	Stat        *statView
	Series      *seriesView
	Table       *tableView
}

// page draws a dashboard.
func (b *board) page(ctx context.Context, a *asker) ([]byte, error) {
	views := make([]panelView, len(b.Panels))
	for i := range b.Panels {
		p := &b.Panels[i]
		v := panelView{Title: p.Title, Type: p.Type, At: p.GridPos.place()}
		var err error
		switch p.Type {
		case typeStat:
			v.Stat, err = p.stat(ctx, a)
		case typeSeries:
			v.Series, err = p.series(ctx, a)
		case typeTable:
			v.Table, err = p.table(ctx, a)
		}
		if err != nil {
			return nil, fmt.Errorf("%s, %s: %w", b.name, p.Title, err)
		}
		views[i] = v
	}
	var page bytes.Buffer
	err := pageTemplate.Execute(&page, map[string]any{
		"Title": strings.TrimPrefix(b.Title, "CDR exporter / "), "Description": b.Description, "File": b.name + ".json",
		"Style": template.CSS(pageStyle), "Panels": views, "Width": pageWidth, "Height": b.height(),
		"Begin": a.begin().UTC().Format("15:04"), "End": a.now.UTC().Format("15:04"),
	})
	return page.Bytes(), err
}
