package declared_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestBuiltin loads every definition that is built in. Before its tests a file has at most 22 kB.
func TestBuiltin(t *testing.T) {
	var names []string
	for _, p := range declared.Builtin() {
		names = append(names, p.Name)
		text, err := declared.BuiltinText(p.Name)
		definition, _, _ := strings.Cut(string(text), "\ntests:")
		if err != nil || len(definition) > 22_000 {
			t.Errorf("%s.yaml has %d bytes before its tests, want at most 22000; %v", p.Name, len(definition), err)
		}
		for _, f := range p.Feeds() {
			if !f.Reasons && !f.NoCalls && !f.Snapshot {
				t.Errorf("%s of %s gives no reasons", f.Name, p.Name)
			}
		}
	}
	if want := []string{
		"asterisk", "cucm", "freeswitch", "kamailio", "ringcentral", "twilio", "wavix", "webex",
		"zoom_phone",
	}; !slices.Equal(names, want) {
		t.Errorf("there are %v, want %v", names, want)
	}
	if _, err := declared.BuiltinText("acmetel"); err == nil || !strings.Contains(err.Error(), "twilio") {
		t.Errorf("of one that isn't there it says %v", err)
	}
}

// FuzzTry: whatever the rows are, each becomes something, and no problem quotes a value.
func FuzzTry(f *testing.F) {
	f.Add([]byte(`{"calls":[{"start":"2026-11-23T10:00:01Z","state":"done"}]}`))
	f.Add([]byte("start,state\n2026-11-23T10:00:01Z,done\n"))
	f.Add([]byte("{\"start\":\"x\"}\n{"))
	d, err := declared.Load("d.yaml", []byte(base(f, "whole")))
	require.NoError(f, err)
	feed := d.Feeds["calls"]
	f.Fuzz(func(t *testing.T, text []byte) {
		for number, m := range declared.NewMapper(&feed, declared.MapperSettings{}).Try(text) {
			if (m.Record == nil) == (m.Invalid == "" && !m.Ignored) {
				t.Errorf("row %d is %+v", number, m)
			}
		}
	})
}
