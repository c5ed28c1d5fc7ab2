package web_test

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/app/web"
	"github.com/cdr-exporter/cdr-exporter/internal/golden"
	"github.com/cdr-exporter/cdr-exporter/tools/storybook/stories"
)

// TestGoldens: the page and its JSON, of an incident with every state and of nothing at all.
func TestGoldens(t *testing.T) {
	for name, backend := range map[string]*stories.Backend{
		"status": stories.Everything(), "empty": stories.NoSource(),
	} {
		page, _ := statusPage(t, backend)
		golden.File(t, filepath.Join("testdata", name+".html"), []byte(page))
		answer := ask(t, newHandler(t, backend), http.MethodGet, "/api/v1/status")
		if got := answer.Header().Get("Content-Type"); got != "application/json" {
			t.Errorf("got Content-Type %q", got)
		}
		golden.File(t, filepath.Join("testdata", name+".json"), answer.Body.Bytes())
		again, err := json.MarshalIndent(statusOf(t, backend), "", "  ")
		if err != nil || string(again)+"\n" != answer.Body.String() {
			t.Errorf("read and written again: %v\n%s", err, again)
		}
	}
}

func TestTimeJSON(t *testing.T) {
	zone := time.FixedZone("", 2*3600)
	for name, test := range map[string]struct {
		time web.Time
		want string
	}{
		"zero":         {web.Time{}, `null`},
		"zero in zone": {web.Time{Time: time.Time{}.In(zone)}, `null`},
		"whole second": {web.Time{Time: time.Date(2026, 3, 29, 14, 0, 0, 0, zone)}, `"2026-03-29T12:00:00Z"`},
		"milliseconds": {
			web.Time{Time: time.Date(2026, 3, 29, 12, 0, 0, 123999999, time.UTC)}, `"2026-03-29T12:00:00.123Z"`,
		},
	} {
		got, err := json.Marshal(test.time)
		if err != nil || string(got) != test.want {
			t.Errorf("%s: got %s, %v, want %s", name, got, err, test.want)
		}
	}
	if _, err := json.Marshal(web.Time{Time: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}); err == nil {
		t.Error("year 10000: no error")
	}
}
