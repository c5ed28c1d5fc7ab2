// Package stories has prepared data for the status page: a Story for each verdict and edge state. Tests
// of the page use the stories and the functions that build them; Handler serves them to people.
package stories

import (
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"slices"

	"github.com/cdr-exporter/cdr-exporter/internal/app/web"
)

// Story is a page with prepared data.
type Story struct {
	Name    string // of its address, /NAME/
	About   string // one sentence: what it shows
	Backend *Backend
}

// All are the stories, new with each call.
func All() []Story { return slices.Concat(verdicts(), feeds(), totals(), surroundings(), sizes()) }

var index = template.Must(template.New("").Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Storybook of the status page</title>
<link rel="icon" href="./{{(index . 0).Name}}/assets/icon.svg" type="image/svg+xml">
</head>
<body>
<h1>Storybook of the status page</h1>
<ul>
{{- range .}}
<li><a href="./{{.Name}}/">{{.Name}}</a>: {{.About}}</li>
{{- end}}
</ul>
</body>
</html>
`))

// Handler serves an index at / and each story at /NAME/. The logger gets what pages log.
func Handler(logger *slog.Logger) (http.Handler, error) {
	all, mux := All(), http.NewServeMux()
	for _, s := range all {
		page, err := web.Handler(web.Settings{Metrics: http.HandlerFunc(noMetrics), Backend: s.Backend, Logger: logger})
		if err != nil {
			return nil, err
		}
		mux.Handle("/"+s.Name+"/", http.StripPrefix("/"+s.Name, page))
	}
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = index.Execute(w, all) // only a lost connection makes it fail
	})
	return mux, nil
}

func noMetrics(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, "# A story has no metrics.\n")
}
