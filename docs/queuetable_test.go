package docs_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/declaredtest"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestQueueTable: the page's definition reads a realtime queue_log in the source's zone, whatever zones the database
// knows.
func TestQueueTable(t *testing.T) {
	path, _ := declaredtest.Database(t, "CREATE TABLE queue_log (id INTEGER PRIMARY KEY, time TEXT, callid TEXT, "+
		"queuename TEXT, agent TEXT, event TEXT, data1 TEXT, data2 TEXT, data3 TEXT, data4 TEXT, data5 TEXT)",
		"INSERT INTO queue_log VALUES "+
			"(1, '2026-11-23 11:00:22.389282', '1.1', 'support', 'NONE', 'ENTERQUEUE', '', '4930', '1', '', ''), "+
			"(2, '2026-11-23 11:00:42.5', '1.1', 'support', 'NONE', 'ABANDON', '1', '1', '42', '', '')")
	text := strings.Replace(marked(t, "providers/asterisk.md", "queue table"), "driver: mysql", "driver: sqlite", 1)
	source, err := declaredtest.Open(t.TempDir(), text, "dsn: "+path+", time_zone: Europe/Berlin, queue_log: ",
		time.Now)
	require.NoError(t, err)
	var got []string
	for page, err := range source.Feeds[0].Stream.Pages(t.Context(), collector.StreamPosition{}) {
		require.NoError(t, err)
		for _, r := range page.Records {
			for _, v := range r.Visits {
				got = append(got, fmt.Sprint(r.ID, r.Start.Format(" 15:04:05.0 "), v.Queue, " ", v.Result))
			}
		}
	}
	if want := []string{"2 10:00:00.5 support abandoned"}; !slices.Equal(got, want) {
		t.Errorf("the rows became %q, want %q", got, want)
	}
}
