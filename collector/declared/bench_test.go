package declared_test

import (
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// BenchmarkMapJSON maps a row of Twilio.
func BenchmarkMapJSON(b *testing.B) {
	text, err := declared.BuiltinText("twilio")
	require.NoError(b, err)
	d, err := declared.Load("twilio.yaml", text)
	require.NoError(b, err)
	feed := d.Feeds["calls"]
	m := declared.NewMapper(&feed, declared.MapperSettings{EmergencyNumbers: []string{"112"}})
	row := []byte(`{"sid":"CA00000000000000000000000000000001","date_created":"Mon, 23 Nov 2026 10:00:00 +0000","parent_call_sid":null,` +
		`"account_sid":"AC00000000000000000000000000000001","to":"+493012345678","from":"+14155550100","phone_number_sid":null,"status":"completed",` +
		`"start_time":"Mon, 23 Nov 2026 10:00:01 +0000","end_time":"Mon, 23 Nov 2026 10:01:03 +0000","duration":"62","price":"-0.04200",` +
		`"price_unit":"USD","direction":"outbound-api","answered_by":null,"trunk_sid":null}`)
	b.ReportAllocs()
	for b.Loop() {
		if got := m.MapJSON(row); got.Record == nil {
			b.Fatal(got.Invalid)
		}
	}
}
