package files_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var (
	wholeCSV  = filesDefinition("read: whole, format: csv, skip: 1, quiet: 10s")
	wholeJSON = filesDefinition("read: whole, format: json")
)

const (
	document = `{"start":1795428001,"state":"busy","trunk":"%s"}`
	heading  = "start,state,trunk\nINTEGER,VARCHAR,VARCHAR\n"
)

// rest lets the files rest for longer than quiet.
func (r *reading) rest() { r.now = r.now.Add(time.Minute) }

func TestWholeFiles(t *testing.T) {
	for _, c := range []struct {
		name, definition string
		steps            func(r *reading)
		want             []string
		invalid          string
	}{
		{"a file that rests", wholeCSV, func(r *reading) {
			r.add("cdr_1", heading+line("a")+"1795428001,busy,b")
			if r.poll(); len(r.rows) > 0 {
				r.t.Error("it was read while it was written")
			}
			r.rest()
		}, []string{"a", "b"}, ""},
		{
			"rows with an id, in two files",
			strings.Replace(wholeCSV, "trunk: trunk", "trunk: trunk\n      id: trunk", 1),
			func(r *reading) {
				r.add("cdr_1", heading+line("a")+line("b"))
				r.add("cdr_2", heading+line("b"))
				r.rest()
			},
			[]string{"a", "b"},
			"",
		},
		{"equal first bytes", wholeCSV, func(r *reading) {
			r.add("cdr_1", heading+line("a"))
			r.add("cdr_2", heading+line("b"))
			r.rest()
		}, []string{"a", "b"}, ""},
		{"half of it rested", wholeCSV, func(r *reading) {
			r.add("cdr_1", heading+line("a"))
			r.rest()
			r.poll()
			r.add("cdr_1", line("b"))
		}, []string{"a", "b"}, ""},
		{"half a row rested", wholeCSV, func(r *reading) {
			r.add("cdr_1", heading+line("a")+"1795428001,busy")
			r.rest()
			r.poll()
			r.is("a")
			r.add("cdr_1", ",b\n"+line("c"))
		}, []string{"a", "b", "c"}, ""},
		{"half a row within quotes rested", wholeCSV, func(r *reading) {
			r.add("cdr_1", heading+line("a")+"1795428001,busy,\"b")
			r.rest()
			r.poll()
			r.add("cdr_1", ",c\"\n")
		}, []string{"a", "b,c"}, ""},
		{"a last row that stays short", wholeCSV, func(r *reading) {
			r.add("cdr_1", heading+line("a")+"1795428001,busy")
		}, []string{"a", ""}, ""},
		{"a long line within", wholeCSV, func(r *reading) {
			r.add("cdr_1", heading+line("a")+strings.Repeat("x", 2<<20)+"\n"+line("b"))
			r.rest()
			r.poll()
			r.is("a", "b")
		}, []string{"a", "b"}, "the line is longer than 1 MiB"},
		{"half a document", wholeJSON, func(r *reading) {
			r.add("cdr_1", `{"start":17954`)
			r.rest()
			r.poll()
			r.add("cdr_1", `28001,"state":"busy","trunk":"a"}`)
		}, []string{"a"}, ""},
		{"an empty list behind a document", wholeJSON, func(r *reading) {
			r.add("cdr_1", fmt.Sprintf(document, "a"))
			r.add("cdr_2", "[]")
		}, []string{"a"}, ""},
		{"a document that stays broken", wholeJSON, func(r *reading) {
			r.add("cdr_1", `{"start":17954`)
			r.add("cdr_2", fmt.Sprintf(document, "a"))
			r.now = r.now.Add(2 * time.Hour)
		}, []string{"a"}, "the file isn't valid JSON"},
		{
			"an array", strings.Replace(wholeJSON, "    record:", "    rows: data.calls\n    record:", 1),
			func(r *reading) {
				r.add("cdr_1", `{"data":{"calls":[`+fmt.Sprintf(document, "a")+","+fmt.Sprintf(document, "b")+"]}}")
			},
			[]string{"a", "b"},
			"",
		},
		{"renamed, copied and back, when all ids are forgotten", wholeJSON, func(r *reading) {
			r.add("cdr_1", fmt.Sprintf(document, "a"))
			r.rest()
			r.poll()
			r.forget()
			r.must(os.Rename(r.path("cdr_1"), r.path("cdr_2")))
			r.poll()
			r.add("cdr_3", fmt.Sprintf(document, "a"))
			r.rest()
			r.poll()
			r.must(os.Rename(r.path("cdr_2"), filepath.Join(r.t.TempDir(), "x")))
			r.must(os.Remove(r.path("cdr_3")))
			r.add("cdr_4", fmt.Sprintf(document, "b"))
			r.now = r.now.Add(20 * 24 * time.Hour)
			r.poll()
			r.add("cdr_1", fmt.Sprintf(document, "a"))
		}, []string{"a", "b"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := read(t, c.definition, "calls: {}, paths: ['cdr_*']")
			c.steps(r)
			r.now = r.now.Add(10 * 24 * time.Hour)
			r.poll()
			r.is(c.want...)
			if got := strings.Join(r.invalid, "; "); got != c.invalid {
				t.Errorf("invalid: %q", got)
			}
			if n := r.poll(); n > 0 || len(r.troubles) > 0 {
				t.Errorf("%d more, troubles %q", n, r.troubles)
			}
		})
	}
}

// TestWholeCrash: the process dies between any two commits, and everything is counted once; files
// that are gone are forgotten.
func TestWholeCrash(t *testing.T) {
	r := read(t, filesDefinition("read: whole, format: csv, columns: [start, state, trunk]"),
		"calls: {}, paths: ['cdr_*']")
	var want []string
	for i := range 40 {
		text, names := lines(i*150, i*150+150)
		want = append(want, names...)
		r.add(fmt.Sprintf("cdr_%d", i), text)
	}
	r.rest()
	r.crashAfter = 1
	for r.poll() > 0 {
	}
	r.is(want...)
	if length := len(r.position); length > 41*160 {
		t.Errorf("the position has %d bytes", length)
	}
}
