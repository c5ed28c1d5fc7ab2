package sim

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// properties are those of the two row types in v1.0.
var properties = map[string]string{
	"getPstnCalls": `callDurationSource calleeNumber callerNumber callId callType charge conferenceId connectionCharge currency
		destinationContext destinationName duration endDateTime id inventoryType licenseCapability operator startDateTime
		tenantCountryCode usageCountryCode userDisplayName userId userPrincipalName`,
	"getDirectRoutingCalls": `calleeNumber callEndSubReason callerNumber callType correlationId duration endDateTime failureDateTime
		finalSipCode finalSipCodePhrase id inviteDateTime mediaBypassEnabled mediaPathLocation signalingLocation startDateTime
		successfulCall trunkFullyQualifiedDomainName userDisplayName userId userPrincipalName`,
}

func TestRowsHaveTheTypesProperties(t *testing.T) {
	_, c := start(t, Settings{PSTN: world(t, PSTNMix(), 300, nil), DirectRouting: world(t, DirectRoutingMix(), 300, nil)})
	for function, names := range properties {
		want := strings.Fields(names)
		slices.Sort(want)
		rows, _ := c.read(function + day)
		for _, raw := range rows {
			var row map[string]any
			if err := json.Unmarshal(raw, &row); err != nil {
				t.Fatal(err)
			}
			if got := slices.Sorted(maps.Keys(row)); !slices.Equal(got, want) {
				t.Fatalf("%s: properties %q, want %q", function, got, want)
			}
		}
	}
}

// TestFlawsAreWhatTheySay renders one call with each flaw.
func TestFlawsAreWhatTheySay(t *testing.T) {
	mix := PSTNMix()
	w := world(t, mix, 1, func(s *simulator.Settings) { s.Duplicated, s.Revised = 0, 0 })
	r := newPSTNRows(mix)
	for flaw, want := range map[simulator.Flaw]string{
		simulator.WrongType: `"duration":"`, simulator.ObjectForString: `"callerNumber":{"number"`, simulator.NotAnObject: `"row `,
		simulator.Truncated: `{"id":"`, simulator.BadTime: `"startDateTime":"yesterday"`,
		simulator.ImpossibleTime: `"startDateTime":"2026-02-30T25:61:00Z"`, simulator.NullStart: `"startDateTime":null`,
		simulator.NegativeDuration: `"duration":-5`, simulator.NumericID: `{"id":`,
	} {
		var text string
		w.Each(time.Time{}, time.Time{}, func(c *simulator.Call) bool {
			c.Flaw = flaw
			text = string(r.row(nil, c, &c.Versions()[0]))
			return true
		})
		if !strings.Contains(text, want) || !json.Valid([]byte(text)) {
			t.Errorf("flaw %d: %s", flaw, text)
		}
		if flaw == simulator.Truncated && strings.Contains(text, "startDateTime") || flaw == simulator.NumericID && strings.Contains(text, `"id":"`) {
			t.Errorf("flaw %d is none: %s", flaw, text)
		}
	}
	if len(simulator.Flaws()) != 9 {
		t.Error("a flaw has no case here")
	}
}

func TestTimes(t *testing.T) {
	whole := time.Date(2026, 11, 5, 6, 7, 8, 0, time.UTC)
	for style, want := range []string{`"2026-11-05T06:07:08.009Z"`, `"2026-11-05T06:07:08.0090000Z"`, `"2026-11-05T06:07:08.009Z"`, `"2026-11-05T06:07:08.009+00:00"`} {
		if got := string(appendTime(nil, whole.Add(9*time.Millisecond), style)); got != want {
			t.Errorf("style %d: %s, want %s", style, got, want)
		}
	}
	if got := string(appendTime(nil, whole, 2)); got != `"2026-11-05T06:07:08Z"` {
		t.Errorf("without a fraction: %s", got)
	}
}
