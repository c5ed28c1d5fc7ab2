package msgraph

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// pageOf is a page of n different rows of the shape that Graph gives.
func pageOf(n int, row func(i int) string) []byte {
	var page bytes.Buffer
	fmt.Fprintf(&page, `{"@odata.context":"https://graph.example/v1.0/$metadata#x","@odata.count":%d,"value":[`, n)
	for i := range n {
		if i > 0 {
			page.WriteByte(',')
		}
		page.WriteString(row(i))
	}
	page.WriteString(`]}`)
	return page.Bytes()
}

func benchPSTNRow(i int) string {
	return fmt.Sprintf(`{"id":"9c4984c7-6c3c-427d-a30c-%012d","callId":"1835317186_%d@192.0.2.17","userId":"db03c14b-06eb-4189-939b-%012d",`+
		`"userPrincipalName":"user%d@contoso.example","userDisplayName":"User %d","startDateTime":"2026-11-01T00:%02d:%02d.2589935Z",`+
		`"endDateTime":"2026-11-01T01:%02d:%02d.2589935Z","duration":219,"charge":0.12,"callType":"user_out","currency":"USD",`+
		`"calleeNumber":"+12065550%03d","usageCountryCode":"US","tenantCountryCode":"US","connectionCharge":0.00,"callerNumber":"+14255550100",`+
		`"destinationContext":"Domestic","destinationName":"United States","conferenceId":null,"licenseCapability":"MCOPSTN1",`+
		`"inventoryType":"Subscriber","operator":"Microsoft","callDurationSource":"microsoft"}`,
		i, i, i%50, i%50, i%50, i/60%60, i%60, i/60%60, i%60, i%1000)
}

func benchDirectRoutingRow(i int) string {
	return fmt.Sprintf(`{"id":"9e8bba57-dc14-533a-a7dd-%012d","correlationId":"c98e1515-a937-4b81-b8a8-%012d","userId":"db03c14b-06eb-4189-939b-%012d",`+
		`"userPrincipalName":"user%d@contoso.example","userDisplayName":"User %d","startDateTime":"2026-11-01T00:%02d:%02d.105Z",`+
		`"inviteDateTime":"2026-11-01T00:%02d:%02d.049Z","failureDateTime":"0001-01-01T00:00:00Z","endDateTime":"2026-11-01T01:%02d:%02d.105Z",`+
		`"duration":5,"callType":"ByotOut","successfulCall":true,"callerNumber":"+14255550100","calleeNumber":"+12065550%03d",`+
		`"mediaPathLocation":"USWE","signalingLocation":"EUNO","finalSipCode":0,"callEndSubReason":540000,"finalSipCodePhrase":"BYE",`+
		`"trunkFullyQualifiedDomainName":"sbc%d.contoso.example","mediaBypassEnabled":false}`,
		i, i, i%50, i%50, i%50, i/60%60, i%60, i/60%60, i%60, i/60%60, i%60, i%1000, i%4)
}

// benchRows is the number of rows on a page of Graph.
const benchRows = 1000

// BenchmarkDecode decodes and maps whole pages of a thousand rows.
func BenchmarkDecode(b *testing.B) {
	for _, bench := range []struct {
		name string
		log  *callLog
		row  func(int) string
	}{
		{"pstn", pstnLog(), benchPSTNRow},
		{"direct_routing", directRoutingLog(), benchDirectRoutingRow},
	} {
		b.Run(bench.name, func(b *testing.B) {
			page := pageOf(benchRows, bench.row)
			rows, m := 0, newMapper(bench.log, collector.NewRowFilter(nil))
			b.SetBytes(int64(len(page)))
			b.ReportAllocs()
			for b.Loop() {
				require.NoError(b, decodeWith(m, page, func(p *collector.Page) { rows += len(p.Records) }))
			}
			if rows != b.N*benchRows {
				b.Fatalf("decoded %d rows, want %d", rows, b.N*benchRows)
			}
			b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
