package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestActivityJSON(t *testing.T) {
	var asked time.Time
	backend := &fakeBackend{activity: func(_ context.Context, from time.Time) ([]Activity, error) {
		asked = from
		return []Activity{{Source: "contoso", Provider: "msgraph", Feed: "pstn", Start: Time(now), Calls: 10, Failures: 2}}, nil
	}}
	answer := ask(t, newHandler(t, backend), http.MethodGet, "/api/v1/activity")
	if got := answer.Header().Get("Content-Type"); answer.Code != http.StatusOK || got != "application/json" {
		t.Errorf("got %d %q", answer.Code, got)
	}
	want := `{"from":"2026-03-28T12:05:00Z","step_seconds":300,"activity":[{"source":"contoso","provider":"msgraph","feed":"pstn",` +
		`"start":"2026-03-29T12:00:00Z","calls":10,"failures":2}]}`
	var got bytes.Buffer
	if err := json.Compact(&got, answer.Body.Bytes()); err != nil || got.String() != want {
		t.Errorf("got %s, %v, want %s", got.String(), err, want)
	}
	if want := now.Add(ActivityStep - ActivityKept); !asked.Equal(want) {
		t.Errorf("asked for what began since %v, want %v", asked, want)
	}
}

// Without the activity the page is there all the same, and the log says why.
func TestActivityThatCannotBeRead(t *testing.T) {
	var log bytes.Buffer
	backend := &fakeBackend{status: exampleStatus(), activity: func(context.Context, time.Time) ([]Activity, error) {
		return nil, errors.New("the disk is gone")
	}}
	handler, err := Handler(Settings{
		Metrics: http.NotFoundHandler(), Backend: backend, Logger: slog.New(slog.NewTextHandler(&log, nil)), Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	page := ask(t, handler, http.MethodGet, "/")
	if page.Code != http.StatusOK || !strings.Contains(page.Body.String(), "1,234,567") || strings.Contains(page.Body.String(), "<svg") {
		t.Errorf("the page: %d", page.Code)
	}
	if !strings.Contains(page.Body.String(), "The ledger can't be read at the moment") || strings.Contains(page.Body.String(), "No calls started") {
		t.Error("the page doesn't say that it doesn't know")
	}
	if answer := ask(t, handler, http.MethodGet, "/api/v1/activity"); answer.Code != http.StatusServiceUnavailable {
		t.Errorf("the JSON: %d", answer.Code)
	}
	if n := strings.Count(log.String(), "the disk is gone"); n != 2 {
		t.Errorf("logged %d times: %s", n, log.String())
	}
}
