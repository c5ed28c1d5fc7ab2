package web

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// ActivityStep is the length of time that an Activity covers, ActivityKept how far back they are shown.
const (
	ActivityStep = 5 * time.Minute
	ActivityKept = 24 * time.Hour
)

// activityTimeout bounds how long a request waits for the activity.
const activityTimeout = 2 * time.Second

// Activity is how many calls of a feed began in the five minutes from Start, whenever
// they were read, and how many of them have the outcome `failed`.
type Activity struct {
	Source   string `json:"source"`
	Provider string `json:"provider"`
	Feed     string `json:"feed"`
	Start    Time   `json:"start"`
	Calls    int64  `json:"calls"`
	Failures int64  `json:"failures"`
}

// activityAnswer is the answer of /api/v1/activity.
type activityAnswer struct {
	// From is the first start that could be in it, StepSeconds the length of each step.
	From        Time       `json:"from"`
	StepSeconds int64      `json:"step_seconds"`
	Activity    []Activity `json:"activity"`
}

// activityJSON answers /api/v1/activity?from=, in order of Start. From is a time or a duration ago; the default is ActivityKept ago.
func (s *surface) activityJSON(w http.ResponseWriter, r *http.Request) {
	from, err := parseFrom(r.URL.Query().Get("from"), s.Now())
	if err != nil {
		answer(w, http.StatusBadRequest, err.Error())
		return
	}
	all, err := s.activity(r, from)
	if err != nil {
		answer(w, http.StatusServiceUnavailable, "The ledger can't be read at the moment; the log says why.")
		return
	}
	s.writeJSON(w, r, activityAnswer{From: Time(from), StepSeconds: int64(ActivityStep / time.Second), Activity: append([]Activity{}, all...)})
}

// activity asks the backend, and logs its failure.
func (s *surface) activity(r *http.Request, from time.Time) ([]Activity, error) {
	ctx, cancel := context.WithTimeout(r.Context(), activityTimeout)
	defer cancel()
	all, err := s.Backend.Activity(ctx, from)
	if err != nil && r.Context().Err() == nil {
		s.Logger.WarnContext(ctx, "The activity can't be read from the ledger; the charts are left out.", "err", err)
	}
	return all, err
}

// errFrom doesn't repeat the request's text.
var errFrom = errors.New("from: must be a time such as 2026-03-29T12:00:00Z or a duration ago such as 3h")

// parseFrom rounds a time down to a step, and to what is kept.
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
	if from = from.UTC().Truncate(ActivityStep); from.Before(oldest) {
		return oldest, nil
	}
	return from, nil
}

// oldestActivity is the first step that is shown.
func oldestActivity(now time.Time) time.Time {
	return now.UTC().Truncate(ActivityStep).Add(ActivityStep - ActivityKept)
}
