package ringcentral

import (
	"fmt"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector"
)

// benchRow is a row of the detailed view with two legs.
func benchRow(i int) string {
	return fmt.Sprintf(`{"uri":"https://platform.ringcentral.com/restapi/v1.0/account/1346632010/call-log/VgLcd1KW%08d?view=Detailed",`+
		`"id":"VgLcd1KW%08d","sessionId":"10398%08d","telephonySessionId":"s-a0d1758c8e1b5z18f0b7a8e51z%08d","partyId":"p-a0d1758c8e1b5z18f0b7a8e51z%08d-1",`+
		`"startTime":"2026-03-02T10:%02d:%02d.120Z","duration":194,"durationMs":194060,"type":"Voice","internalType":"LongDistance","direction":"Outbound",`+
		`"action":"VoIP Call","result":"Call connected","reason":"Accepted","reasonDescription":"The call connected to and was accepted by this number.",`+
		`"from":{"name":"User %d","phoneNumber":"+14155550100","extensionId":"62264425%03d","extensionNumber":"102","location":"San Francisco, CA"},`+
		`"to":{"phoneNumber":"+1206555%04d","location":"Seattle, WA"},"extension":{"uri":"https://platform.ringcentral.com/restapi/v1.0/x","id":62264425%03d},`+
		`"transport":"VoIP","recording":{"uri":"https://platform.ringcentral.com/x","id":"4017%08d","type":"Automatic","contentUri":"https://media.ringcentral.com/x"},`+
		`"billing":{"costIncluded":0.137,"costPurchased":0.000},"legs":[`+
		`{"startTime":"2026-03-02T10:00:00.120Z","duration":194,"type":"Voice","direction":"Outbound","action":"VoIP Call","result":"Call connected",`+
		`"legType":"SipToPstnMetered","master":true,"from":{"name":"User %d"},"to":{"phoneNumber":"+1206555%04d"},"recording":{"id":"4017%08d","type":"Automatic"}},`+
		`{"startTime":"2026-03-02T10:00:01.120Z","duration":193,"type":"Voice","direction":"Outbound","action":"FindMe","result":"Stopped","legType":"FindMe"}],`+
		`"lastModifiedTime":"2026-03-02T10:%02d:%02d.417Z"}`,
		i, i, i, i, i, i/60%60, i%60, i%50, i%50, i%10_000, i%50, i, i%50, i%10_000, i, i/60%60, i%60)
}

// BenchmarkDecode decodes and maps whole pages of a thousand rows.
func BenchmarkDecode(b *testing.B) {
	rows := make([]string, perPage)
	for i := range rows {
		rows[i] = benchRow(i)
	}
	page := pageOf("", rows...)
	decoded := 0
	decoder, mapper := newPageDecoder(), &mapper{log: accountLog()}
	b.SetBytes(int64(len(page)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := decodeAll(decoder, mapper, []byte(page),
			func(p *collector.Page) { decoded += len(p.Records) }); err != nil {
			b.Fatal(err)
		}
	}
	if decoded != b.N*perPage {
		b.Fatalf("decoded %d rows, want %d", decoded, b.N*perPage)
	}
	b.ReportMetric(float64(decoded)/b.Elapsed().Seconds(), "rows/s")
}
