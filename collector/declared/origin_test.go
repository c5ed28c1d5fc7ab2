package declared_test

import (
	"reflect"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestOrigins: a traced record says from which line each field is, and repeats the row's words, times and
// amounts, never a number or a name.
func TestOrigins(t *testing.T) {
	d, err := declared.Load("folder/acmetel.yaml", []byte(`provider: acmetel
files: {read: lines, format: jsonl}
feeds:
  calls:
    record:
      start: {path: start, time: rfc3339}
      outcome:
        - {when: {picked: "yes"}, is: answered}
        - {path: state, table: {nope: busy}}
      caller: from
      trunk: route
`))
	require.NoError(t, err)
	feed := d.Feeds["calls"]
	row := []byte(`{"start": "2026-10-05T10:00:00Z", "state": "nope", "from": "+4930111111", "route": "+4930222222"}`)
	want := []cdr.Origin{
		{Field: "start", Value: "2026-10-05T10:00:00Z", Where: "acmetel.yaml:6"},
		{Field: "outcome", Value: "nope", Table: true, Where: "acmetel.yaml:9"},
		{Field: "caller", Where: "acmetel.yaml:10"},
		{Field: "trunk", Where: "acmetel.yaml:11"},
	}
	if m := declared.NewMapper(&feed, declared.MapperSettings{Trace: "acmetel.yaml"}).
		MapJSON(row); !reflect.DeepEqual(m.Record.Origins, want) {
		t.Errorf("got %+v %s", m.Record, m.Invalid)
	}
	if m := declared.NewMapper(&feed, declared.MapperSettings{}).MapJSON(row); m.Record.Origins != nil {
		t.Errorf("not asked for: %+v", m.Record.Origins)
	}
}
