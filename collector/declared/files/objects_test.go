package files_test

import (
	"fmt"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestObjectsThatArrive: wherever the writer pauses, each object counts once, and a copy counts
// nothing.
func TestObjectsThatArrive(t *testing.T) {
	text := fmt.Sprintf(document, "a") + fmt.Sprintf(document, "b") + "\n" + fmt.Sprintf(document, "c")
	for at := range len(text) {
		r := read(t, filesDefinition("read: lines, format: jsonl"), "calls: {}, paths: ['calls*']")
		r.add("calls", text[:at])
		r.poll()
		r.add("calls", text[at:])
		r.poll()
		r.add("calls.copy", text)
		r.expect(fmt.Sprintf("a pause after %d bytes", at), "", "a", "b", "c")
	}
}

// FuzzObjects: whatever a saved file of objects is, it is read to its end, and equal texts before
// and behind it count as they do alone.
func FuzzObjects(f *testing.F) {
	one := fmt.Sprintf(document, "a")
	f.Add([]byte(one + one))
	f.Add([]byte(one + ",\n{\"start\":\"x\n" + one[:20]))
	f.Add([]byte("\x1e" + one + "]}\\\""))
	var feeds []declared.Feed
	for _, files := range []string{"read: lines, format: jsonl", "read: whole, format: json"} {
		d, err := declared.Load("d.yaml", []byte(filesDefinition(files)))
		require.NoError(f, err)
		feeds = append(feeds, d.Feeds["calls"])
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for i := range feeds {
			first := 0
			for _, m := range declared.NewMapper(&feeds[i], declared.MapperSettings{}).
				Try(append([]byte(one+"\n"), text...)) {
				if first++; first == 1 && (m.Record == nil || m.Record.Trunk != "a") {
					t.Errorf("the first object became %+v", m)
				}
			}
		}
	})
}
