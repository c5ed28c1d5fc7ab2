package msgraph

import (
	"bytes"
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// read is what a page held, cloned so that it outlives the next.
type read struct {
	rows     []row
	invalid  []string // position: problem
	unmapped []collector.Unmapped
}

type row = providertest.Row

// decodePage decodes one page of a log, of which there may be more.
func decodePage(t testing.TB, log *callLog, page string) (read, error) {
	t.Helper()
	var got read
	err := decodeAll(log, []byte(page), func(p *collector.Page) { got.take(t, p) })
	return got, err
}

// decodeAll decodes a page and hands on its pieces.
func decodeAll(log *callLog, body []byte, use func(*collector.Page)) error {
	return decodeWith(newMapper(log, collector.NewRowFilter(nil)), body, use)
}

func decodeWith(m *mapper, body []byte, use func(*collector.Page)) error {
	in := wire.NewInput()
	rows, err := in.Page(bytes.Clone(body), "value", func(string) (bool, error) { return false, nil })
	for piece, err := range wire.Pieces(maps.All(map[int]error{1: err}), &rows) {
		if err != nil {
			return err
		}
		use(m.mapPage(piece))
	}
	return nil
}

func (g *read) take(t testing.TB, b *collector.Page) {
	t.Helper()
	for _, r := range b.Records {
		g.rows = append(g.rows, providertest.RowOf(r, "cdr.msgraph."))
	}
	for _, bad := range b.Invalid {
		if len(bad.Content) == 0 {
			t.Errorf("the invalid row at %s has no content", bad.At)
		}
		g.invalid = append(g.invalid, bad.At+": "+bad.Problem)
	}
	for _, u := range b.Unmapped {
		g.unmapped = append(g.unmapped, collector.Unmapped{Field: u.Field, Value: strings.Clone(u.Value)})
	}
}

// decodeRow decodes a page with one row, which must be valid.
func decodeRow(t testing.TB, log *callLog, raw string) row {
	t.Helper()
	got, err := decodePage(t, log, `{"value":[`+raw+`]}`)
	if err != nil || len(got.rows) != 1 {
		t.Fatalf("decode %s: got %d rows, invalid %q, error %v", raw, len(got.rows), got.invalid, err)
	}
	return got.rows[0]
}

func pstnLog() *callLog {
	return &callLog{
		feed: "pstn", function: "getPstnCalls", mapRow: (*mapper).mapPSTN,
		source: &source{
			countries: cdr.NewCountries(),
			emergency: cdr.NewEmergencyNumbers([]string{"911", "933", "112", "999", "JP:119"}),
		},
	}
}

func directRoutingLog() *callLog {
	log := pstnLog()
	log.feed, log.function, log.mapRow = "direct_routing", "getDirectRoutingCalls", (*mapper).mapDirectRouting
	return log
}

// with is a JSON object with some members set, or removed where they are nil.
func with(t *testing.T, object string, members map[string]any) string {
	t.Helper()
	decoded := map[string]any{}
	require.NoError(t, json.Unmarshal([]byte(object), &decoded))
	maps.Copy(decoded, members)
	encoded, err := json.Marshal(decoded)
	require.NoError(t, err)
	return string(encoded)
}
