package app

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// office is the source of most of these tests.
var office = notifyingSource{"office", "a", "/webhooks/office"}

// listen are settings with a listener for notifications.
func listen(file string, p *acme) Settings {
	return Settings{
		ConfigFile: file, ListenAddresses: []string{"127.0.0.1:0"}, WebhookAddresses: []string{"127.0.0.1:0"},
		Providers: []collector.Provider{p.provider()},
	}
}

// startWith starts a daemon until the test ends.
func startWith(t *testing.T, settings Settings) *App {
	t.Helper()
	a, err := New(t.Context(), settings)
	require.NoError(t, err)
	t.Cleanup(func() {
		if err := a.Stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	require.NoError(t, a.Start())
	return a
}

// post sends a notification and returns the answer.
func post(t *testing.T, url, body string) (int, string) {
	t.Helper()
	code, text, err := tryPost(t.Context(), &http.Transport{DisableKeepAlives: true}, url, body)
	require.NoError(t, err)
	return code, text
}

func tryPost(ctx context.Context, transport *http.Transport, url, body string) (int, string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	answer, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(text), err
}

// awaitRest waits until the list isn't due for long.
func awaitRest(t *testing.T, a *App) {
	t.Helper()
	await(t, "nothing is due", func() bool {
		return time.Until(feedOf(statusOf(t, a), "records").NextRead.Time) > 10*time.Minute
	})
}

// WebhookAddr is the address of the first listener for notifications.
func (a *App) WebhookAddr() string { return a.webhooks.port.Listeners[0].Addr().String() }

// hookURL is where a source's notifications go.
func hookURL(a *App, s notifyingSource) string { return "http://" + a.WebhookAddr() + s.path }

// newRows is the metric line for n new rows.
func newRows(n int) string {
	return fmt.Sprintf(`cdr_exporter_rows_total{feed="records",result="new",source="office"} %d`, n)
}
