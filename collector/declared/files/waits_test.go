package files_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// pass lets time pass.
func (r *reading) pass(d time.Duration) { r.now = r.now.Add(d) }

// expect polls, and compares the rows that were counted since the beginning, and what waits.
func (r *reading) expect(step, waits string, want ...string) {
	r.t.Helper()
	r.poll()
	if r.is(want...); r.waits != waits {
		r.t.Errorf("%s: waits %q, want %q; troubles: %q", step, r.waits, waits, r.troubles)
	}
}

// goOn lets a program write on to calls, which has a stray quote, for a minute. Then the line behind it, and those that
// came since, are read.
func (r *reading) goOn(at int, before ...string) {
	r.t.Helper()
	for range 5 {
		r.expect("within a minute", "held", before...)
		r.pass(10 * time.Second)
		r.add("calls", line(fmt.Sprint("n", r.now.Unix())))
	}
	want := fmt.Sprintf("bytes from byte %d on begin with a row whose quotes have no end yet", at)
	if !strings.Contains(r.troubles[0], want) {
		r.t.Errorf("troubles: %q", r.troubles)
	}
	r.pass(10 * time.Second)
	if r.poll(); len(r.rows) != len(before)+6 || r.waits != "" {
		r.t.Errorf("after a minute: %v, waits %q", r.rows, r.waits)
	}
}

// TestRowsThatWait: no row waits for ever, none is read before it is complete, and what waits is
// said.
func TestRowsThatWait(t *testing.T) {
	const open = "1795428001,busy,\"b\n"
	jsonl := filesDefinition("read: lines, format: jsonl")
	for _, c := range []struct {
		name, definition string
		steps            func(r *reading)
	}{
		{"a last row without an end, of a file that was renamed", filesDefinition(csvLines), func(r *reading) {
			r.add("calls", line("a")+"1795428001,busy,b")
			r.expect("live", "", "a")
			r.must(os.Rename(r.path("calls"), r.path("calls.1")))
			r.pass(5 * time.Second)
			r.expect("renamed", "", "a")
			r.pass(5 * time.Second)
			r.expect("at rest", "", "a", "b")
			r.add("calls.1", "\n"+line("c"))
			r.expect("an end of line after all", "", "a", "b", "c")
		}},
		{"one of a file that was renamed before it was seen", filesDefinition(csvLines), func(r *reading) {
			r.add("calls.1", "1795428001,busy,a")
			r.add("calls-20261122", "1795428001,busy,b")
			r.add("calls", line("c"))
			r.pass(10 * time.Second)
			r.expect("at rest", "", "a", "b", "c")
		}},
		{"one of a live file of the day, next to an old file", filesDefinition(csvLines), func(r *reading) {
			r.add("calls", line("a"))
			r.pass(time.Hour)
			r.add("calls.20261123", "1795428001,busy,b")
			r.pass(10 * time.Second)
			r.expect("at rest", "", "a")
			r.add("calls.20261123", "c\n")
			r.expect("written to its end", "", "a", "bc")
		}},
		{"one of a file that isn't the newest", filesDefinition(csvLines), func(r *reading) {
			r.add("calls_1", "1795428001,busy,a")
			r.pass(time.Second)
			r.add("calls_2", line("b"))
			r.pass(59 * time.Minute)
			r.expect("for less than an hour", "on", "b")
			r.pass(time.Minute)
			r.expect("for an hour", "", "a", "b")
		}},
		{"one of the live file", filesDefinition(csvLines), func(r *reading) {
			r.add("calls", line("a")+"1795428001,busy,b")
			r.expect("at first", "", "a")
			r.pass(time.Minute)
			r.expect("for a minute", "on", "a")
			r.pass(5 * time.Hour)
			r.expect("for hours", "on", "a")
			r.add("calls", "c\n")
			r.expect("written to its end", "", "a", "bc")
		}},
		{"a stray quote in a file that was rotated", filesDefinition(csvLines), func(r *reading) {
			r.add("calls", line("a"))
			r.poll()
			r.add("calls", open+line("c")+line("d"))
			r.must(os.Rename(r.path("calls"), r.path("calls.1")))
			r.add("calls", line("e"))
			r.expect("rotated", "held", "a", "e")
			r.pass(10 * time.Second)
			r.expect("at rest", "", "a", "c", "d", "e")
		}},
		{"a stray quote in the live file", filesDefinition(csvLines), func(r *reading) {
			r.add("calls", line("a"))
			r.expect("before it", "", "a")
			r.add("calls", open+line("c"))
			r.goOn(18, "a")
		}},
		{"a stray quote at the beginning of the live file", filesDefinition(csvLines), func(r *reading) {
			r.add("calls", open+line("c"))
			r.goOn(0)
		}},
		{"a stray quote behind a row over two lines", filesDefinition(csvLines), func(r *reading) {
			r.add("calls", open)
			r.expect("half", "held")
			r.add("calls", "x\"\n"+open+line("c"))
			r.goOn(22, "b\nx")
		}},
		{"a row over two lines", filesDefinition(csvLines), func(r *reading) {
			r.add("calls", open)
			r.expect("half", "held")
			r.add("calls", "c\"\n")
			r.expect("whole", "", "b\nc")
		}},
		{"a row over two lines, where the file had another one before", filesDefinition(csvLines), func(r *reading) {
			r.add("calls", open)
			r.expect("half", "held")
			r.add("calls", "c\"\n")
			r.expect("whole", "", "b\nc")
			r.pass(time.Minute)
			r.must(os.Truncate(r.path("calls"), 0))
			r.add("calls", "1795428001,busy,\"d\n")
			r.expect("half of another one", "held", "b\nc")
			r.add("calls", "e\"\n")
			r.expect("the whole of it", "", "b\nc", "d\ne")
		}},
		{"a value with quotes", filesDefinition(csvLines), func(r *reading) {
			r.add("calls", `1795428001,busy,""b" <1>"`+"\n"+`1795428001,busy,"c, ""d"", "e" f",""`+"\n")
			r.expect("at once", "", `"b" <1>`, `c, "d", "e" f`)
		}},
		{"objects without an end of line", jsonl, func(r *reading) {
			r.add("calls", fmt.Sprintf(document, "a")+fmt.Sprintf(document, "b"))
			r.expect("at once", "", "a", "b")
			r.add("calls", fmt.Sprintf(document, "c")[:20])
			r.expect("a third one begins", "", "a", "b")
			r.add("calls", fmt.Sprintf(document, "c")[20:])
			r.expect("and ends", "", "a", "b", "c")
		}},
		{"an array without an end of line", jsonl, func(r *reading) {
			r.add("calls", "["+fmt.Sprintf(document, "a")+","+fmt.Sprintf(document, "b")+"]")
			r.pass(time.Hour)
			r.expect("at once", "", "a", "b")
		}},
		{"a document that can't be read", wholeJSON, func(r *reading) {
			r.add("calls", `{"start":17954`)
			r.expect("while it is written", "")
			r.pass(10 * time.Second)
			r.expect("at rest", "held")
			if _, err := r.info.Probe(r.t.Context()); err == nil {
				r.t.Error("check sources says nothing")
			}
			r.pass(time.Hour)
			r.expect("set aside", "")
		}},
		{"a whole file that pauses within its last value", wholeCSV, func(r *reading) {
			r.add("calls", heading+line("a")+"1795428001,busy,b")
			r.pass(59 * time.Minute)
			r.expect("for less than an hour", "on", "a")
			r.forget()
			r.add("calls", "c\n"+line("d")+"1795428001,busy,e")
			r.pass(time.Minute)
			r.expect("written to its end", "on", "a", "bc", "d")
			r.pass(time.Hour)
			r.expect("for an hour", "", "a", "bc", "d", "e")
			r.forget()
			r.add("calls", "\n"+line("f"))
			r.pass(time.Minute)
			r.expect("after all", "", "a", "bc", "d", "e", "f")
		}},
		{"a stray quote in a whole file", wholeCSV, func(r *reading) {
			r.add("calls", heading+line("a")+open+line("c"))
			r.pass(10 * time.Second)
			r.expect("at rest", "held", "a")
			r.pass(50 * time.Second)
			r.expect("for a minute", "", "a", "c")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := read(t, c.definition, "calls: {}, paths: ['calls*']")
			c.steps(r)
			if n := r.poll(); n > 0 {
				t.Errorf("%d more", n)
			}
		})
	}
}

// TestFilesWithEqualEnds: files whose first and last bytes and whose lengths are the same are
// different files.
func TestFilesWithEqualEnds(t *testing.T) {
	text := func(from int) (text string, names []string) {
		begin, _ := lines(1000, 1100)
		middle, names := lines(from, from+200)
		end, _ := lines(2000, 2100)
		return begin + middle + end, names
	}
	first, a := text(3000)
	second, b := text(4000)
	_, begin := lines(1000, 1100)
	_, end := lines(2000, 2100)
	for _, c := range []struct {
		name  string
		write func(r *reading)
	}{
		{"another file", func(r *reading) { r.add("calls.2", second) }},
		{"a shorter one", func(r *reading) { r.add("calls.2", second[:strings.Index(second, line("t2000"))]) }},
		{"in its place", func(r *reading) {
			r.must(os.Remove(r.path("calls.1")))
			r.add("calls.1", second)
		}},
		{"truncated and written to", func(r *reading) {
			r.must(os.Truncate(r.path("calls.1"), 0))
			r.add("calls.1", second)
		}},
		{"truncated and longer", func(r *reading) {
			r.must(os.Truncate(r.path("calls.1"), 0))
			r.add("calls.1", second+line("z"))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, definition := range []string{filesDefinition(csvLines), wholeCSV} {
				r := read(t, definition, "calls: {}, paths: ['calls*']")
				prefix := ""
				if definition == wholeCSV {
					prefix = heading
				}
				r.add("calls.1", prefix+first)
				r.rest()
				r.poll()
				if prefix == "" {
					c.write(r)
				} else {
					r.must(os.Remove(r.path("calls.1")))
					r.add("calls.2", prefix+second)
				}
				r.rest()
				r.poll()
				for _, name := range append(append(append(a, b...), begin...), end...) {
					if r.rows[name] == 0 {
						t.Fatalf("%s wasn't counted", name)
					}
				}
			}
		})
	}
}

// TestWholeFileGrows: a file of CSV to which rows are added for longer than ids are known for.
func TestWholeFileGrows(t *testing.T) {
	r := read(t, wholeCSV, "calls: {}, paths: ['calls*']")
	r.add("calls", heading)
	var want []string
	for i := range 20 {
		text, names := lines(10*i, 10*i+10)
		want = append(want, names...)
		r.add("calls", text)
		r.rest()
		r.expect("a batch", "", want...)
		r.forget()
		r.pass(24 * time.Hour)
	}
}

// TestTrySavedFiles: the problems of a saved file speak of a file, and not of an answer that was
// cut.
func TestTrySavedFiles(t *testing.T) {
	one := fmt.Sprintf(document, "a")
	for _, c := range []struct{ name, text, want string }{
		{"an object a line", one + "\n" + one, ""},
		{"objects without an end of line", one + one, ""},
		{"objects over several lines", strings.ReplaceAll(one+one, ",", ",\n"), "pretty"},
		{"a last line that isn't whole", one + "\n" + one[:20], "it isn't valid JSON"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, files := range []string{"read: lines, format: jsonl", "read: whole, format: json"} {
				d, err := declared.Load("d.yaml", []byte(filesDefinition(files)))
				require.NoError(t, err)
				feed, got := d.Feeds["calls"], ""
				for _, m := range declared.NewMapper(&feed, declared.MapperSettings{}).Try([]byte(c.text)) {
					got += m.Invalid
				}
				if c.want == "pretty" { // lines can't be read so
					if lines := strings.Contains(files, "lines"); lines != (got != "") {
						t.Errorf("%s: %q", files, got)
					}
				} else if got != c.want {
					t.Errorf("%s: %q, want %q", files, got, c.want)
				}
			}
		})
	}
}

// TestTryTitles: lines before the names are passed over in a saved file too, whatever they look like.
func TestTryTitles(t *testing.T) {
	d, err := declared.Load("d.yaml", []byte(filesDefinition("read: whole, format: csv, titles: 2, skip: 1")))
	require.NoError(t, err)
	feed := d.Feeds["calls"]
	for text, want := range map[string]string{
		"\nReport\n" + heading + line("a"):     "a",
		"[Report]\n{}\n" + heading + line("a"): "a",
		"{}\n\n" + heading + line("a"):         "a",
		"Report\nof calls\n":                   "the text ends before the names of its columns",
		"\xff\xfeR\x00\n\x00\n\x00s\x00\n\x00": "its first line doesn't name the columns: it is in UTF-16; " +
			"convert the file to UTF-8, or let its program write UTF-8",
	} {
		var got []string
		for _, m := range declared.NewMapper(&feed, declared.MapperSettings{}).Try([]byte(text)) {
			if got = append(got, m.Invalid); m.Record != nil {
				got[len(got)-1] = m.Record.Trunk
			}
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
