package web

import (
	"context"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files")

// now is the clock of the tests.
var now = time.Date(2026, time.March, 29, 12, 0, 0, 0, time.UTC)

// fakeBackend says what a test wants it to.
type fakeBackend struct {
	status   Status
	notReady string
	reload   func(context.Context) error
}

func (b *fakeBackend) Status() Status        { return b.status }
func (b *fakeBackend) Ready() (bool, string) { return b.notReady == "", b.notReady }

func (b *fakeBackend) Reload(ctx context.Context) error {
	if b.reload == nil {
		return nil
	}
	return b.reload(ctx)
}

// ago is an instant before now; a negative length is one to come.
func ago(d time.Duration) Time { return Time(now.Add(-d)) }

// exampleStatus has every state and every kind of gap.
func exampleStatus() Status {
	return Status{
		Sources: []Source{
			{Name: "contoso", Provider: "msgraph", Feeds: []Feed{
				{
					Feed: "pstn", State: StateOK, Watermark: ago(6 * time.Minute), LastSuccess: ago(42 * time.Second),
					Records: 1234567, NextRead: ago(-258 * time.Second),
				},
				{
					Feed: "direct_routing", State: StateCatchingUp, Watermark: ago(26*time.Hour + 5*time.Minute),
					LastSuccess: ago(3500 * time.Millisecond), Records: 98765, NextRead: ago(0),
				},
			}},
			{Name: "fabrikam", Provider: "msgraph", Feeds: []Feed{
				{
					Feed: "pstn", State: StateThrottled, Watermark: ago(50 * time.Hour), LastSuccess: ago(48 * time.Hour),
					Records: 999, NextRead: ago(-2 * time.Hour),
					LastError: "429 Too Many Requests", LastErrorAt: ago(61 * time.Minute),
				},
				{
					Feed: "direct_routing", State: StateError,
					LastError: `403 Forbidden: the application lacks <CallRecords.Read.All> & "consent"`,
					Advice:    "Grant CallRecords.Read.All as an application permission, then have an administrator consent.",
				},
			}},
		},
		OTLP: OTLP{
			OutboxRecords: 12000, Oldest: ago(90 * time.Minute), State: OTLPError,
			LastError: "503 Service Unavailable", Advice: "It is tried again.",
		},
	}
}

// newHandler is the handler under test, with metrics that say "metrics".
func newHandler(t *testing.T, backend Backend) http.Handler {
	t.Helper()
	handler, err := Handler(Settings{
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "metrics\n") }),
		Backend: backend, Version: "1.2.3", Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	return handler
}

// ask sends one request and returns the answer.
func ask(t *testing.T, handler http.Handler, method, target string) *httptest.ResponseRecorder {
	t.Helper()
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), method, target, nil))
	return answer
}

// checkGolden compares with a file of testdata, or writes it.
func checkGolden(t *testing.T, name, got string) {
	t.Helper()
	name = filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("not as %s (go test -update writes it):\n%s", name, got)
	}
}
