package disksort_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/analysis/disksort"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestOrder: entries come in the order of their bytes, equal and empty ones too, as often as they
// are read, in memory and on disk. No file is left.
func TestOrder(t *testing.T) {
	for name, n := range map[string]int{"no entries": 0, "in memory": 1000, "on disk": 100_000} {
		t.Run(name, func(t *testing.T) {
			random, folder := rand.New(rand.NewPCG(1, 2)), t.TempDir() //nolint:gosec // a test
			s := disksort.New(folder)
			var want [][]byte
			for range n {
				entry := fmt.Appendf(nil, "%0*d", random.IntN(500), random.IntN(1000))
				if random.IntN(10) == 0 {
					entry = nil
				}
				want = append(want, entry)
				require.NoError(t, s.Add(entry))
			}
			slices.SortFunc(want, bytes.Compare)
			for range 2 {
				at := 0
				for entry, err := range s.All() {
					if err != nil || at == len(want) || !bytes.Equal(entry, want[at]) {
						t.Fatalf("entry %d is %q: %v", at, entry, err)
					}
					at++
				}
				if at != n {
					t.Fatalf("%d entries of %d", at, n)
				}
			}
			require.NoError(t, s.Close())
			if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
				t.Errorf("%v is left: %v", left, err)
			}
		})
	}
}

// TestNoRoom: an entry that can't be kept is an error that says what to do.
func TestNoRoom(t *testing.T) {
	s := disksort.New("/nowhere")
	var err error
	for n := 0; n < 20 && err == nil; n++ {
		err = s.Add(make([]byte, 1<<20))
	}
	if err == nil || !bytes.Contains([]byte(err.Error()), []byte("free some space where temporary files go (TMPDIR)")) {
		t.Errorf("got the error %v", err)
	}
}
