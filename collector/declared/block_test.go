package declared_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/declaredtest"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// tableDefinition is a definition of rows in SQLite.
const tableDefinition = `provider: acmetel
sql: {driver: sqlite, query: "SELECT id, at FROM calls WHERE at >= :from AND at < :to"}
feeds:
  calls:
    filter: {by: start}
    record: {id: id, start: {path: at, time: "2006-01-02 15:04:05"}, outcome: {is: answered}}
`

// TestSourceIgnores (definitions.md, "Leaving rows out"): a source leaves out what the definition
// or its own block ignores.
func TestSourceIgnores(t *testing.T) {
	path, _ := declaredtest.Database(t, "CREATE TABLE calls (id INTEGER PRIMARY KEY, at TEXT)",
		"INSERT INTO calls SELECT value, '2026-11-23 10:00:00' FROM json_each('[1,2,3,4]')")
	for _, c := range []struct {
		name, definition, source string
		want                     []string
	}{
		{"neither", "", "", []string{"1", "2", "3", "4"}},
		{"the definition", "{id: '1'}", "", []string{"2", "3", "4"}},
		{"the source", "", "{id: '>2'}", []string{"1", "2"}},
		{"both", "{id: '1'}", "'int(id) > 3'", []string{"2", "3"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			text, block := tableDefinition, ""
			if c.definition != "" {
				text = strings.Replace(text, "    record:", "    ignore: "+c.definition+"\n    record:", 1)
			}
			if c.source != "" {
				block = "ignore: " + c.source
			}
			source, err := declaredtest.Open(t.TempDir(), text, "dsn: "+path+", calls: {"+block+"}", time.Now)
			require.NoError(t, err)
			begin := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
			if got := declaredtest.IDs(t, source.Feeds[0].Reader.Pages(t.Context(), begin,
				begin.Add(time.Minute))); !slices.Equal(got, c.want) {
				t.Errorf("got %q", got)
			}
		})
	}
}

// TestSameBlock: a reload takes a block for the same until what it holds is changed.
func TestSameBlock(t *testing.T) {
	d, err := declared.Load("d.yaml", []byte(tableDefinition))
	require.NoError(t, err)
	p := declared.NewProvider(d)
	block := func(feed string) any {
		text := "sources: [{name: pbx, acmetel: {dsn: calls.db, calls: {" + feed + "}}}]"
		c, err := config.Parse("config.yaml", []byte(text),
			config.Options{Providers: map[string]func() any{p.Name: p.NewConfig}})
		require.NoError(t, err)
		return c.Sources[0].Provider
	}
	for _, c := range []struct {
		name, one, other string
		same             bool
	}{
		{"nothing", "", "", true},
		{"the same rows are left out", "ignore: {id: ['1*']}", "ignore: {id: ['1*']}", true},
		{"other rows are left out", "ignore: {id: '1'}", "ignore: {id: '2'}", false},
		{"rows are left out now", "", "ignore: {id: '1'}", false},
		{"another interval", "interval: 1m", "interval: 2m", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			//nolint:forcetypeassert // of its provider
			if got := block(c.one).(*declared.Block).SameAs(block(c.other)); got != c.same {
				t.Errorf("got %t", got)
			}
		})
	}
}

// TestBaseURL: the address of an API may name parameters, of which a source's own replaces nothing.
func TestBaseURL(t *testing.T) {
	definition := `
provider: acmetel
parameters: {tenant: {ask: "Tenant"}, region: {default: eu, values: {eu: eu1, us: us2}}}
account: "{tenant}"
http: {base_url: "https://{tenant}.{region}.acmetel.example/v1"}
feeds:
  calls:
    request: {path: calls, query: {since: "{from|unix}", until: "{to|unix}"}}
    filter: {by: start}
    record: {id: id, start: {path: at, time: unix}, outcome: {is: unknown}}
`
	for _, c := range []struct{ name, block, want string }{
		{"its parameters", "tenant: one, calls: ", "acmetel https://one.eu1.acmetel.example/v1 one"},
		{"a word", "tenant: one, region: us, calls: ", "acmetel https://one.us2.acmetel.example/v1 one"},
		{
			"a source's own", "tenant: one, base_url: 'https://other.example', calls: ",
			"acmetel https://other.example one",
		},
		{"a parameter is missing", "calls: ", "config.yaml:1: sources[0].acmetel.tenant: is missing; give Tenant"},
		{
			"it makes no address", "tenant: 'a b', calls: ",
			"config.yaml:1: sources[0].acmetel.base_url: must be a URL with scheme and host, such as " +
				"https://host.example",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			source, err := declaredtest.Open("", definition, c.block, time.Now)
			got := fmt.Sprint(err)
			if err == nil {
				got = source.Account
			}
			if got != c.want {
				t.Errorf("got %q", got)
			}
		})
	}
}
