package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"
)

// The paths beside that of the metrics.
const (
	pathPage     = "/"
	pathStyle    = "/assets/page.css"
	pathScript   = "/assets/page.js"
	pathIcon     = "/assets/icon.svg"
	pathHealthy  = "/-/healthy"
	pathReady    = "/-/ready"
	pathReload   = "/-/reload"
	pathStatus   = "/api/v1/status"
	pathActivity = "/api/v1/activity"
)

// DefaultMetricsPath is where the metrics are unless Settings say otherwise.
const DefaultMetricsPath = "/metrics"

// Backend is the program behind the handler. Its methods are safe for concurrent use and fast, Reload excepted. The caller
// doesn't change what they return.
type Backend interface {
	// Status is the present state.
	Status() Status
	// Activity is that since a time, in order of Start.
	Activity(ctx context.Context, from time.Time) ([]Activity, error)
	// Ready reports whether the ledger is open and every feed's history has been
	// read or has failed at least once, and if not, what is missing.
	Ready() (ready bool, missing string)
	// Reload reads the configuration again. The error lists every problem, holds no
	// secret, and means that nothing has changed.
	Reload() error
}

// Settings are what Handler needs.
type Settings struct {
	// MetricsPath is where Metrics are served; empty: DefaultMetricsPath.
	MetricsPath string
	Metrics     http.Handler
	Backend     Backend
	// Logger gets what can't be answered; nil: nothing is logged.
	Logger *slog.Logger
	// Version is shown if the Backend's Status has none.
	Version string
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// surface answers requests with what the backend says. It has no state.
type surface struct {
	Settings

	page *page
}

// Handler serves exact paths; everything else is 404. The error says that the metrics
// path is malformed or in use. The handler is safe for concurrent use.
func Handler(settings Settings) (http.Handler, error) {
	settings = settings.withDefaults()
	if settings.Metrics == nil || settings.Backend == nil {
		return nil, errors.New("make web handler: metrics and a backend are needed")
	}
	page, err := newPage(settings.MetricsPath)
	if err != nil {
		return nil, fmt.Errorf("make web handler: %w", err)
	}
	s := &surface{Settings: settings, page: page}
	reload := http.NewCrossOriginProtection().Handler(http.HandlerFunc(s.reload))
	routes := router{
		pathPage:     read(http.HandlerFunc(s.statusPage)),
		pathStatus:   read(http.HandlerFunc(s.statusJSON)),
		pathActivity: read(http.HandlerFunc(s.activityJSON)),
		pathHealthy:  read(http.HandlerFunc(s.healthy)),
		pathReady:    read(http.HandlerFunc(s.ready)),
		pathReload:   {handler: reload, methods: []string{http.MethodPost, http.MethodPut}},
	}
	for path, a := range assets() {
		routes[path] = read(a)
	}
	if err := checkMetricsPath(settings.MetricsPath, routes); err != nil {
		return nil, err
	}
	routes[settings.MetricsPath] = read(settings.Metrics)
	return routes, nil
}

func (s Settings) withDefaults() Settings {
	if s.MetricsPath == "" {
		s.MetricsPath = DefaultMetricsPath
	}
	if s.Logger == nil {
		s.Logger = slog.New(slog.DiscardHandler)
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	return s
}

// checkMetricsPath refuses a path that no request can have, or that is in use.
func checkMetricsPath(metrics string, routes router) error {
	if _, taken := routes[metrics]; taken {
		return fmt.Errorf("telemetry path %q: is already in use; choose another, such as %s", metrics, DefaultMetricsPath)
	}
	parsed, err := url.Parse(metrics)
	if err != nil || parsed.Path != metrics || !strings.HasPrefix(metrics, "/") || path.Clean(metrics) != metrics {
		return fmt.Errorf("telemetry path %q: must be an absolute path without a slash at its end, query or escapes, such as %s",
			metrics, DefaultMetricsPath)
	}
	return nil
}

// status asks the backend and adds what the handler knows.
func (s *surface) status() Status {
	status := s.Backend.Status().complete()
	if status.Version == "" {
		status.Version = s.Version
	}
	status.Now = Time(s.Now())
	status.Ready, status.NotReady = s.readiness()
	return status
}

// readiness is the backend's, with a reason if it isn't ready.
func (s *surface) readiness() (ready bool, missing string) {
	ready, missing = s.Backend.Ready()
	switch {
	case ready:
		return true, ""
	case missing == "":
		return false, "starting"
	default:
		return false, missing
	}
}
