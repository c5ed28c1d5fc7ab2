package web

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// activityTimeout bounds how long a request waits for the activity.
const activityTimeout = 2 * time.Second

// healthy answers /-/healthy.
func (s *surface) healthy(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, "Healthy.")
}

// ready answers /-/ready.
func (s *surface) ready(w http.ResponseWriter, _ *http.Request) {
	if ready, missing := s.Backend.Ready(); !ready {
		answer(w, http.StatusServiceUnavailable, "Not ready: "+missing)
		return
	}
	answer(w, http.StatusOK, "Ready.")
}

// reload answers /-/reload.
func (s *surface) reload(w http.ResponseWriter, _ *http.Request) {
	if err := s.Backend.Reload(); err != nil {
		answer(w, http.StatusInternalServerError, "The configuration was not changed:\n"+err.Error())
		return
	}
	answer(w, http.StatusOK, "The configuration was reloaded.")
}

// status asks the backend and adds what the handler knows, and the trunks, judged.
func (s *surface) status() (Status, []row) {
	status := s.Backend.Status()
	status.Version, status.Now = s.Version, Time(s.Now())
	status.Ready, status.NotReady = s.Backend.Ready()
	var rows []row
	status.Verdict, rows = judge(status)
	return status, rows
}

// statusJSON answers /api/v1/status.
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

// activity asks the backend, and logs its failure.
func (s *surface) activity(r *http.Request) ([]Activity, error) {
	ctx, cancel := context.WithTimeout(r.Context(), activityTimeout)
	defer cancel()
	all, err := s.Backend.Activity(ctx, s.Now().Add(-ActivityKept))
	if err != nil && r.Context().Err() == nil {
		s.Logger.WarnContext(ctx, "The activity can't be read from the ledger; the chart is left out.", "err", err)
	}
	return all, err
}

// statusPage answers /, without a chart if the activity can't be read.
func (s *surface) statusPage(w http.ResponseWriter, r *http.Request) {
	status, rows := s.status()
	activity, err := s.activity(r)
	v := newView(status, rows, activity)
	v.MetricsPath, v.Chart.Unknown = s.MetricsPath, err != nil
	var body bytes.Buffer // so that an error can still be answered with 500
	if err := s.template.ExecuteTemplate(&body, "page.html", v); err != nil {
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
