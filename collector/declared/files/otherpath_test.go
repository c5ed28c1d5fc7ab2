package files_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestOtherPathOfALiveFile: a file that is found at another path, since its folder is mounted elsewhere or paths are
// written differently, is still being written: its last line waits for its end.
func TestOtherPathOfALiveFile(t *testing.T) {
	definition := filesDefinition("read: lines, format: csv, columns: [start, state, trunk]")
	for _, moved := range []bool{false, true} {
		r := read(t, definition, "calls: {}, paths: ['calls.csv*']")
		r.add("calls.csv", line("a"))
		r.rest()
		r.poll()
		folder := r.folder
		if moved {
			folder = filepath.Join(t.TempDir(), "mounted")
			r.must(os.Symlink(r.folder, folder))
		}
		r.open(definition, "calls: {}, paths: ['"+folder+"/calls.csv*']")
		r.poll()
		r.add("calls.csv", "1795428001,busy,b") // a program that buffers pauses within a line
		r.pass(time.Minute / 2)
		r.poll()
		r.add("calls.csv", "erlin\n")
		r.rest()
		r.poll()
		if r.is("a", "berlin"); len(r.invalid) > 0 {
			t.Errorf("moved %t: set aside %q", moved, r.invalid)
		}
	}
}
