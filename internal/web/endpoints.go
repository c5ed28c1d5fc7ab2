package web

import (
	"context"
	"encoding/json"
	"net/http"
)

// healthy says that the process answers.
func (s *surface) healthy(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, "Healthy.")
}

// ready says whether what is shown is whole yet.
func (s *surface) ready(w http.ResponseWriter, _ *http.Request) {
	if ready, missing := s.readiness(); !ready {
		answer(w, http.StatusServiceUnavailable, "Not ready: "+missing)
		return
	}
	answer(w, http.StatusOK, "Ready.")
}

// reload reads the configuration again. A client that hangs up doesn't stop it
// half-way: whoever asked twice would otherwise not know which file is in force.
func (s *surface) reload(w http.ResponseWriter, r *http.Request) {
	if err := s.Backend.Reload(context.WithoutCancel(r.Context())); err != nil {
		answer(w, http.StatusInternalServerError, "The configuration was not changed:\n"+err.Error())
		return
	}
	answer(w, http.StatusOK, "The configuration was reloaded.")
}

// statusJSON answers /api/v1/status.
func (s *surface) statusJSON(w http.ResponseWriter, r *http.Request) { s.writeJSON(w, r, s.status()) }

// writeJSON answers with a value.
func (s *surface) writeJSON(w http.ResponseWriter, r *http.Request, value any) {
	body, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		s.failed(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(body, '\n'))
}

// statusPage answers /. Its charts are left out if the activity can't be read.
func (s *surface) statusPage(w http.ResponseWriter, r *http.Request) {
	status := s.status()
	activity, err := s.activity(r, oldestActivity(s.Now()))
	shown := content{status: status, choice: choose(r.URL.Query(), status), activity: activity, inactive: err != nil}
	body, err := s.page.render(shown)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	setDefault(w.Header(), "Content-Security-Policy", policy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(body)
}

// failed answers a request that should have been answered. Its path is one of
// ours, so that it may be logged.
func (s *surface) failed(w http.ResponseWriter, r *http.Request, err error) {
	s.Logger.ErrorContext(r.Context(), "answering a request failed", "path", r.URL.Path, "err", err)
	answer(w, http.StatusInternalServerError, "This can't be shown; the log says why.")
}
