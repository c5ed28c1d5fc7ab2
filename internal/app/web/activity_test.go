package web_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/app/web"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/tools/storybook/stories"
)

// Without the activity the page is there all the same, and the log says why.
func TestActivityThatCannotBeRead(t *testing.T) {
	var log bytes.Buffer
	backend := stories.Everything()
	backend.OnActivity = func(context.Context, time.Time) ([]web.Activity, error) {
		return nil, errors.New("the disk is gone")
	}
	handler, err := web.Handler(web.Settings{
		Metrics: http.NotFoundHandler(), Backend: backend, Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	require.NoError(t, err)
	page := ask(t, handler, http.MethodGet, "/")
	if page.Code != http.StatusOK || !strings.Contains(page.Body.String(), "1,234,567") ||
		strings.Contains(page.Body.String(), `class="axis"`) {
		t.Errorf("the page: %d", page.Code)
	}
	if !strings.Contains(page.Body.String(), "The ledger can't be read at the moment") ||
		strings.Contains(page.Body.String(), "No calls started") {
		t.Error("the page doesn't say that it doesn't know")
	}
	if n := strings.Count(log.String(), "the disk is gone"); n != 1 {
		t.Errorf("logged %d times: %s", n, log.String())
	}
}
