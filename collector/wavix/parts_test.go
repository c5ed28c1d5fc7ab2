package wavix

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// TestPartsComeLast: after both types of all days, whichever came first.
func TestPartsComeLast(t *testing.T) {
	fake := &fakeWavix{t: t, paths: generationC, rows: map[string][]listedRow{
		kindReceived: {{"2026-03-02", `{"date":"2026-03-02T10:00:00Z","uuid":"A","disposition":"failed"}`}},
		kindPlaced: {
			{"2026-03-01", `{"date":"2026-03-01T23:00:00Z","uuid":"B","parent_uuid":"A"}`},
			{"2026-03-02", `{"date":"2026-03-02T11:00:00Z","uuid":"C"}`},
		},
	}}
	got, err := ids(t.Context(), fake.open(callLogOnly, nil).Feeds[0].Reader, noon.Add(-24*time.Hour), noon)
	if want := []string{"placed:C", "received:A", "placed:B"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("read %q, want %q, error %v", got, want, err)
	}
}

// TestPartsWaitForAReadWithoutErrors: a read that fails may have missed their parents, so
// parts of days that were read wait for the next, though these days aren't read again, but
// no longer than maxWait. (The last page of a day is handed on again each time.)
func TestPartsWaitForAReadWithoutErrors(t *testing.T) {
	for _, test := range []struct {
		name  string
		fails func(at time.Time) bool
		want  []string
	}{
		{"until one succeeds", func(at time.Time) bool { return at.Before(noon.Add(20 * time.Minute)) }, []string{"", "", "received:A placed:B", "received:A placed:B"}},
		{"not for ever", func(time.Time) bool { return true }, []string{"", "", "", "placed:B"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			now := noon
			fake := &fakeWavix{t: t, paths: generationC, now: func() time.Time { return now }, rows: map[string][]listedRow{
				kindPlaced:   {{"2026-03-01", `{"date":"2026-03-01T23:00:00Z","uuid":"B","parent_uuid":"A"}`}},
				kindReceived: {{"2026-03-02", `{"date":"2026-03-02T00:01:00Z","uuid":"A","disposition":"failed"}`}},
			}}
			fake.wrong = func(r *http.Request, right answer) answer {
				if test.fails(now) && r.URL.Query().Get("from") == "2026-03-02" {
					return answer{status: http.StatusForbidden}
				}
				return right
			}
			reader := fake.open(callLogOnly, nil).Feeds[0].Reader
			for i, after := range []time.Duration{0, 10 * time.Minute, 30 * time.Minute, 61 * time.Minute} {
				now = noon.Add(after)
				got, err := ids(t.Context(), reader, noon.Add(-24*time.Hour), now)
				if wantErr := test.fails(now); wantErr != (httpclient.KindOf(err) == httpclient.KindForbidden) || strings.Join(got, " ") != test.want[i] {
					t.Errorf("after %s: read %q, want %q, error %v", after, got, test.want[i], err)
				}
			}
		})
	}
}
