package declared_test

import (
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
