package web_test

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/app/web"
	"github.com/cdr-exporter/cdr-exporter/internal/golden"
	"github.com/cdr-exporter/cdr-exporter/tools/storybook/stories"
)

func TestStatusJSON(t *testing.T) {
	for name, test := range map[string]struct {
		backend *stories.Backend
		golden  string
	}{
		"every state":    {stories.Everything(), "status.json"},
		"nothing at all": {stories.NoSource(), "empty.json"},
	} {
		t.Run(name, func(t *testing.T) {
			answer := ask(t, newHandler(t, test.backend), http.MethodGet, "/api/v1/status")
			if got := answer.Header().Get("Content-Type"); got != "application/json" {
				t.Errorf("got Content-Type %q", got)
			}
			golden.File(t, filepath.Join("testdata", test.golden), answer.Body.Bytes())
			var back web.Status
			if err := json.Unmarshal(answer.Body.Bytes(), &back); err != nil {
				t.Fatal(err)
			}
			again, err := json.MarshalIndent(back, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			if string(again)+"\n" != answer.Body.String() {
				t.Errorf("read and written again:\n%s", again)
			}
		})
	}
}

// The names are those of docs/operations.md, in its order.
func TestStatusFieldNames(t *testing.T) {
	for _, test := range []struct {
		of   any
		want string
	}{
		{web.Status{}, "version sources otlp"},
		{web.Source{}, "name provider feeds"},
		{web.Feed{}, "feed state watermark last_success records next_read last_error"},
		{web.OTLP{}, "outbox_records oldest state"},
	} {
		var names []string
		for field := range reflect.TypeOf(test.of).Fields() {
			name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
			if options == "" {
				names = append(names, name)
			}
		}
		if got := strings.Join(names, " "); !strings.HasPrefix(got+" ", test.want+" ") {
			t.Errorf("%T: got %s, want %s first", test.of, got, test.want)
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
