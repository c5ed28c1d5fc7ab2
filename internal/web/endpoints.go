package web

import (
	"encoding/json"
	"net/http"
)

// healthy answers /-/healthy.
func (s *surface) healthy(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, "Healthy.")
}

// ready answers /-/ready.
func (s *surface) ready(w http.ResponseWriter, _ *http.Request) {
	if ready, missing := s.readiness(); !ready {
		answer(w, http.StatusServiceUnavailable, "Not ready: "+missing)
		return
	}
	answer(w, http.StatusOK, "Ready.")
}

// reload answers /-/reload. A client that hangs up doesn't cancel the reload.
func (s *surface) reload(w http.ResponseWriter, r *http.Request) {
	if err := s.Backend.Reload(); err != nil {
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

// statusPage answers /, without charts if the activity can't be read.
func (s *surface) statusPage(w http.ResponseWriter, r *http.Request) {
	status := s.status()
	activity, err := s.activity(r, oldestActivity(s.Now()))
	v := newView(status, choose(r.URL.Query(), status))
	if v.Charts.Unknown = err != nil; err == nil {
		v.Charts = chartsOf(status, v.Choice, activity)
	}
	body, err := s.page.render(v)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	setDefault(w.Header(), "Content-Security-Policy", policy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(body)
}

// failed answers with 500. The path is one of ours, so it may be logged.
func (s *surface) failed(w http.ResponseWriter, r *http.Request, err error) {
	s.Logger.ErrorContext(r.Context(), "Answering a request failed.", "path", r.URL.Path, "err", err)
	answer(w, http.StatusInternalServerError, "Internal error; the log says why.")
}
