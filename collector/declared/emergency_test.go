package declared_test

import (
	"fmt"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestEmergencyNumbersOfBuiltins: emergency_numbers count in addition to what the provider says, and 933 is a test.
func TestEmergencyNumbersOfBuiltins(t *testing.T) {
	rows := map[string]string{
		"zoom_phone": `{"call_history_uuid":"1","start_time":"2026-11-23T10:00:00Z","direction":"outbound",` +
			`"call_type":%q,"callee_did_number":%q}`,
		"webex": `{"Report ID":"1","Start time":"2026-11-23T10:00:00.000Z","Direction":"ORIGINATING",` +
			`"Call type":%q,"Called number":%q}`,
	}
	for name, c := range map[string]struct {
		provider, kind, number string
		want                   cdr.Emergency
	}{
		"Zoom says emergency":   {"zoom_phone", "emergency", "110", cdr.EmergencyReal},
		"Zoom calls it general": {"zoom_phone", "general", "911", cdr.EmergencyReal},
		"Zoom, the test number": {"zoom_phone", "general", "933", cdr.EmergencyTest},
		"Zoom, another number":  {"zoom_phone", "general", "+14155550100", cdr.NoEmergency},
		"Webex":                 {"webex", "SIP_EMERGENCY", "911", cdr.EmergencyReal},
		"Webex, test number":    {"webex", "SIP_EMERGENCY", "933", cdr.EmergencyTest},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := declared.BuiltinText(c.provider)
			require.NoError(t, err)
			m := mapper(t, string(text), declared.MapperSettings{EmergencyNumbers: []string{"911", "933"}})
			got := m.MapJSON(fmt.Appendf(nil, rows[c.provider], c.kind, c.number))
			if got.Record == nil || got.Record.Emergency != c.want {
				t.Fatalf("got %+v, want emergency %v", got, c.want)
			}
		})
	}
}
