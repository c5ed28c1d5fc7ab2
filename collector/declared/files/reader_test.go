package files_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/advice"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/declaredtest"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// filesDefinition is a definition of rows in files; more is keys of files.
func filesDefinition(files string) string {
	return `provider: acmetel
files: {` + files + `}
feeds:
  calls:
    record:
      start: {path: start, time: unix}
      outcome: {path: state, table: {busy: busy, done: answered}}
      trunk: trunk
`
}

// reading is a source that reads files of a folder, with what a ledger would keep of it.
type reading struct {
	t        *testing.T
	folder   string
	info     *collector.FeedInfo
	position []byte
	now      time.Time
	rows     map[string]int // trunks of the rows that were counted
	places   map[string]bool
	invalid  []string
	troubles []string
	partial  bool   // the other files were read
	waits    string // on: something waits; held: the watermark too
	history  bool
	// within is done once, behind the first page of a look.
	within func()
	// crashAfter is how many pages are committed before the process dies; 0: it doesn't.
	crashAfter int
}

// read opens a source that reads files. block is the text of the source's block.
func read(t *testing.T, definition, block string) *reading {
	t.Helper()
	r := &reading{t: t, folder: t.TempDir(), now: time.Now(), rows: map[string]int{}, places: map[string]bool{}}
	r.open(definition, block)
	return r
}

func (r *reading) open(definition, block string) {
	r.t.Helper()
	source, err := declaredtest.Open(r.folder, definition, block, func() time.Time { return r.now })
	require.NoError(r.t, err)
	r.info = &source.Feeds[0]
}

// poll reads all files, as a loop does, and says how many rows were new.
func (r *reading) poll() (counted int) {
	r.t.Helper()
	r.troubles, r.waits = nil, ""
	pages, misses := 0, false
	for page, err := range r.info.Stream.Pages(r.t.Context(),
		collector.StreamPosition{Resume: r.position, Now: r.now, HistoryDone: r.history}) {
		if err == nil && page.Position != nil {
			misses = page.Position.Misses
		}
		if err != nil {
			r.troubles = append(r.troubles, err.Error())
			_, r.partial = errors.AsType[*collector.Partial](err)
			if w, is := errors.AsType[*collector.Waiting](err); is && w.Holds {
				r.waits = "held"
			} else if is {
				r.waits = "on"
			}
			continue
		}
		if pages++; r.crashAfter > 0 && pages > r.crashAfter {
			return counted
		}
		counted += r.commit(page)
		if r.within != nil {
			r.within()
			r.within = nil
		}
	}
	if want := len(r.troubles) > 0 && r.waits != "on"; pages > 0 && misses != want {
		r.t.Errorf("the last page misses rows: %t, want %t; troubles: %q", misses, want, r.troubles)
	}
	return counted
}

func (r *reading) commit(page *collector.Page) (counted int) {
	r.t.Helper()
	if n := len(page.Records); n > 1000 {
		r.t.Errorf("a page has %d rows", n)
	}
	for _, record := range page.Records {
		key := record.ID + record.Synthetic
		if r.places[key] {
			continue
		}
		r.places[key] = true
		r.rows[record.Trunk]++
		counted++
	}
	for _, bad := range page.Invalid {
		r.invalid = append(r.invalid, bad.Problem)
	}
	if page.Position != nil {
		r.position = slices.Clone(page.Position.Resume)
		r.history = r.history || page.Position.HistoryDone
	}
	return counted
}

// forget is what a ledger does with ids after some days: from here on only the position says what was read.
func (r *reading) forget() { clear(r.places) }

// is compares what was counted with rows, which are each counted once.
func (r *reading) is(want ...string) {
	r.t.Helper()
	for _, row := range want {
		if r.rows[row] != 1 {
			r.t.Errorf("%s was counted %d times", row, r.rows[row])
		}
	}
	if len(r.rows) != len(want) {
		r.t.Errorf("%d rows were counted, want %d: %v", len(r.rows), len(want), r.rows)
	}
}

func (r *reading) path(name string) string { return filepath.Join(r.folder, name) }

// add appends text to a file now. The file appears if it isn't there.
func (r *reading) add(name, text string) {
	r.t.Helper()
	f, err := os.OpenFile(r.path(name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.WriteString(text)
		err = errors.Join(err, f.Close(), os.Chtimes(r.path(name), r.now, r.now))
	}
	r.must(err)
}

func (r *reading) must(err error) {
	r.t.Helper()
	require.NoError(r.t, err)
}

// line is a row of CSV whose trunk names it.
func line(name string) string { return "1795428001,busy," + name + "\n" }

func lines(from, to int) (text string, names []string) {
	for i := from; i < to; i++ {
		name := fmt.Sprintf("t%d", i)
		text += line(name)
		names = append(names, name)
	}
	return text, names
}

const csvLines = "read: lines, format: csv, columns: [start, state, trunk]"

func TestLinesOverRotations(t *testing.T) {
	const live = "calls: {}, paths: [calls.csv]"
	for _, c := range []struct {
		name, files, block string
		steps              func(r *reading)
		want               []string
	}{
		{"grows", csvLines, live, func(r *reading) {
			r.add("calls.csv", line("a"))
			r.poll()
			r.add("calls.csv", line("b"))
		}, []string{"a", "b"}},
		{"half a line waits", csvLines, live, func(r *reading) {
			r.add("calls.csv", line("a")+"1795428001,busy,b")
			r.poll()
			r.is("a")
			r.add("calls.csv", "c\n")
		}, []string{"a", "bc"}},
		{"names in the first line", "read: lines, format: csv", live, func(r *reading) {
			r.add("calls.csv", "\ufeff"+`state,"trunk",sta`)
			r.poll()
			r.add("calls.csv", "rt\r\nbusy,a,1795428001\r\n\r\n")
			r.poll()
			r.add("calls.csv", "done,\"b\"\"\nc\",1795428001\r\n")
		}, []string{"a", "b\"\nc"}},
		{"other names in the middle of a file", "read: lines, format: csv", live, func(r *reading) {
			r.add("calls.csv", "start,state,trunk\n"+line("a")+"start,trunk,state\n1795428001,b,busy\n")
			r.poll()
			r.add("calls.csv", "1795428001,c,busy\n")
			r.poll()
			r.add("calls.csv", "id,start,trunk,queue,state\n1,1795428001,d,sales,busy\n")
			r.poll()
			r.add("calls.csv", "2,1795428001,e,sales,busy\nstart,trunk,state\n")
			r.poll()
			r.add("calls.csv", "1795428001,f,busy\n")
		}, []string{"a", "b", "c", "d", "e", "f"}},
		{"fewer names, behind NULs", "read: lines, format: csv", live, func(r *reading) {
			r.add("calls.csv", "id,start,state,trunk,queue\n1,1795428001,busy,a,sales\n\x00\x00start,state,trunk\n")
			r.poll()
			r.add("calls.csv", line("b"))
			r.poll()
			r.add("calls.csv", line("c"))
		}, []string{"a", "b", "c"}},
		{"names twice at the beginning, as the file before had", "read: lines, format: csv", live, func(r *reading) {
			const names = "start,state,trunk\ntrunk,start,state\n"
			r.add("calls.csv", names+"a,1795428001,busy\nb,1795428001,busy\n")
			r.poll()
			r.must(os.Remove(r.path("calls.csv")))
			r.add("calls.csv", names+"c,1795428001,busy\n")
		}, []string{"a", "b", "c"}},
		{"names although the columns are given, as the file before had", csvLines, live, func(r *reading) {
			r.add("calls.csv", "\nstart,state,trunk\n"+line("a")+line("b"))
			r.poll()
			r.must(os.Remove(r.path("calls.csv")))
			r.add("calls.csv", "\nstart,state,trunk\n"+line("c"))
		}, []string{"a", "b", "c"}},
		{"a line of a quoted value isn't names", "read: lines, format: csv", live, func(r *reading) {
			r.add("calls.csv", "start,state,trunk,note\n1795428001,busy,a,\"see\ntrunk,note\nthere\"\n")
			r.poll()
			r.add("calls.csv", "1795428001,busy,b,\n")
		}, []string{"a", "b"}},
		{"renamed between two looks", csvLines, live, func(r *reading) {
			r.add("calls.csv", line("a"))
			r.poll()
			r.add("calls.csv", line("b"))
			r.must(os.Rename(r.path("calls.csv"), r.path("old")))
			r.add("calls.csv", line("c"))
			r.poll()
			r.add("old", line("d"))
		}, []string{"a", "b", "c", "d"}},
		{"equal first lines, and the inode used again", "read: lines, format: csv", live, func(r *reading) {
			for i := range 20 { // one of them gets an inode again
				r.add("calls.csv", "start,state,trunk\n"+line(fmt.Sprint(i)))
				r.poll()
				r.must(os.Remove(r.path("calls.csv")))
			}
		}, strings.Fields("0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19")},
		{"truncated, with a copy that is read", csvLines, "calls: {}, paths: [calls.csv*]", func(r *reading) {
			r.add("calls.csv", line("a")+line("b"))
			r.poll()
			r.forget()
			r.add("calls.csv", line("c"))
			r.add("calls.csv.1", line("a")+"1795428") // a copy on its way
			r.poll()
			r.add("calls.csv.1", "001,busy,b\n"+line("c"))
			r.must(os.Truncate(r.path("calls.csv"), 0))
			r.poll()
			r.add("calls.csv", line("d"))
		}, []string{"a", "b", "c", "d"}},
		{"back under another name after it was gone", csvLines, "calls: {}, paths: [calls.csv*]", func(r *reading) {
			r.add("calls.csv", line("a")+line("b"))
			r.poll()
			r.must(os.Rename(r.path("calls.csv"), filepath.Join(r.t.TempDir(), "x")))
			r.poll()
			r.forget()
			r.now = r.now.Add(20 * 24 * time.Hour)
			r.add("calls.csv", line("c"))
			r.poll()
			r.add("calls.csv.7", line("a")+line("b")+line("d"))
		}, []string{"a", "b", "c", "d"}},
		{"two names", csvLines, "calls: {}, paths: [calls.csv, other.csv, '*.csv']", func(r *reading) {
			r.add("calls.csv", line("a"))
			r.must(os.Link(r.path("calls.csv"), r.path("other.csv")))
		}, []string{"a"}},
		{"shorter after the machine crashed", csvLines, live, func(r *reading) {
			r.add("calls.csv", line("a")+line("b"))
			r.poll()
			r.forget()
			r.now = r.now.Add(24 * time.Hour)
			r.poll()
			r.add("calls.csv", line("c")+line("d"))
			r.poll()
			r.poll()
			r.must(os.Truncate(r.path("calls.csv"), int64(len(line("a")+line("b")+line("c")))))
			r.add("calls.csv", line("e"))
		}, []string{"a", "b", "c", "d", "e"}},
		{"copied by a program that writes a new file each time", csvLines, live, func(r *reading) {
			text := ""
			for i := range 5 {
				text += line(fmt.Sprint(i))
				r.add("new", text)
				r.must(os.Rename(r.path("new"), r.path("calls.csv")))
				r.poll()
				r.forget()
			}
		}, []string{"0", "1", "2", "3", "4"}},
		{"behind a link, renamed in its own folder", csvLines, live, func(r *reading) {
			r.must(os.Mkdir(r.path("data"), 0o700))
			r.add("data/calls", line("a"))
			r.must(os.Symlink("data/calls", r.path("calls.csv")))
			r.poll()
			r.add("data/calls", line("b"))
			r.must(os.Rename(r.path("data/calls"), r.path("data/calls.1")))
			r.add("data/calls", line("c"))
		}, []string{"a", "b", "c"}},
		{"behind links, renamed, and no new file yet", csvLines, live, func(r *reading) {
			r.must(os.Mkdir(r.path("data"), 0o700))
			r.add("data/calls", line("a"))
			r.must(os.Symlink("calls", r.path("data/link")))
			r.must(os.Symlink("data/link", r.path("calls.csv")))
			r.poll()
			r.add("data/calls", line("b"))
			r.must(os.Rename(r.path("data/calls"), r.path("data/calls.1")))
		}, []string{"a", "b"}},
		{"behind a link that leads to the next file", csvLines, live, func(r *reading) {
			r.must(os.Mkdir(r.path("data"), 0o700))
			r.add("data/1", line("a"))
			r.must(os.Symlink("data/1", r.path("calls.csv")))
			r.poll()
			r.add("data/1", line("b"))
			r.add("data/2", line("c"))
			r.must(os.Remove(r.path("calls.csv")))
			r.must(os.Symlink("data/2", r.path("calls.csv")))
		}, []string{"a", "b", "c"}},
		{"renamed, and written by another program", csvLines, live, func(r *reading) {
			r.add("calls.csv", line("a"))
			r.poll()
			r.must(os.Rename(r.path("calls.csv"), r.path("report")))
			r.put("report", line("x"))
			r.poll()
			r.add("calls.csv", line("b"))
			r.poll()
			r.must(os.Rename(r.path("calls.csv"), r.path("report.gz")))
			r.put("report.gz", line("x"))
		}, []string{"a", "b"}},
		{"truncated and written to while it is read", csvLines, live, func(r *reading) {
			text, _ := lines(0, 5000)
			r.add("calls.csv", text)
			r.within = func() {
				clear(r.rows)
				r.put("calls.csv", strings.ReplaceAll(text, "t", "n"))
			}
			r.poll()
			r.poll()
			for i := range 5000 {
				if name := fmt.Sprintf("n%d", i); r.rows[name] == 1 {
					delete(r.rows, name)
				}
			}
		}, nil},
		{"copied and truncated while another one is read", csvLines, "calls: {}, paths: ['calls*']", func(r *reading) {
			r.add("calls.csv", line("a")+line("b")+line("c"))
			r.poll()
			r.forget()
			r.pass(time.Minute)
			text, names := lines(0, 1500)
			r.add("calls.0", text)
			r.pass(time.Second)
			r.add("calls.csv.1", line("a")+line("b")) // a copy on its way
			r.within = func() { r.put("calls.csv", line("d")+line("e")+line("f")) }
			r.poll()
			r.add("calls.csv.1", line("c"))
			for _, name := range names {
				delete(r.rows, name)
			}
		}, []string{"a", "b", "c", "d", "e", "f"}},
		{"compressed", csvLines, "calls: {}, paths: ['calls.csv*']", func(r *reading) {
			r.add("calls.csv", line("a"))
			r.add("calls.csv.1.bz2", line("b"))
		}, []string{"a"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := read(t, filesDefinition(c.files), c.block)
			c.steps(r)
			r.poll()
			r.is(c.want...)
			if n := r.poll(); n > 0 || len(r.troubles) > 0 || len(r.invalid) > 0 {
				t.Errorf("%d more, troubles %q, invalid %q", n, r.troubles, r.invalid)
			}
		})
	}
}

func TestManyLinesAreSeveralPages(t *testing.T) {
	r := read(t, filesDefinition(csvLines), "calls: {}, paths: [calls.csv]")
	text, names := lines(0, 3500)
	r.add("calls.csv", text)
	for r.crashAfter = 1; len(r.rows) < len(names); {
		if r.poll() == 0 {
			t.Fatal("a page has no new row")
		}
		r.forget()
	}
	r.is(names...)
}

func TestFilesThatCannotBeRead(t *testing.T) {
	r := read(t, filesDefinition(csvLines), "calls: {}, paths: [calls.csv, missing/*.csv, names.csv]")
	r.add("calls.csv", line("a")+"1795428001,busy,\"b\n"+line("c")+strings.Repeat("x", 2<<20)+"\n,,\n"+line("d"))
	if r.poll(); len(r.troubles) != 1 || !strings.Contains(r.troubles[0], "missing can't be read: no such file") ||
		!r.partial {
		t.Errorf("troubles: %q; the others are read: %t", r.troubles, r.partial)
	}
	r.is("a", "c", "d")
	if want := []string{
		"the quotes of the row don't fit", "the line is longer than 1 MiB",
		"start is missing",
	}; !slices.Equal(r.invalid, want) || !r.history {
		t.Errorf("invalid: %q; history is shown: %t", r.invalid, r.history)
	}
	_, err := r.info.Probe(t.Context())
	if err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("probe: %v", err)
	}
	r.open(filesDefinition(csvLines), "calls: {}, paths: [missing/*.csv]")
	if r.poll(); len(r.troubles) != 1 || r.partial {
		t.Errorf("troubles without another file: %q; the others are read: %t", r.troubles, r.partial)
	}
	r.must(os.Symlink("circle.csv", r.path("circle.csv")))
	r.open(filesDefinition(csvLines), "calls: {}, paths: [circle.csv]")
	if r.poll(); len(r.troubles) != 1 || !strings.Contains(r.troubles[0], "circle.csv can't be read") {
		t.Errorf("troubles of a link to itself: %q", r.troubles)
	}
	r.open(filesDefinition(csvLines), "calls: {}, paths: [none*.csv]")
	if _, err := r.info.Probe(t.Context()); err == nil || !strings.Contains(err.Error(), "no file matches") {
		t.Errorf("probe without files: %v", err)
	}
	r.position = nil
	if r.poll(); len(r.troubles) != 1 || !strings.Contains(r.troubles[0], "no file matches") {
		t.Errorf("troubles without files: %q", r.troubles)
	}
	r.add("bad.csv", "x,y\nx,y\n")
	r.open(filesDefinition(csvLines), "calls: {}, paths: [bad.csv]")
	if _, err := r.info.Probe(t.Context()); err == nil || !strings.Contains(err.Error(), "none of 2 rows can be read") {
		t.Errorf("probe of rows that can't be read: %v", err)
	}
	r.open(filesDefinition(csvLines), "calls: {}, paths: [calls.csv]")
	if rows, err := r.info.Probe(t.Context()); err != nil || rows != 6 {
		t.Errorf("probe: %d rows, %v", rows, err)
	}
	r.add("utf16.csv", "\xff\xfes\x00\n\x001\x00\n\x00")
	r.open(filesDefinition("read: lines, format: csv"), "calls: {}, paths: [utf16.csv]")
	_, err = r.info.Probe(t.Context())
	a, is := errors.AsType[*advice.Error](err)
	if !is || !strings.Contains(a.What, "convert the file to UTF-8") || strings.Contains(a.Todo, "may read it") {
		t.Errorf("a file in UTF-16: %+v", a)
	}
}

// TestPatternsOfFolders: a pattern of folders may match other files and folders, which isn't a trouble.
// A folder that can't be read is one.
func TestPatternsOfFolders(t *testing.T) {
	for _, paths := range []string{"'*/cdr/calls.csv'", "'*/cdr/*.csv'", "'pbx*/cdr/calls.csv'", "'*/*/calls.csv'"} {
		t.Run(paths, func(t *testing.T) {
			r := read(t, filesDefinition(csvLines), "calls: {}, paths: ["+paths+"]")
			r.must(os.MkdirAll(r.path("pbx1/cdr"), 0o700))
			r.must(os.Mkdir(r.path("pbx2"), 0o700))
			r.must(os.Mkdir(r.path("pbx2/calls.csv"), 0o700))
			r.add("pbx3", "a file")
			r.must(os.MkdirAll(r.path("pbx4/cdr/calls.csv"), 0o700))
			r.must(os.Symlink("missing", r.path("pbx5")))
			r.add("pbx1/cdr/calls.csv", line("a"))
			if r.poll(); len(r.troubles) > 0 {
				t.Errorf("troubles: %q", r.troubles)
			}
			r.is("a")
		})
	}
}
