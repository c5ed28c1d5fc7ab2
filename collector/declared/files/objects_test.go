package files_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
)

// TestObjectsOneAfterTheOther: objects of JSON are rows, whatever stands between them, and one that
// is damaged costs no other.
func TestObjectsOneAfterTheOther(t *testing.T) {
	a, b := fmt.Sprintf(document, "a"), fmt.Sprintf(document, "b")
	nested := `{"x":[{"y":"}{\"]["}],` + b[1:]
	for _, c := range []struct {
		name, text   string
		lines, whole string // the rows, and ! for one that is set aside
	}{
		{"a line each", a + "\n" + b + "\n", "a b", "a b"},
		{"nothing between", a + b, "a b", "a b"},
		{"nothing between, a line's end at the end", a + b + "\r\n", "a b", "a b"},
		{"blanks", " " + a + " \t" + b + " ", "a b", "a b"},
		{"commas", a + "," + b + ",\n" + a + ",\n", "a a b", "a a b"},
		{"record separators", "\x1e" + a + "\n\x1e" + b + "\n", "a b", "a b"},
		{"a byte order mark", "\ufeff" + a + b, "a b", "a b"},
		{"braces and quotes within texts", nested + a, "a b", "a b"},
		{"a damaged object within", a + `{"start":}` + b, "! a b", "! a b"},
		{"a text without an end", a + "\n" + `{"start":"x` + "\n" + b, "! a b", "! a b"},
		{"a brace too many", a + "}\n" + b, "! a b", "! a b"},
		{"lists between", a + "\n[1]\n" + b, "! a b", "! a b"},
		{"an object over several lines", strings.ReplaceAll(a, ",", ",\n") + b, "", "a b"},
		{"long", strings.Repeat(" ", 70_000) + a + strings.Repeat(",", 70_000) + b, "a b", "a b"},
		{"too long", `{"x":"` + strings.Repeat("x", 2<<20) + `"}` + a + b, "! a b", ""},
		{"many", strings.Repeat(a, 3000) + b, strings.Repeat("a ", 3000) + "b", strings.Repeat("a ", 3000) + "b"},
	} {
		for files, want := range map[string]string{
			"read: lines, format: jsonl": c.lines,
			"read: whole, format: json":  c.whole,
		} {
			if want == "" {
				continue
			}
			t.Run(c.name+", "+files, func(t *testing.T) {
				r := read(t, filesDefinition(files), "calls: {}, paths: ['calls*']")
				r.add("calls", c.text)
				r.add("newer", "")
				r.pass(2 * time.Hour)
				r.poll()
				var got []string
				for name, n := range r.rows {
					got = append(got, slices.Repeat([]string{name}, n)...)
				}
				for range r.invalid {
					got = append(got, "!")
				}
				slices.Sort(got)
				if text := strings.Join(got, " "); text != want {
					t.Errorf("%.200s, want %.200s; %v", text, want, r.troubles)
				}
				if n := r.poll(); n > 0 {
					t.Errorf("%d more", n)
				}
			})
		}
	}
}

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
		if err != nil {
			f.Fatal(err)
		}
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
