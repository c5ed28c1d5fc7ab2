package wire

import (
	"strconv"
	"testing"
)

// TestRecords: those that are kept stay in order and as they are, and a batch after a
// reset begins with empty ones that take no memory.
func TestRecords(t *testing.T) {
	var r Records
	batch := func(t *testing.T) {
		for i := range 200 {
			next := r.Next()
			if next.ID != "" || r.Len() != i {
				t.Fatalf("record %d begins as %q", i, next.ID)
			}
			next.ID = "refused"
			next = r.Next()
			next.ID = "kept"
			r.Keep()
		}
	}
	batch(t)
	for i, kept := range r.Kept() {
		if kept.ID != "kept" {
			t.Fatalf("record %d is %q", i, kept.ID)
		}
		kept.ID = strconv.Itoa(i)
	}
	for i, kept := range r.Kept() {
		if kept.ID != strconv.Itoa(i) {
			t.Fatalf("record %d is another one too: %q", i, kept.ID)
		}
	}
	r.Reset()
	if n := r.Len() + len(r.Kept()); n != 0 {
		t.Errorf("%d are left", n)
	}
	if n := testing.AllocsPerRun(5, func() { batch(t); r.Reset() }); n != 0 {
		t.Errorf("%v allocations a batch", n)
	}
}
