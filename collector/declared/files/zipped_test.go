package files_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
)

// zip is a text as gzip compresses it.
func zip(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(text)) // memory takes all
	_ = w.Close()
	return b.String()
}

// put writes a file now, whatever was there.
func (r *reading) put(name, content string) {
	r.t.Helper()
	r.must(os.WriteFile(r.path(name), []byte(content), 0o600))
	r.must(os.Chtimes(r.path(name), r.now, r.now))
}

// zipFile compresses a file as gzip does, which keeps its time.
func (r *reading) zipFile(name string) {
	r.t.Helper()
	text, err := os.ReadFile(r.path(name))
	r.must(err)
	info, err := os.Stat(r.path(name))
	r.must(err)
	r.put(name+".gz", zip(string(text)))
	r.must(os.Chtimes(r.path(name+".gz"), info.ModTime(), info.ModTime()))
	r.must(os.Remove(r.path(name)))
}

// TestZippedFiles: what was compressed is read once it rests, and counts nothing that was read
// before.
func TestZippedFiles(t *testing.T) {
	many, names := lines(0, 2500)
	for _, c := range []struct {
		name    string
		steps   func(r *reading)
		want    []string
		invalid string
	}{
		{"alone", func(r *reading) { r.put("calls.1.gz", zip(line("a")+line("b"))) }, []string{"a", "b"}, ""},
		{
			"a last line without an end", func(r *reading) { r.put("calls.1.gz", zip(line("a")+"1795428001,busy,b")) },
			[]string{"a", "b"},
			"",
		},
		{
			"two members", func(r *reading) { r.put("calls.1.gz", zip(line("a"))+zip(line("b"))) },
			[]string{"a", "b"},
			"",
		},
		{"nothing in it", func(r *reading) { r.put("calls.1.gz", zip("")) }, nil, ""},
		{"many rows", func(r *reading) { r.put("calls.1.gz", zip(many)) }, names, ""},
		{"many rows, killed within", func(r *reading) {
			r.put("calls.1.gz", zip(many))
			r.rest()
			r.crashAfter = 1
			r.poll()
			r.crashAfter = 0
		}, names, ""},
		{"read before it was compressed", func(r *reading) {
			r.put("calls", line("a")+line("b"))
			r.rest()
			r.poll()
			r.forget()
			r.zipFile("calls")
		}, []string{"a", "b"}, ""},
		{"half read before it was compressed", func(r *reading) {
			r.put("calls", line("a")+line("b"))
			r.rest()
			r.poll()
			r.forget()
			r.add("calls", line("c"))
			r.zipFile("calls")
		}, []string{"a", "b", "c"}, ""},
		{"a copy of a file that is read later", func(r *reading) {
			r.put("calls.1.gz", zip(line("a")+line("b")))
			r.rest()
			r.poll()
			r.forget()
			r.put("calls.2", line("a")+line("b")+line("c"))
		}, []string{"a", "b", "c"}, ""},
		{"beside the file", func(r *reading) {
			r.put("calls", line("a")+line("b"))
			r.put("calls.copy.gz", zip(line("a")+line("b")))
		}, []string{"a", "b"}, ""},
		{"a part of the file", func(r *reading) {
			r.put("calls", line("a")+line("b"))
			r.rest()
			r.poll()
			r.put("calls.copy.gz", zip(line("a")))
		}, []string{"a", "b"}, ""},
		{"renamed", func(r *reading) {
			r.put("calls.1.gz", zip(line("a")))
			r.rest()
			r.poll()
			r.forget()
			r.must(os.Rename(r.path("calls.1.gz"), r.path("calls.2.gz")))
		}, []string{"a"}, ""},
		{"replaced", func(r *reading) {
			r.put("calls.1.gz", zip(line("a")))
			r.rest()
			r.poll()
			r.put("calls.1.gz", zip(line("b")))
		}, []string{"a", "b"}, ""},
		{"compressed twice", func(r *reading) {
			r.put("calls.1.gz", zip(line("a")))
			r.put("calls.2.gz", zip(line("a"))+zip(""))
		}, []string{"a"}, ""},
		{"being written", func(r *reading) {
			whole := zip(many)
			r.put("calls.1.gz", whole[:100])
			if r.poll(); len(r.rows)+len(r.troubles) > 0 {
				r.t.Error("it was read at once")
			}
			r.rest()
			if r.poll(); r.waits != "held" ||
				!strings.Contains(r.troubles[0], "calls.1.gz waits: it isn't a complete gzip file") {
				r.t.Errorf("waits %q: %q", r.waits, r.troubles)
			}
			r.add("calls.1.gz", whole[100:])
		}, names, ""},
		{"cut", func(r *reading) {
			r.put("calls.1.gz", zip(many)[:100])
			r.put("calls.2.gz", zip(line("a")))
			r.pass(2 * time.Hour)
		}, []string{"a"}, "it isn't a complete gzip file"},
		{"damaged, then replaced", func(r *reading) {
			r.put("calls.1.gz", strings.Replace(zip(line("a")), "busy", "bush", 1)[:20]+"xxxxxxxxxxxxxxxxxxx")
			r.pass(2 * time.Hour)
			r.poll()
			r.put("calls.1.gz", zip(line("a")))
		}, []string{"a"}, "it isn't a complete gzip file"},
		{"no gzip", func(r *reading) {
			r.put("calls.1.gz", line("a"))
			r.pass(2 * time.Hour)
		}, nil, "it isn't a complete gzip file"},
		{"empty", func(r *reading) {
			r.put("calls.1.gz", "")
			r.pass(2 * time.Hour)
		}, nil, "it isn't a complete gzip file"},
		{"a bomb", func(r *reading) {
			r.put("calls.1.gz", zip(strings.Repeat(line("a"), 100_000)))
			r.put("calls.2.gz", zip(line("a")))
		}, []string{"a"}, "it inflates to more than 200 times its size"},
	} {
		for _, how := range []string{csvLines, "read: whole, format: csv, columns: [start, state, trunk]"} {
			t.Run(c.name+", "+how[:11], func(t *testing.T) {
				r := read(t, filesDefinition(how), "calls: {}, paths: ['calls*']")
				c.steps(r)
				r.rest()
				r.poll()
				r.pass(2 * time.Hour)
				r.forget()
				if n := r.poll(); n > 0 || len(r.troubles) > 0 {
					t.Errorf("%d more, troubles %q", n, r.troubles)
				}
				r.is(c.want...)
				if got := strings.Join(r.invalid, "; "); got != c.invalid {
					t.Errorf("set aside: %q, want %q", got, c.invalid)
				}
			})
		}
	}
}

// TestZippedDocument: a document of JSON counts once, whether it is compressed or not.
func TestZippedDocument(t *testing.T) {
	r := read(t, wholeJSON, "calls: {}, paths: ['calls*']")
	r.put("calls.1.gz", zip(strings.Replace(document, "%s", "a", 1)+strings.Replace(document, "%s", "b", 1)))
	r.put("calls.2", strings.Replace(document, "%s", "c", 1))
	r.rest()
	r.poll()
	r.forget()
	r.put("calls.1", strings.Replace(document, "%s", "a", 1)+strings.Replace(document, "%s", "b", 1))
	r.zipFile("calls.2")
	r.rest()
	r.poll()
	r.is("a", "b", "c")
}

// FuzzZipped: whatever a file with the name .gz holds, it is read or set aside, and others are
// read.
func FuzzZipped(f *testing.F) {
	f.Add([]byte(zip(line("b"))))
	f.Add([]byte(zip(line("b"))[:20]))
	f.Add([]byte("\x1f\x8b\x08"))
	f.Fuzz(func(t *testing.T, content []byte) {
		r := read(t, filesDefinition(csvLines), "calls: {}, paths: ['calls*']")
		r.put("calls.1.gz", string(content))
		r.put("calls", line("a"))
		r.pass(2 * time.Hour)
		r.poll()
		if r.rows["a"] == 0 || len(r.troubles) > 0 {
			t.Errorf("%v, troubles %q", r.rows, r.troubles)
		}
	})
}

// TestZippedJustNow: a command, which reads once, doesn't do without a file that was compressed or renamed just now.
func TestZippedJustNow(t *testing.T) {
	for _, how := range []string{csvLines, "read: whole, format: csv, columns: [start, state, trunk]"} {
		r := read(t, filesDefinition(how), "calls: {}, paths: ['calls*']")
		r.put("calls.1.gz", zip(line("a")))
		r.must(os.Chtimes(r.path("calls.1.gz"), r.now.Add(-24*time.Hour), r.now.Add(-24*time.Hour)))
		r.put("calls.2.gz", zip(line("b")))
		rows, held, said := 0, false, ""
		for page, err := range r.info.Reader.Pages(t.Context(), time.Unix(0, 0), r.now) {
			if waits, is := errors.AsType[*collector.Waiting](err); is {
				held, said = waits.Holds, err.Error()
			} else if err != nil {
				t.Fatal(err)
			} else {
				rows += len(page.Records)
			}
		}
		if rows != 1 && !held {
			t.Errorf("%s: %d rows of 1, and nothing said", how[:11], rows)
		}
		if !strings.HasSuffix(said, "; and 1 more") {
			t.Errorf("%s: calls.2.gz, which was written just now, is left out: %s", how[:11], said)
		}
	}
}

// TestZippedJustNowInAHistory: a first history isn't over while a file that was compressed just now isn't read.
func TestZippedJustNowInAHistory(t *testing.T) {
	for _, how := range []string{csvLines, "read: whole, format: csv, columns: [start, state, trunk]"} {
		r := read(t, filesDefinition(how), "calls: {}, paths: ['calls*']")
		r.put("calls.1.gz", zip(line("a")))
		r.put("calls.2", line("b"))
		for _, name := range []string{"calls.1.gz", "calls.2"} {
			r.must(os.Chtimes(r.path(name), r.now.Add(-24*time.Hour), r.now.Add(-24*time.Hour)))
		}
		r.put("calls.3.gz", zip(line("c"))) // the newest, which isn't a part of the history
		if r.poll(); r.history || r.waits != "held" || r.rows["b"] != 1 {
			t.Errorf("%s: the history is over without calls.1.gz, waits %q, rows %v", how[:11], r.waits, r.rows)
		}
		r.pass(time.Minute)
		if r.poll(); !r.history {
			t.Errorf("%s: the history isn't over", how[:11])
		}
		r.is("a", "b", "c")
		r.put("calls.4.gz", zip(line("d")))
		r.must(os.Chtimes(r.path("calls.4.gz"), r.now.Add(-24*time.Hour), r.now.Add(-24*time.Hour)))
		r.now = time.Now()
		r.expect("compressed just now, behind the history", "", "a", "b", "c")
	}
}
