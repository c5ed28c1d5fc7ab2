package sim

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// Graph accepts only its own tokens, with the scheme Bearer.
func TestAuthorisation(t *testing.T) {
	server, err := Start(Settings{})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	token := server.issue()
	for name, c := range map[string]struct {
		header string
		want   int
	}{
		"none":        {"", http.StatusUnauthorized},
		"no scheme":   {token, http.StatusUnauthorized},
		"an unknown":  {"Bearer x", http.StatusUnauthorized},
		"with scheme": {"Bearer " + token, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
			r.Header.Set("Authorization", c.header)
			got := 0
			if refusal := server.authorise(r); refusal != nil {
				got = refusal.Status
			}
			if got != c.want {
				t.Errorf("HTTP %d, want %d", got, c.want)
			}
		})
	}
}

// TestListedRecordsAreFoundByID: if a listed record couldn't be found, Totals would count it, but
// no exporter could. Trunks that fail change a call's outcome.
func TestListedRecordsAreFoundByID(t *testing.T) {
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r := NewCallRecords(CallRecordSettings{
		Calls:  simulator.NewWorld(LiveCalls(6, begin, 0.001)),
		Routed: simulator.NewWorld(simulator.Live(2, DirectRoutingMix(), begin, 1)), RoutedShare: 0.02,
		Versions: QuickVersions(),
	})
	at := begin.AddDate(0, 0, 7)
	rows, _ := r.list(span{begin.UnixMilli(), at.UnixMilli()}, position{}, at, 100_000)
	if len(rows) < 5000 {
		t.Fatalf("%d records are listed, too few to say something", len(rows))
	}
	for i := range rows {
		var p recordPlan
		if !r.find(rows[i].id, &p) || p.place != rows[i].place {
			t.Errorf("the record of call %d, which is %s, isn't found by its id", rows[i].call.Number,
				rows[i].kind.Wire)
		}
	}
}
