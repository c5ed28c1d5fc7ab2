package files_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// TestFileCopiedOver: somebody copies a growing file over itself again and again, and the reader looks at it meanwhile.
func TestFileCopiedOver(t *testing.T) {
	const all, more = "1795428001,busy,a\n1795428001,busy,b\n1795428001,busy,c\n", "1795428001,busy,d\n"
	for _, c := range []struct {
		name  string
		begin func(r *reading)
	}{
		{"in place", func(r *reading) { r.must(os.Truncate(r.path("calls.csv"), 0)) }},
		{"in place, and empty for a look", func(r *reading) {
			r.must(os.Truncate(r.path("calls.csv"), 0))
			r.poll()
		}},
		{"removed before", func(r *reading) { r.must(os.Remove(r.path("calls.csv"))) }},
		{"removed before, and gone for a look", func(r *reading) {
			r.must(os.Remove(r.path("calls.csv")))
			r.poll()
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := read(t, filesDefinition(csvLines), "calls: {}, paths: [calls.csv]")
			r.add("calls.csv", all)
			r.expect("first", "", "a", "b", "c")
			r.forget()
			r.pass(10 * 24 * time.Hour)
			c.begin(r)
			r.add("calls.csv", all[:len(all)*2/3])
			r.expect("half of the copy", "held", "a", "b", "c")
			r.pass(5 * time.Second)
			r.add("calls.csv", all[len(all)*2/3:]+more)
			r.expect("the copy", "", "a", "b", "c", "d")
		})
	}
	for _, c := range []struct{ name, files, head string }{
		{"names are there first", "read: lines, format: csv", "start,state,trunk\n"},
		{"names are there first, twice", "read: lines, format: csv", "start,state,trunk\nstart,state,trunk\n"},
		{"names are there first, although the columns are given", csvLines, "start,state,trunk\n"},
		{"a blank line is there first", csvLines, "\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := read(t, filesDefinition(c.files), "calls: {}, paths: [calls.csv]")
			r.add("calls.csv", c.head+all)
			r.expect("first", "", "a", "b", "c")
			r.forget()
			r.pass(10 * 24 * time.Hour)
			r.must(os.Remove(r.path("calls.csv")))
			r.add("calls.csv", c.head+all[:5])
			r.expect("the head of the copy", "", "a", "b", "c")
			r.add("calls.csv", all[5:len(all)*2/3])
			r.expect("half of the copy", "held", "a", "b", "c")
			r.pass(5 * time.Second)
			r.add("calls.csv", all[len(all)*2/3:]+more)
			r.expect("the copy", "", "a", "b", "c", "d")
		})
	}
	t.Run("another file with the same first line", func(t *testing.T) {
		r := read(t, filesDefinition(csvLines), "calls: {}, paths: [calls.csv]")
		r.add("calls.csv", all+more)
		r.poll()
		r.must(os.Truncate(r.path("calls.csv"), 0))
		r.add("calls.csv", all[:len(all)/3]+line("z"))
		r.expect("written just now", "held", "a", "b", "c", "d")
		r.pass(11 * time.Second)
		r.expect("it rests", "", "a", "b", "c", "d", "z")
		r.add("calls.csv", line("y"))
		r.expect("it grows", "", "a", "b", "c", "d", "z", "y")
	})
	t.Run("a first line that each file has", func(t *testing.T) {
		r := read(t, filesDefinition(csvLines), "calls: {}, paths: ['calls.csv*']")
		r.add("calls.csv.1", line("a")+line("b"))
		r.add("calls.csv", all)
		r.poll()
		r.must(os.Remove(r.path("calls.csv")))
		r.add("calls.csv", line("a")+line("z")+line("y"))
		r.expect("written just now", "", "a", "b", "c", "z", "y")
		r.add("calls.csv.2", line("a")+line("x"))
		r.expect("a shorter one", "", "a", "b", "c", "z", "y", "x")
	})
}

// TestDocumentGrows: a document to which records are added for longer than ids are known for.
func TestDocumentGrows(t *testing.T) {
	for _, c := range []struct{ name, definition, begin, between, end, row string }{
		{"an array", wholeJSON, "[", ",", "]", document},
		{"objects", wholeJSON, "", "\n", "\n", document},
		{"elements", xmlDefinition("    rows: cdr\n", ""), "<r>", "", "</r>", element("%s")},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := read(t, c.definition, "calls: {}, paths: ['calls*']")
			var all, want []string
			for i := range 8 {
				name := fmt.Sprintf("t%d", i)
				want, all = append(want, name), append(all, fmt.Sprintf(c.row, name))
				r.must(os.WriteFile(r.path("calls"), nil, 0o600))
				r.add("calls", c.begin+strings.Join(all, c.between)+c.end)
				r.rest()
				r.expect(name, "", want...)
				r.forget()
				r.pass(24 * time.Hour)
			}
		})
	}
}
