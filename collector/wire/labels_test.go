package wire

import (
	"fmt"
	"testing"
	"unsafe"
)

// TestLabels: a label holds when the memory that it was read from is used again, takes none
// the second time, and many that are new don't fill the memory.
func TestLabels(t *testing.T) {
	var (
		a Arena
		l Labels
	)
	first := l.Own(View(a.Copy([]byte("placed"))))
	a.Reset()
	a.Copy([]byte("XXXXXX"))
	again := l.Own("placed")
	if first != "placed" || unsafe.StringData(first) != unsafe.StringData(again) || l.Own("") != "" {
		t.Errorf("the label is %q, then %q", first, again)
	}
	for i := range 10 * maxLabels {
		if text := fmt.Sprint(i); l.Own(text) != text {
			t.Fatalf("%s became %s", text, l.Own(text))
		}
	}
	if len(l.known) > maxLabels {
		t.Errorf("%d are remembered", len(l.known))
	}
	if n := testing.AllocsPerRun(100, func() { l.Own("a") }); n != 0 {
		t.Errorf("%v allocations for one that is known", n)
	}
}
