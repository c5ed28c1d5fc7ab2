package main

import (
	"bytes"
	"context"
	_ "embed" // embeds the page
	"errors"
	"html/template"
	"net/http"
	"slices"
	"time"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Parse(pageText))

type snapshot struct {
	Trunk, Metrics, Prometheus, Alertmanager string
	Speed, Killed                            int
	// FailedSince and HeldSince are zero while the trunk works and calls are published.
	FailedSince, HeldSince time.Time
	Alerts                 []alert
	Figures                []figure
	// Problem is why something is unknown; nil if all is known.
	Problem error
}

// Exact says that all numbers agree.
func (s *snapshot) Exact() bool {
	return len(s.Figures) > 0 && !slices.ContainsFunc(s.Figures, func(f figure) bool {
		return f.Simulator != f.Exporter || f.Exporter != f.Prometheus
	})
}

func (s *stack) look(ctx context.Context) *snapshot {
	alerts, noAlerts := s.allAlerts(ctx)
	figures, noFigures := s.figures(ctx)
	problem := errors.Join(s.running(), noAlerts, noFigures)
	s.mu.Lock()
	defer s.mu.Unlock()
	return &snapshot{
		Trunk: trunk, Metrics: "http://" + s.metrics, Prometheus: s.prometheus.Base, Alertmanager: s.alerts.Base,
		Speed: s.speed, Killed: s.killed,
		FailedSince: s.failedSince, HeldSince: s.heldSince, Alerts: alerts, Figures: figures, Problem: problem,
	}
}

// handler serves the page. Every change comes from a form of the page itself.
func (s *stack) handler(ctx context.Context) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { render(w, s.look(r.Context())) })
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

func render(w http.ResponseWriter, shot *snapshot) {
	var body bytes.Buffer
	if err := page.Execute(&body, shot); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = body.WriteTo(w)
}
