package declared_test

import (
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestEmergencyNumbersOfZoom: emergency_numbers count in addition to the calls that Zoom says are emergencies.
func TestEmergencyNumbersOfZoom(t *testing.T) {
	text, err := declared.BuiltinText("zoom_phone")
	require.NoError(t, err)
	got := mapper(t, string(text), declared.MapperSettings{EmergencyNumbers: []string{"911"}}).MapJSON([]byte(
		`{"call_history_uuid":"1","start_time":"2026-11-23T10:00:00Z","direction":"outbound","call_type":"general",` +
			`"callee_did_number":"911"}`))
	if got.Record == nil || got.Record.Emergency != cdr.EmergencyReal {
		t.Errorf("got %+v", got)
	}
}

// TestEmergencyNumbersBehindACallingCode: the plus sign that a feed of international numbers leaves out isn't missed.
func TestEmergencyNumbersBehindACallingCode(t *testing.T) {
	text := strings.Replace(base(t, "fields"), "FIELD", "callee: to\n      direction: {is: outbound}", 1)
	text = strings.Replace(text, "    record:", "    numbers: international\n    record:", 1)
	m := mapper(t, text, declared.MapperSettings{EmergencyNumbers: []string{"911", "112"}})
	for _, number := range []string{"911", "+911", "+1911", "1911", "49112", "+49112", "urn:service:sos"} {
		got := m.MapJSON([]byte(`{"start":"2026-11-23T10:00:00Z","to":"` + number + `"}`))
		if got.Record == nil || got.Record.Emergency != cdr.EmergencyReal {
			t.Errorf("%s: got %+v", number, got)
		}
	}
}
