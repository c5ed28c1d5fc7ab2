package files_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// writer writes rows to calls.csv as programs and logrotate do, while they are read.
type writer struct {
	*reading

	rng    *rand.Rand
	header string // of every file
	half   string // of a row whose first half was written
	copies bool   // old files match paths
	order  int    // of the values, as the latest names of the file have it
	seen   bool   // a look saw the file since it began
	// named and rotations are how many rows and old files there were.
	named, rotations int
	old              []string
	want             []string
}

// row is a row that nothing else is like; some go over two lines.
func (w *writer) row() string {
	w.named++
	name := fmt.Sprintf("t%d", w.named)
	text := ""
	if w.header != "" && w.rng.IntN(4) == 0 { // a program that was updated writes other names
		w.order = w.rng.IntN(3)
		text = [...]string{w.header, "trunk,start,state\n", "id,queue,state,trunk,start\n"}[w.order]
	}
	switch w.order {
	case 1:
		text += name + ",1795428001,busy\n"
	case 2:
		text += "7,q,busy," + name + ",1795428001\n"
	default:
		text += line(name)
	}
	if text == line(name) && w.rng.IntN(10) == 0 {
		name += "\nx"
		text = "1795428001,busy,\"" + name + "\"\n"
	}
	w.want = append(w.want, name)
	return text
}

func (w *writer) write() {
	text := w.half
	for range w.rng.IntN(5) {
		text += w.row()
	}
	w.half = ""
	if w.rng.IntN(3) == 0 {
		row := w.row()
		at := w.rng.IntN(len(row))
		text, w.half = text+row[:at], row[at:]
	}
	w.add("calls.csv", text)
}

// finish ends the row that was begun: a program writes it to the file that it began it in.
func (w *writer) finish() {
	w.add("calls.csv", w.half)
	w.half = ""
}

// begin begins a file.
func (w *writer) begin() {
	w.add("calls.csv", w.header)
	w.seen, w.order = false, 0
}

func (w *writer) newOld() string {
	w.rotations++
	w.old = append(w.old, fmt.Sprintf("calls.csv.%d", w.rotations))
	return w.old[len(w.old)-1]
}

// rename rotates. If old files don't match paths, one that was never seen can't be found again.
func (w *writer) rename() {
	if w.finish(); !w.copies && !w.seen {
		w.look()
	}
	w.must(os.Rename(w.path("calls.csv"), w.path(w.newOld())))
	w.begin()
}

// copyTruncate copies the file, between two looks in pieces, and truncates it. If the copy isn't read,
// the file is read first.
func (w *writer) copyTruncate() {
	w.finish()
	if !w.copies {
		w.look()
	} else {
		text, err := os.ReadFile(w.path("calls.csv"))
		w.must(err)
		old, at := w.newOld(), w.rng.IntN(len(text)+1)
		w.add(old, string(text[:at]))
		if w.rng.IntN(2) == 0 {
			w.look()
		}
		w.add(old, string(text[at:]))
		if w.rng.IntN(2) == 0 {
			w.look()
		}
	}
	w.must(os.Truncate(w.path("calls.csv"), 0))
	w.begin()
}

// remove removes an old file whose rows were read.
func (w *writer) remove() {
	w.look()
	if len(w.old) > 0 {
		at := w.rng.IntN(len(w.old))
		w.must(os.Remove(w.path(w.old[at])))
		w.old = append(w.old[:at], w.old[at+1:]...)
	}
}

// look reads to the end; the ledger has forgotten all ids, so that only the position says what is known.
func (w *writer) look() {
	w.crashAfter, w.seen = 0, true
	w.forget()
	w.poll()
}

// TestLinesModel (definitions.md 3): whatever a program and logrotate do, and wherever the process
// dies, each row is counted once.
func TestLinesModel(t *testing.T) {
	for _, c := range []struct {
		name, files, paths, header string
	}{
		{"the live file", csvLines, "calls.csv", ""},
		{"all files", csvLines, "calls.csv*", ""},
		{"names in each file", "read: lines, format: csv", "calls.csv*", "start,state,trunk\n"},
		{"names in the live file", "read: lines, format: csv", "calls.csv", "start,state,trunk\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(60) {
				block := "calls: {}, paths: ['" + c.paths + "']"
				w := &writer{
					reading: read(t, filesDefinition(c.files), block), rng: rand.New(rand.NewPCG(seed, 1)),
					header: c.header, copies: strings.Contains(c.paths, "*"),
				}
				w.begin()
				for range 60 {
					switch w.rng.IntN(12) {
					case 0:
						w.rename()
					case 1:
						w.copyTruncate()
					case 2:
						w.remove()
					case 3: // the process dies
						w.crashAfter = 1
						w.forget()
						w.poll()
						w.open(filesDefinition(c.files), block)
					case 4:
						if len(w.want) > 0 && strings.Contains(w.want[len(w.want)-1], "\n") {
							w.finish() // a row in quotes waits for a minute only
						}
						w.now = w.now.Add(time.Duration(w.rng.IntN(60)) * time.Hour)
					case 5, 6:
						w.look()
					default:
						w.write()
					}
				}
				w.finish()
				w.look()
				if w.is(w.want...); t.Failed() {
					t.Fatalf("seed %d", seed)
				}
			}
		})
	}
}

// FuzzFilePosition: no stored position crashes a look, and one that is taken is given again.
func FuzzFilePosition(f *testing.F) {
	for _, files := range []string{csvLines, "read: whole, format: csv, columns: [start, state, trunk]"} {
		r := &reading{
			t: new(testing.T), folder: f.TempDir(), now: time.Now().Add(time.Hour), rows: map[string]int{},
			places: map[string]bool{},
		}
		r.open(filesDefinition(files), "calls: {}, paths: [calls.csv]")
		r.add("calls.csv", line("a"))
		for page, err := range r.info.Stream.Pages(f.Context(), collector.StreamPosition{Now: r.now}) {
			require.NoError(f, err)
			r.commit(page)
		}
		f.Add(r.position)
	}
	f.Add([]byte{1, 1})
	f.Fuzz(func(t *testing.T, position []byte) {
		for _, files := range []string{csvLines, "read: whole, format: csv, columns: [start, state, trunk]"} {
			r := read(t, filesDefinition(files), "calls: {}, paths: [calls.csv]")
			r.position = position
			r.add("calls.csv", line("a"))
			if r.poll(); len(r.troubles) > 0 {
				continue
			}
			if r.crashAfter = 0; r.poll() > 0 || len(r.troubles) > 0 {
				t.Errorf("it was read again, troubles %q", r.troubles)
			}
		}
	})
}
