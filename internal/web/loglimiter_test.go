package web

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A flood of one level writes some lines, then one now and then that says how many
// were left out, and takes nothing of the other levels.
func TestLimitLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		handler := slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})
		logger := LimitLog(slog.New(handler)).With("part", "webhook")
		for range 10 * logBurst {
			logger.Debug("called")
		}
		if got := strings.Count(out.String(), "msg=called part=webhook"); got != logBurst {
			t.Errorf("%d lines at once, want %d", got, logBurst)
		}
		out.Reset()
		logger.Warn("full")
		if got := out.String(); !strings.Contains(got, "msg=full") || strings.Contains(got, "lines_omitted") {
			t.Errorf("another level: %q", got)
		}
		out.Reset()
		<-time.After(logInterval)
		logger.WithGroup("g").Debug("called")
		if want := fmt.Sprintf("g.%s=%d", "lines_omitted", 9*logBurst); !strings.Contains(out.String(), want) {
			t.Errorf("later: %q, want %s", out.String(), want)
		}
		out.Reset()
		logger.Log(t.Context(), slog.LevelError+1, "of a level of its own")
		if out.Len() == 0 {
			t.Error("a level that isn't ours isn't written")
		}
	})
	LimitLog(nil).Error("nobody is told")
}
