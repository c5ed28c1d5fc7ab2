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
	answer := ask(t, newHandler(t, exampleBackend()), http.MethodGet, "/api/v1/activity?from=10m")
	if got := answer.Header().Get("Content-Type"); answer.Code != http.StatusOK || got != "application/json" {
		t.Errorf("got %d %q", answer.Code, got)
	}
	checkGolden(t, "activity.json", answer.Body.String())
}

func TestActivityFrom(t *testing.T) {
	for name, test := range map[string]struct {
		query string
		from  time.Time // zero: refused
	}{
		"all that there is":  {"", now.Add(ActivityStep - ActivityKept)},
		"a duration ago":     {"?from=1h", now.Add(-time.Hour)},
		"now":                {"?from=0s", now},
		"within a span":      {"?from=7m", now.Add(-10 * time.Minute)},
		"a time":             {"?from=2026-03-29T13:31:00%2B02:00", now.Add(-30 * time.Minute)},
		"before what's kept": {"?from=2020-01-01T00:00:00Z", now.Add(ActivityStep - ActivityKept)},
		"to come":            {"?from=2026-03-29T13:00:00Z", now.Add(time.Hour)},
		"a day":              {"?from=2026-03-29", time.Time{}},
		"negative":           {"?from=-1h", time.Time{}},
		"anything":           {"?from=<script>zzmark", time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			answer := ask(t, newHandler(t, exampleBackend()), http.MethodGet, "/api/v1/activity"+test.query)
			if test.from.IsZero() {
				if answer.Code != http.StatusBadRequest || answer.Body.String() != errFrom.Error()+"\n" {
					t.Errorf("got %d %q", answer.Code, answer.Body)
				}
				return
			}
			var got activityAnswer
			if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if !time.Time(got.From).Equal(test.from) || got.StepSeconds != 300 {
				t.Errorf("got %v, want %v", time.Time(got.From), test.from)
			}
			for _, a := range got.Activity {
				if time.Time(a.Start).Before(test.from) {
					t.Fatalf("%v is before %v", time.Time(a.Start), test.from)
				}
			}
			if first := test.from.Before(now); first != (len(got.Activity) > 1) {
				t.Errorf("%d of them", len(got.Activity))
			}
		})
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
	if !strings.Contains(page.Body.String(), "The ledger can't be read at the moment") || strings.Contains(page.Body.String(), "No calls began") {
		t.Error("the page doesn't say that it doesn't know")
	}
	if answer := ask(t, handler, http.MethodGet, "/api/v1/activity"); answer.Code != http.StatusServiceUnavailable {
		t.Errorf("the JSON: %d", answer.Code)
	}
	if n := strings.Count(log.String(), "the disk is gone"); n != 2 {
		t.Errorf("logged %d times: %s", n, log.String())
	}
}

func FuzzParseFrom(f *testing.F) {
	for _, seed := range []string{"", "3h", "-1s", "2026-03-29T12:00:00Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59+23:59", "2562047h", "x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		from, err := parseFrom(text, now)
		if err == nil && (from.Before(oldestActivity(now)) || !from.Truncate(ActivityStep).Equal(from)) {
			t.Errorf("%q: %v", text, from)
		}
	})
}
