package web

import (
	"errors"
	"net/http"
	"time"
)

// activityAnswer is what /api/v1/activity answers.
type activityAnswer struct {
	// From is the first start that could be in it, StepSeconds how long each span is.
	From        Time       `json:"from"`
	StepSeconds int64      `json:"step_seconds"`
	Activity    []Activity `json:"activity"`
}

// activityJSON answers /api/v1/activity?from=: calls by the time when they began, in
// order of their start. From is a time or a duration ago; without it, all that there is.
func (s *surface) activityJSON(w http.ResponseWriter, r *http.Request) {
	now := s.Now()
	from, err := parseFrom(r.URL.Query().Get("from"), now)
	if err != nil {
		answer(w, http.StatusBadRequest, err.Error())
		return
	}
	all, err := s.activity(r)
	if err != nil {
		answer(w, http.StatusServiceUnavailable, "The ledger can't say this now; the log says why.")
		return
	}
	body := activityAnswer{From: Time(from), StepSeconds: int64(ActivityStep / time.Second), Activity: []Activity{}}
	for _, a := range all {
		if !time.Time(a.Start).Before(from) {
			body.Activity = append(body.Activity, a)
		}
	}
	s.writeJSON(w, r, body)
}

// errFrom repeats nothing of the request.
var errFrom = errors.New("from: must be a time such as 2026-03-29T12:00:00Z or a duration ago such as 3h")

// parseFrom is the first whole span from a time on, none older than what is kept.
func parseFrom(text string, now time.Time) (time.Time, error) {
	oldest := oldestActivity(now)
	if text == "" {
		return oldest, nil
	}
	from, err := time.Parse(time.RFC3339, text)
	if err != nil {
		ago, err := time.ParseDuration(text)
		if err != nil || ago < 0 {
			return time.Time{}, errFrom
		}
		from = now.Add(-ago)
	}
	from = from.UTC().Truncate(ActivityStep)
	if from.Before(oldest) {
		return oldest, nil
	}
	return from, nil
}

// activity is what the backend counted lately. That it can't say is logged.
func (s *surface) activity(r *http.Request) ([]Activity, error) {
	all, fresh, err := s.recent.get(r.Context())
	if err != nil && fresh {
		s.Logger.WarnContext(r.Context(), "The activity of the last hours can't be read; the charts are left out.", "err", err)
	}
	return all, err
}
