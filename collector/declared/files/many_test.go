package files_test

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// changedParts is how many bytes of a position a commit writes.
func changedParts(was, now []byte) (changed int) {
	part := func(data []byte, at int) []byte {
		return data[min(at, len(data)):min(at+counting.ResumePart, len(data))]
	}
	for at := 0; at < max(len(was), len(now)); at += counting.ResumePart {
		if data := part(now, at); !bytes.Equal(part(was, at), data) {
			changed += len(data)
		}
	}
	return changed
}

// TestFileMoreCostsLittle: however many files lie in a folder or are gone, one more writes at most
// 1 KiB of the position. Once a day it is written whole, since it has the day when each file was last
// seen, so the test takes place at noon.
func TestFileMoreCostsLittle(t *testing.T) {
	for _, c := range []struct{ name, definition, text string }{
		{"lines", filesDefinition(csvLines), line("x")},
		{"whole CSV", wholeCSV, heading + line("x")},
		{"documents", wholeJSON, fmt.Sprintf(document, "x")},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := read(t, c.definition, "calls: {}, paths: ['calls*']")
			r.now = r.now.Truncate(24 * time.Hour).Add(36 * time.Hour)
			add := func(i int) { r.add(fmt.Sprintf("calls_%d", i), c.text+fmt.Sprintf("%*s\n", i%7+1, "")) }
			for i := range 400 {
				add(i)
			}
			r.rest()
			r.poll()
			r.rest() // so that what changed is settled
			r.poll()
			for i := range 20 {
				was := r.position
				add(400 + i)
				r.pass(20 * time.Second)
				r.poll()
				if changed := changedParts(was, r.position); changed == 0 || changed > 1<<10 {
					t.Fatalf("%d bytes of %d changed", changed, len(r.position))
				}
			}
		})
	}
}

// TestFilesThatAreGone: the position keeps all files that are present, and all files of a folder that is gone for a
// look. It keeps at most 1000 deleted files, and drops a deleted one whose rows another file has.
func TestFilesThatAreGone(t *testing.T) {
	r := read(t, filesDefinition(csvLines), "calls: {}, paths: ['a/calls*', 'b/calls*']")
	const files = 1100
	move := func(from, to string) { r.must(os.Rename(r.path(from), r.path(to))) }
	again := func(step string) {
		r.forget()
		if n := r.poll(); n > 0 {
			t.Errorf("%s: %d rows were counted again", step, n)
		}
	}
	r.must(os.Mkdir(r.path("a"), 0o700))
	r.must(os.Mkdir(r.path("b"), 0o700))
	r.add("a/calls", line("a"))
	for i := range files {
		r.add(fmt.Sprintf("b/calls.%d", i), line(fmt.Sprint(i)))
	}
	r.poll()
	again("present")
	move("b", "c")
	r.poll()
	move("c", "b")
	again("one folder is back")
	move("a/calls", "calls")
	move("b", "c")
	r.must(os.Mkdir(r.path("b"), 0o700))
	r.poll()
	move("calls", "a/calls")
	r.must(os.Remove(r.path("b")))
	move("c", "b")
	again("all files are back")
	r.must(os.RemoveAll(r.path("b")))
	r.must(os.Mkdir(r.path("b"), 0o700))
	r.poll()
	most := len(r.position)
	for i := range 120 {
		r.add(fmt.Sprintf("a/calls.%d", i), line(fmt.Sprint("x", i)))
		r.poll()
		r.must(os.Remove(r.path(fmt.Sprintf("a/calls.%d", i))))
	}
	if n := len(r.position); n > most {
		t.Errorf("the position grew from %d bytes to %d", most, n)
	}

	r = read(t, filesDefinition(csvLines), "calls: {}, paths: ['calls*']")
	for i := range 20 {
		r.add("calls.new", "")
		r.add("calls", line(fmt.Sprint(i)))
		r.poll()
		r.must(os.Remove(r.path("calls.new")))
		r.zipFile("calls")
		move("calls.gz", fmt.Sprintf("calls.%d.gz", i))
		r.pass(3 * 24 * time.Hour)
		r.poll()
	}
	if n := len(r.position); n > 25*160 {
		t.Errorf("the position of 20 files has %d bytes", n)
	}
}

// TestWorkGrowsWithFiles: the work for one of many new files is the same, however many there are.
func TestWorkGrowsWithFiles(t *testing.T) {
	const names = "start,state,trunk\n"
	row := func(i int) string { return line(fmt.Sprintf("%0*d", 5+i%40, i)) }
	for _, c := range []struct {
		name, definition string
		text             func(i int) string
	}{
		{"lines", filesDefinition(csvLines), row},
		{
			"lines behind equal names", filesDefinition("read: lines, format: csv"),
			func(i int) string { return names + row(i) },
		},
		{
			"a last line without an end", filesDefinition("read: lines, format: csv"),
			func(i int) string { return strings.TrimSpace(names + row(i)) },
		},
		{"objects", filesDefinition("read: lines, format: jsonl"), func(i int) string {
			return fmt.Sprintf(`{"start":1795428001,"state":"busy","trunk":"%0*d"}`, 5+i%40, i)
		}},
		{"whole CSV", wholeCSV, func(i int) string { return heading + row(i) }},
		{"documents", wholeJSON, func(i int) string { return fmt.Sprintf(document, fmt.Sprintf("%0*d", 5+i%40, i)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			perFile := func(n int) uint64 {
				r := read(t, c.definition, "calls: {}, paths: ['calls*']")
				for i := range n {
					r.add(fmt.Sprintf("calls.%d", i), c.text(i))
				}
				r.add("calls", "")
				r.rest()
				r.pass(30 * time.Minute)
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				if got := r.poll(); got != n {
					t.Fatalf("%d of %d rows were read: %v %v", got, n, r.troubles, r.invalid)
				}
				runtime.ReadMemStats(&after)
				return (after.TotalAlloc - before.TotalAlloc) / uint64(n)
			}
			few, many := perFile(200), perFile(800)
			if many > 2*few {
				t.Errorf("one of 200 files allocates %d bytes, one of 800 files %d", few, many)
			}
		})
	}
}
