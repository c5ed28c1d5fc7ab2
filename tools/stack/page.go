package main

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/cdr-exporter/cdr-exporter/tools/stack/parts"
)

//go:embed page.html page.css page.js
var files embed.FS

var page = template.Must(template.ParseFS(files, "page.html"))

// snapshot is what was found by asking all parts.
type snapshot struct {
	Alerts  []alert
	Figures []figure
	// Problem is why something isn't known; empty: all is.
	Problem string
}

// look asks all parts.
func (s *stack) look(ctx context.Context) (shot snapshot) {
	var noAlerts, noFigures error
	shot.Alerts, noAlerts = s.allAlerts(ctx)
	shot.Figures, noFigures = s.figures(ctx)
	if err := errors.Join(s.running(), noAlerts, noFigures); err != nil {
		shot.Problem = err.Error()
	}
	return shot
}

// view is what the page's template shows.
type view struct {
	snapshot

	Trunk, Metrics, Prometheus, Alertmanager string
	Speed, Killed                            int
	// Failing and Held are since when, in words; empty: not now.
	Failing, Held string
	// Live says that alerts on calls have waited long enough since the start.
	Live bool
	// State is one line for who listens.
	State string
	// Ours are the alerts of the trunk that the page lets fail, Others the rest.
	Ours, Others []alert
}

// Exact says that all numbers agree.
func (v *view) Exact() bool {
	for i := range v.Figures {
		if !v.Figures[i].Exact() {
			return false
		}
	}
	return len(v.Figures) > 0
}

// serve serves the page until the context ends.
func (s *stack) serve(ctx context.Context, address string, out io.Writer) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("listen for the page: %w", err)
	}
	server := &http.Server{Handler: s.handler(ctx), ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	fmt.Fprintf(out, "Look at http://%s/ and let a trunk fail. Ctrl-C ends everything.\n", listener.Addr())
	select {
	case <-ctx.Done():
		err = nil
	case err = <-failed:
	}
	_ = server.Close()
	return err
}

// handler serves the page. What changes something is a form of the page itself.
func (s *stack) handler(ctx context.Context) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { s.render(w, s.look(r.Context())) })
	for _, name := range []string{"page.css", "page.js"} {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, files, name) })
	}
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	for path, act := range s.actions() {
		mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
			if err := act(ctx); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			http.Redirect(w, r, "/", http.StatusSeeOther)
		})
	}
	return http.NewCrossOriginProtection().Handler(mux)
}

func (s *stack) render(w http.ResponseWriter, shot snapshot) {
	var body bytes.Buffer
	if err := page.Execute(&body, s.view(shot)); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Security-Policy",
		"default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	_, _ = body.WriteTo(w)
}

func (s *stack) view(shot snapshot) *view {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := &view{
		snapshot: shot, Trunk: trunk, Metrics: "http://" + s.metrics, Prometheus: s.prometheus.Base, Alertmanager: s.alerts.Base,
		Speed: s.speed, Killed: s.killed, Failing: since(s.failedSince), Held: since(s.heldSince),
		Live: time.Since(s.began) > liveAfter/time.Duration(s.speed)+10*time.Second,
	}
	v.State = "The trunk works."
	if v.Failing != "" {
		v.State = "The trunk fails."
	}
	for _, a := range shot.Alerts {
		if !a.ours {
			v.Others = append(v.Others, a)
			continue
		}
		v.Ours = append(v.Ours, a)
		if a.Prometheus == parts.Firing {
			v.State += " " + a.Name + " fires."
		}
	}
	if v.Held != "" && v.Exact() {
		v.State += " All numbers agree."
	}
	return v
}

// liveAfter is for how long a feed must have been read until alerts on its calls are on.
const liveAfter = 7 * time.Minute

// since is a time of day; empty for none.
func since(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.Format("15:04:05")
}
