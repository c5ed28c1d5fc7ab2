package web

import (
	"bytes"
	"cmp"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
)

const (
	pathAssets = "/assets/"
	pathReload = "/-/reload"
)

// DefaultMetricsPath is where the metrics are unless Settings say otherwise.
const DefaultMetricsPath = "/metrics"

var (
	//go:embed page.html trunks.html feeds.html dailytotals.html chart.html
	pageFiles embed.FS
	pages     = template.Must(template.New("").Funcs(functions).ParseFS(pageFiles, "*.html"))

	// assets are the files that the page refers to.
	//go:embed page.css page.js icon.svg
	assets embed.FS
)

// policy is the page's Content-Security-Policy: only its own files, no inline style or script. The
// script writes no markup: trusted types.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"

// Backend is the program behind the handler. Its methods are safe for concurrent use and fast,
// Reload excepted. The caller doesn't change what they return.
type Backend interface {
	// Status is the present state, without the verdict.
	Status() Status
	// Activity is that since a time, in order of Start.
	Activity(ctx context.Context, from time.Time) ([]Activity, error)
	// Ready reports whether the ledger is open and every feed's history was read or has failed
	// once, and if not, what is missing.
	Ready() (ready bool, missing string)
	// Reload reads the configuration again. The error lists every problem, holds no secret, and
	// means that nothing has changed.
	Reload() error
}

// Settings are what Handler needs.
type Settings struct {
	// MetricsPath is where Metrics are served; empty: DefaultMetricsPath.
	MetricsPath string
	Metrics     http.Handler
	Backend     Backend
	// Demo says that the calls are simulated.
	Demo bool
	// Logger gets what can't be answered.
	Logger *slog.Logger
}

// surface answers requests with what the backend says. It has no state.
type surface struct {
	Settings

	routes map[string]http.Handler // all but reload are for GET and HEAD
}

// Handler serves exact paths, without redirects. It is safe for concurrent use. The error says that
// the metrics path is malformed or in use.
func Handler(settings Settings) (http.Handler, error) {
	s := &surface{Settings: settings}
	s.MetricsPath = cmp.Or(s.MetricsPath, DefaultMetricsPath)
	s.routes = map[string]http.Handler{
		"/":              http.HandlerFunc(s.statusPage),
		"/api/v1/status": http.HandlerFunc(s.statusJSON),
		"/-/healthy": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			answer(w, http.StatusOK, "Healthy.")
		}),
		"/-/ready": http.HandlerFunc(s.ready),
		pathReload: http.NewCrossOriginProtection().Handler(http.HandlerFunc(s.reload)),
	}
	for _, name := range []string{"page.css", "page.js", "icon.svg"} {
		s.routes[pathAssets+name] = http.StripPrefix(pathAssets, http.FileServerFS(assets))
	}
	if err := checkMetricsPath(s.MetricsPath, s.routes); err != nil {
		return nil, err
	}
	s.routes[s.MetricsPath] = s.Metrics
	return s, nil
}

// checkMetricsPath refuses a path that no request can have, or that is in use.
func checkMetricsPath(metrics string, routes map[string]http.Handler) error {
	if routes[metrics] != nil {
		return fmt.Errorf("telemetry path %q: is already in use; choose another, such as %s", metrics,
			DefaultMetricsPath)
	}
	parsed, err := url.Parse(metrics)
	if err != nil || parsed.Path != metrics || !strings.HasPrefix(metrics, "/") || path.Clean(metrics) != metrics {
		return fmt.Errorf("telemetry path %q: must be an absolute path without a slash at its end, query or "+
			"escapes, such as %s",
			metrics, DefaultMetricsPath)
	}
	return nil
}

// ServeHTTP implements http.Handler.
func (s *surface) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for name, value := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
		"Cache-Control": "no-store",
	} {
		setDefault(w.Header(), name, value)
	}
	methods := []string{http.MethodGet, http.MethodHead}
	if r.URL.Path == pathReload {
		methods = []string{http.MethodPost, http.MethodPut}
	}
	handler := s.routes[r.URL.Path]
	switch {
	case handler == nil:
		answer(w, http.StatusNotFound, "Not found.")
	case !slices.Contains(methods, r.Method):
		w.Header().Set("Allow", strings.Join(methods, ", "))
		answer(w, http.StatusMethodNotAllowed, "Method not allowed.")
	default:
		handler.ServeHTTP(w, r)
	}
}

// setDefault sets a header unless the web configuration file has set it.
func setDefault(header http.Header, name, value string) {
	if header.Get(name) == "" {
		header.Set(name, value)
	}
}

// answer writes text. Errors of the connection are ignored.
func answer(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = io.WriteString(w, text+"\n")
}

func (s *surface) ready(w http.ResponseWriter, _ *http.Request) {
	if ready, missing := s.Backend.Ready(); !ready {
		answer(w, http.StatusServiceUnavailable, "Not ready: "+missing)
		return
	}
	answer(w, http.StatusOK, "Ready.")
}

func (s *surface) reload(w http.ResponseWriter, _ *http.Request) {
	if err := s.Backend.Reload(); err != nil {
		answer(w, http.StatusInternalServerError, "The configuration was not changed:\n"+err.Error())
		return
	}
	answer(w, http.StatusOK, "The configuration was reloaded.")
}

// status asks the backend and judges the trunks.
func (s *surface) status() (status Status, rows []row) {
	status = s.Backend.Status()
	status.Verdict, rows = judge(status)
	status.Reconciliation = reconciliation(status)
	return status, rows
}

func (s *surface) statusJSON(w http.ResponseWriter, r *http.Request) {
	status, _ := s.status()
	body, err := json.MarshalIndent(status, "", "  ")
	if err != nil {
		s.failed(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(body, '\n'))
}

// statusPage answers /, without a chart if the activity can't be read.
func (s *surface) statusPage(w http.ResponseWriter, r *http.Request) {
	status, rows := s.status()
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second) // for the activity
	defer cancel()
	activity, err := s.Backend.Activity(ctx, status.Now.Add(-ActivityKept))
	if err != nil && r.Context().Err() == nil {
		s.Logger.WarnContext(ctx, "The activity can't be read from the ledger; the chart is left out", "err", err)
	}
	v := newView(status, rows, activity)
	v.MetricsPath, v.Demo, v.Chart.Unknown = s.MetricsPath, s.Demo, err != nil
	var body bytes.Buffer // so that an error can still be answered with 500
	if err := pages.ExecuteTemplate(&body, "page.html", v); err != nil {
		s.failed(w, r, err)
		return
	}
	setDefault(w.Header(), "Content-Security-Policy", policy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(body.Bytes())
}

// failed answers with 500. The path is one of ours, so it may be logged.
func (s *surface) failed(w http.ResponseWriter, r *http.Request, err error) {
	s.Logger.ErrorContext(r.Context(), "Answering a request failed.", "path", r.URL.Path, "err", err)
	answer(w, http.StatusInternalServerError, "Internal error; the log says why.")
}
