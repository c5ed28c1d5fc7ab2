package web

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/monitoring/thresholds"
)

// now is the clock of the tests.
var now = time.Date(2026, time.March, 29, 12, 0, 0, 0, time.UTC)

// fakeBackend says what a test wants it to.
type fakeBackend struct {
	status   Status
	notReady string
	reload   func() error
	activity func(ctx context.Context, from time.Time) ([]Activity, error)
}

func (b *fakeBackend) Status() Status {
	status := b.status
	status.Version, status.Now = "1.2.3", Time{now}
	status.Ready, status.NotReady = b.Ready()
	return status
}

func (b *fakeBackend) Ready() (bool, string) { return b.notReady == "", b.notReady }

func (b *fakeBackend) Reload() error {
	if b.reload == nil {
		return nil
	}
	return b.reload()
}

func (b *fakeBackend) Activity(ctx context.Context, from time.Time) ([]Activity, error) {
	if b.activity == nil {
		return nil, nil
	}
	return b.activity(ctx, from)
}

// exampleBackend shows everything there is.
func exampleBackend() *fakeBackend {
	return &fakeBackend{status: exampleStatus(), activity: exampleActivity}
}

// exampleActivity is that of three feeds, one of which began to fail.
func exampleActivity(_ context.Context, from time.Time) ([]Activity, error) {
	var all []Activity
	for start := from; start.Before(now); start = start.Add(ActivityStep) {
		n := int64(start.Sub(from) / ActivityStep)
		failures := int64(0)
		if now.Sub(start) <= 30*time.Minute {
			failures = n / 10
		}
		all = append(all,
			Activity{Start: start, Calls: 10 + n%7},
			Activity{Start: start, Calls: n, Failures: failures},
		)
	}
	if !from.After(now) {
		all = append(all, Activity{Start: now, Calls: 1, Failures: 1})
	}
	return all, nil
}

// ago is an instant before now; a negative length is one to come.
func ago(d time.Duration) Time { return Time{now.Add(-d)} }

// quietTrunk had its last call some days ago.
func quietTrunk() attempts {
	t := trunk("", "cccoc")
	t.direction, t.newest = cdr.Inbound, 60*time.Hour
	return t
}

// exampleStatus has every state and every kind of gap.
func exampleStatus() Status {
	return Status{
		Thresholds: thresholds.Default(),
		Sources: []Source{
			{Name: "contoso", Provider: "msgraph", Subscription: &Subscription{
				Feed:    "call_records",
				Expires: ago(-42 * time.Hour), LastNotification: ago(time.Minute),
			}, Feeds: []Feed{
				{
					Feed: "pstn", State: StateOK, Watermark: ago(6 * time.Minute), LastSuccess: ago(42 * time.Second),
					Records: 1234567, NextRead: ago(-258 * time.Second), NewestCall: ago(2 * time.Minute), Series: 312,
					Trunks: counted("contoso", "pstn", operator("Colt", good),
						operator("Telia", good[:40]+strings.Repeat("o", 24))),
				},
				{
					Feed: "direct_routing", State: StateCatchingUp, Watermark: ago(26*time.Hour + 5*time.Minute),
					LastSuccess: ago(3500 * time.Millisecond), Records: 98765, NextRead: ago(0), Series: 1010,
					SeriesOverflow: 56,
					Trunks: counted("contoso", "direct_routing", trunk("sbc2.example.com", good),
						failing("sbc1.example.com", bad, 27*time.Hour)),
				},
				{
					Feed: "call_records", State: StateOK, Watermark: ago(time.Minute), LastSuccess: ago(time.Second),
					Records:  5,
					NextRead: ago(-time.Second), Waiting: new(1200), SetAside: new(3),
				},
			}},
			{Name: "fabrikam", Provider: "msgraph", Feeds: []Feed{
				{
					Feed: "pstn", State: StateThrottled, Watermark: ago(50 * time.Hour),
					LastSuccess: ago(48 * time.Hour),
					Records:     999, NextRead: ago(-2 * time.Hour),
					LastError: "429 Too Many Requests",
				},
				{
					Feed: "direct_routing", State: StateError,
					LastError: `403 Forbidden: the application lacks <CallRecords.Read.All> & "consent"`,
					Advice: "Grant CallRecords.Read.All as an application permission, then have an " +
						"administrator consent.",
				},
			}},
			{
				Name: "office", Provider: "ringcentral",
				Budget: &Budget{
					Group: "heavy", Limit: 10, Remaining: new(3), WindowSeconds: 60,
					FrozenUntil: ago(-33 * time.Second),
				},
				Feeds: []Feed{
					{
						Feed: "call_log", State: StateOK, Watermark: ago(time.Minute), LastSuccess: ago(time.Minute),
						Records:  12,
						NextRead: ago(-time.Second),
						Trunks: counted("office", "call_log", failing("", good[:50]+"cfffccfoccfcof", time.Minute),
							quietTrunk()),
					},
					{
						Feed: "active_calls", State: StateOK, Watermark: ago(30 * time.Second),
						LastSuccess: ago(30 * time.Second),
						Snapshot:    true, InProgress: new(7),
					},
				},
			},
			{
				Name: "wave", Provider: "wavix", Budget: &Budget{Limit: 1200, WindowSeconds: 60},
				Feeds: []Feed{{Feed: "call_log", State: StateOK, Books: []Book{
					{
						Day: "2026-03-28", Records: 41203, Late: 12, Revised: 3,
						Charges: map[string]string{"EUR": "812.5", "USD": "1"},
						Total: &DayTotal{
							Records: 41203, Read: 41203, Charges: "813", Currency: "EUR",
							ChargesDiffer: true,
						},
					},
					{
						Day: "2026-03-27", Records: 40000,
						Audit: &DayAudit{Began: ago(time.Hour), Listed: 40002, Missing: 2, Differs: true},
					},
					{Day: "2026-03-26"},
				}}},
			},
		},
		OTLP: OTLP{
			OutboxRecords: 12000, Oldest: ago(90 * time.Minute), State: OTLPError,
			LastError: "503 Service Unavailable",
		},
		Ledger: Ledger{SizeBytes: 123456789, Series: 1467, SeriesOverflow: 56},
	}
}

// quiet is a log that nobody reads.
var quiet = slog.New(slog.DiscardHandler)

// newHandler is the handler under test, with metrics that say "metrics".
func newHandler(t *testing.T, backend Backend) http.Handler {
	t.Helper()
	handler, err := Handler(Settings{
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_,
				_ = io.WriteString(w, "metrics\n")
		}),
		Backend: backend, Logger: quiet,
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
