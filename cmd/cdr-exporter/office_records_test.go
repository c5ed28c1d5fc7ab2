package main_test

import (
	"strings"
	"testing"
	"time"

	rcsim "github.com/cdr-exporter/cdr-exporter/collector/ringcentral/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// recorded are the recordings in JSON lines of calls, by their ids.
func recorded(t *testing.T, lines string) map[string]map[string]any {
	t.Helper()
	all := make(map[string]map[string]any)
	for _, object := range objects(t, lines) {
		list, _ := object["recordings"].([]any)
		for _, one := range list {
			r, _ := one.(map[string]any)
			key, _ := r["id"].(string)
			all[key] = r
		}
	}
	return all
}

// TestRecordsWithRecordings: --recordings asks once for each recording of what it prints, never for
// its content. Without the permission for recordings, each one is reported with a remedy, and the calls
// are printed.
func TestRecordsWithRecordings(t *testing.T) {
	t.Parallel()
	at := newSite(t)
	now := time.Now()
	o := newOffice(t, at, rcsim.Settings{Account: world(t,
		rcsim.Historical(121, rcsim.Mix(), now.Add(-70*time.Hour), now.Add(-50*time.Hour), 150))})
	config := at.configureSources(settings{}, o.item())
	run := func(more ...string) (map[string]map[string]any, *exporter) {
		x := at.over(config, now.Add(-72*time.Hour), now, append([]string{
			"records", "--source=" + o.name, "--feed=call_log", "--output=jsonl",
		}, more...)...)
		return recorded(t, x.out.String()), x
	}
	lengths := make(map[float64]int) // of the recordings
	recordings := 0
	eachCall(o.world, o.Now(), func(_ *simulator.Call, v *simulator.Version) {
		if v.Recorded {
			recordings++
			lengths[v.Duration.Truncate(time.Second).Seconds()]++
		}
	})
	asked := func() int { return answers(o.Requests(), rcsim.EndpointRecording) }
	if got, _ := run(); len(got) != 0 || asked() != 0 {
		t.Errorf("without the flag %d recordings are printed, %d asked for", len(got), asked())
	}
	got, x := run("--recordings")
	if len(got) != recordings || recordings == 0 || asked() != recordings {
		t.Errorf("%d recordings are printed and %d asked for, want %d", len(got), asked(), recordings)
	}
	if strings.Contains(x.out.String(), "media.") {
		t.Error("where the content is, is printed")
	}
	for id, r := range got {
		length, _ := r["duration_seconds"].(float64)
		if lengths[length]--; lengths[length] < 0 || r["content_type"] != "audio/mpeg" ||
			r["type"] != "automatic" && r["type"] != "on_demand" {
			t.Errorf("recording %s is %v", id, r)
		}
	}

	o.SetPermissions(rcsim.ReadCallLog, rcsim.FullCompanyCallLog)
	got, x = run("--recordings")
	if len(got) != recordings || !strings.Contains(x.log.String(), "ReadCallRecording") {
		t.Errorf("without the permission %d recordings are printed, want %d: %s", len(got), recordings, x.log)
	}
	for id, r := range got {
		if r["content_type"] != nil || r["duration_seconds"] != nil || r["type"] == nil ||
			lineWith(x.log.String(), id) == "" {
			t.Errorf("recording %s is %v, or isn't reported", id, r)
		}
	}
}
