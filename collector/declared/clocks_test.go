package declared_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestClocksSetBack: clocks that are set back show an hour twice. The times of a row in that hour mean the
// instants that are in order and closest together.
func TestClocksSetBack(t *testing.T) {
	const definition = `provider: acmeclock
files: {read: lines, format: csv, columns: [start, answer, end, queued, taken]}
feeds:
  calls:
    record:
      start: {path: start, time: [rfc3339, "2006-01-02 15:04:05"]ZONE}
      answer: {path: answer, time: [rfc3339, "2006-01-02 15:04:05"]ZONE}
      end: {path: end, time: [rfc3339, "2006-01-02 15:04:05"]ZONE}
      outcome: {is: answered}
      queue: {is: Sales}
      queue_wait: {path: taken, since: queued, time: [rfc3339, "2006-01-02 15:04:05"]ZONE}
      queue_result: {is: answered}
`
	const berlin = "Europe/Berlin"
	for _, c := range []struct{ name, zone, start, answer, end, want string }{
		{"before", berlin, "25 01:30:00", "25 01:30:05", "25 01:31:05", "24T23:30:00Z 5s 1m0s"},
		{"into the hour", berlin, "25 01:59:50", "25 02:00:04", "25 02:02:04", "24T23:59:50Z 14s 2m0s"},
		{"within the hour", berlin, "25 02:30:00", "25 02:30:05", "25 02:31:05", "25T01:30:00Z 5s 1m0s"},
		{"from the first to the second", berlin, "25 02:59:50", "25 02:00:04", "25 02:02:04", "25T00:59:50Z 14s 2m0s"},
		{"answered in the second", berlin, "25 02:59:30", "25 02:59:40", "25 02:00:40", "25T00:59:30Z 10s 1m0s"},
		{"out of the hour", berlin, "25 02:59:50", "25 03:00:04", "25 03:02:04", "25T01:59:50Z 14s 2m0s"},
		{"over all of it", berlin, "25 01:59:50", "25 01:59:55", "25 03:00:05", "24T23:59:50Z 5s 2h0m10s"},
		{"an end before the start", berlin, "25 02:30:00", "25 02:30:05", "25 00:30:00", "25T01:30:00Z 5s none"},
		{
			"its own offset", berlin, "25T01:59:50+02:00", "25T02:00:04+01:00", "25T02:02:04+01:00",
			"24T23:59:50Z 1h0m14s 2m0s",
		},
		{"an offset of none", "Europe/London", "25 00:59:50", "25 01:00:04", "25 01:02:04", "24T23:59:50Z 14s 2m0s"},
		{"half an hour", "Australia/Lord_Howe", "05 01:59:50", "05 01:30:04", "05 01:32:04", "04T14:59:50Z 14s 2m0s"},
		{"no clocks", "UTC", "25 02:59:50", "25 03:00:04", "25 03:02:04", "25T02:59:50Z 14s 2m0s"},
	} {
		for _, own := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, in the definition %t", c.name, own), func(t *testing.T) {
				month := "2026-10-"
				if strings.Contains(c.zone, "Australia") {
					month = "2026-04-"
				}
				zone, err := time.LoadLocation(c.zone)
				if err != nil {
					t.Fatal(err)
				}
				text, settings := definition, declared.MapperSettings{Zone: zone}
				if own {
					text, settings.Zone = strings.ReplaceAll(text, "ZONE", ", zone: "+c.zone), nil
				}
				got := mapper(t, strings.ReplaceAll(text, "ZONE", ""), settings).MapFields(
					[]string{"start", "answer", "end", "queued", "taken"},
					[]string{month + c.start, month + c.answer, month + c.end, month + c.start, month + c.answer})
				r := got.Record
				if r == nil {
					t.Fatal(got.Invalid)
				}
				lasted := r.Duration.String()
				if r.NoDuration {
					lasted = "none"
				}
				setup, _ := r.Setup()
				if shown := fmt.Sprintf("%s %s %s", r.Start.Format("02T15:04:05Z"), setup, lasted); shown != c.want {
					t.Errorf("got %s, want %s", shown, c.want)
				}
				if wait := r.Visits[0].Wait.Value; wait != setup {
					t.Errorf("the wait is %s, the setup %s", wait, setup)
				}
			})
		}
	}
}

// TestOtherInstant: clocks that are set back show each time of an hour, or of half an hour, twice.
func TestOtherInstant(t *testing.T) {
	for _, c := range []struct{ zone, at, want string }{
		{"Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"},
		{"Europe/Berlin", "2026-10-25T01:30:00Z", "2026-10-25T00:30:00Z"},
		{"Europe/Berlin", "2026-10-24T23:59:59Z", ""},
		{"Europe/Berlin", "2026-10-25T02:00:00Z", ""},
		{"Europe/Berlin", "2026-03-29T01:30:00Z", ""},
		{"Australia/Lord_Howe", "2026-04-04T14:45:00Z", "2026-04-04T15:15:00Z"},
		{"Australia/Lord_Howe", "2026-04-04T14:29:00Z", ""},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		require.NoError(t, err)
		zone, err := time.LoadLocation(c.zone)
		require.NoError(t, err)
		var got string
		if other := language.OtherInstant(at, zone); !other.IsZero() {
			got = other.UTC().Format(time.RFC3339)
		}
		if got != c.want {
			t.Errorf("%s in %s: %s, want %s", c.at, c.zone, got, c.want)
		}
	}
}
