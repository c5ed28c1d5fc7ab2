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

// The paths of the surface, beside that of the metrics.
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

// Backend is the program behind the surface. Its methods are called from several
// goroutines at once and should answer at once, Reload excepted.
type Backend interface {
	// Status is the present state. The caller doesn't change it.
	Status() Status
	// Activity is what began from a time on, in order of Start. The caller doesn't
	// change it.
	Activity(ctx context.Context, from time.Time) ([]Activity, error)
	// Ready tells whether the ledger is open and every feed's history has been
	// read or has failed at least once, and if not, what is missing.
	Ready() (ready bool, missing string)
	// Reload reads the configuration again. An error says every problem, holds no
	// secret and means that nothing has changed. Its context doesn't end when the
	// client goes away.
	Reload(ctx context.Context) error
}

// Settings are what Handler needs.
type Settings struct {
	// MetricsPath is where Metrics are served; empty: DefaultMetricsPath.
	MetricsPath string
	Metrics     http.Handler
	Backend     Backend
	// Logger is told of what can't be answered; nil: nobody is.
	Logger *slog.Logger
	// Version is shown where the Backend's Status has none.
	Version string
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// surface answers requests with what the backend says; it keeps no state.
type surface struct {
	Settings

	page *page
}

// Handler serves the surface: exact paths only, everything else is 404. It is an
// error if the metrics path is malformed or belongs to something else. The
// handler is safe for concurrent use.
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

// checkMetricsPath refuses a path that no request would find, or that another
// part of the surface has.
func checkMetricsPath(metrics string, routes router) error {
	if _, taken := routes[metrics]; taken {
		return fmt.Errorf("telemetry path %q: already serves something else; take another, such as %s", metrics, DefaultMetricsPath)
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

// readiness is the backend's, with a reason if and only if it isn't ready.
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
