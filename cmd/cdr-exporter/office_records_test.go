package main_test

import (
	"bytes"
	"encoding/csv"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	rcsim "github.com/cdr-exporter/cdr-exporter/collector/ringcentral/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// recorded are the calls of JSON lines that list recordings, by the recording's id.
func recorded(t *testing.T, lines string) map[string]map[string]any {
	t.Helper()
	all := make(map[string]map[string]any)
	for id, object := range objects(t, lines) {
		list, ok := object["recordings"].([]any)
		if object["recordings"] != nil && (!ok || len(list) == 0) {
			t.Errorf("recordings of %s are %v", id, object["recordings"])
		}
		for _, one := range list {
			r, _ := one.(map[string]any)
			key, _ := r["id"].(string)
			all[key] = r
		}
	}
	return all
}

// TestRecordsWithRecordings: --recordings asks once for each recording of what it prints, never for
// its content; what can't be printed so says why. Without the permission for recordings, each one is
// reported with a remedy, and the calls are printed.
func TestRecordsWithRecordings(t *testing.T) {
	t.Parallel()
	at := newSite(t)
	now := time.Now()
	o := newOffice(t, at, rcsim.Settings{Account: world(t,
		rcsim.Historical(121, rcsim.Mix(), now.Add(-70*time.Hour), now.Add(-50*time.Hour), 150))})
	at.configureSources(settings{}, o.item())
	run := func(code int, args ...string) *exporter {
		x := start(t, at.vault, launch{args: append([]string{
			"records", "--config.file=" + at.path("config.yaml"), "--source=" + o.name, "--from=72h",
		}, args...)})
		x.exited(code)
		return x
	}
	plain := run(0, "--feed=call_log", "--output=jsonl")
	if got := recorded(t, plain.out.String()); len(got) != 0 || answers(o.Requests(), rcsim.EndpointRecording) != 0 {
		t.Errorf("without the flag %d recordings are printed, %d asked for", len(got),
			answers(o.Requests(), rcsim.EndpointRecording))
	}

	want := o.recordings()
	x := run(0, "--feed=call_log", "--output=jsonl", "--recordings")
	got := recorded(t, x.out.String())
	if len(got) != len(want) || len(want) == 0 {
		t.Errorf("%d recordings are printed, want %d", len(got), len(want))
	}
	if asked := answers(o.Requests(), rcsim.EndpointRecording); asked != len(want) {
		t.Errorf("%d requests for recordings, want each of %d once", asked, len(want))
	}
	if strings.Contains(x.out.String(), "media.") {
		t.Error("where the content is, is printed")
	}
	var seconds []float64
	for id, r := range got {
		if r["content_type"] != "audio/mpeg" || r["type"] != "automatic" && r["type"] != "on_demand" {
			t.Errorf("recording %s is %v", id, r)
		}
		length, _ := r["duration_seconds"].(float64)
		seconds = append(seconds, length)
	}
	slices.Sort(seconds)
	if !slices.Equal(seconds, want) {
		t.Errorf("the recordings last %v s, want %v", seconds, want)
	}

	rows, err := csv.NewReader(bytes.NewReader(run(0, "--feed=call_log", "--output=csv", "--recordings").out.Bytes())).
		ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	listed := make(map[string]bool)
	for _, row := range rows[1:] {
		if id := row[slices.Index(rows[0], "recording_id")]; id != "" {
			listed[id] = row[slices.Index(rows[0], "recording_content_type")] == "audio/mpeg"
		}
	}
	for id := range got {
		if !listed[id] {
			t.Errorf("CSV doesn't tell of recording %s", id)
		}
	}
	refused := run(1, "--feed=active_calls").log.String()
	if !strings.Contains(refused, "calls in progress, which become records when they end") ||
		!strings.Contains(refused, "the feeds are call_log") {
		t.Errorf("active calls: %s", refused)
	}

	o.SetPermissions(rcsim.ReadCallLog, rcsim.FullCompanyCallLog)
	x = run(0, "--feed=call_log", "--output=jsonl", "--recordings")
	unknown := recorded(t, x.out.String())
	if len(unknown) != len(want) {
		t.Errorf("without the permission %d recordings are printed, want %d", len(unknown), len(want))
	}
	for id, r := range unknown {
		if r["content_type"] != nil || r["duration_seconds"] != nil || r["type"] == nil {
			t.Errorf("recording %s is %v", id, r)
		}
		if lineWith(x.log.String(), id) == "" {
			t.Errorf("recording %s isn't reported", id)
		}
	}
	if !strings.Contains(x.log.String(), "ReadCallRecording") {
		t.Errorf("the permission isn't named: %s", x.log)
	}
}

// recordings are the lengths of all recordings, in seconds, sorted. Two rows may share one.
func (o *office) recordings() []float64 {
	each := make(map[uint64]float64)
	eachCall(o.world, o.Now(), func(c *simulator.Call, v *simulator.Version) {
		if v.Recorded {
			each[c.RecordingPlace()] = v.Duration.Truncate(time.Second).Seconds()
		}
	})
	return slices.Sorted(maps.Values(each))
}
