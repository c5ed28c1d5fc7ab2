package declared_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/counting"
)

// changedParts is how many bytes of a position a commit writes.
func changedParts(was, now []byte) (changed int) {
	part := func(data []byte, at int) []byte { return data[min(at, len(data)):min(at+counting.PlanPart, len(data))] }
	for at := 0; at < max(len(was), len(now)); at += counting.PlanPart {
		if data := part(now, at); !bytes.Equal(part(was, at), data) {
			changed += len(data)
		}
	}
	return changed
}

// TestFileMoreCostsLittle: however many files lie in a folder or are gone, one more writes at most
// 1 KiB of the position.
func TestFileMoreCostsLittle(t *testing.T) {
	for _, c := range []struct{ name, definition, text string }{
		{"lines", filesDefinition(csvLines), line("x")},
		{"whole CSV", wholeCSV, heading + line("x")},
		{"documents", wholeJSON, fmt.Sprintf(document, "x")},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := read(t, c.definition, "calls: {}, paths: ['calls*']")
			add := func(i int) { r.add(fmt.Sprintf("calls_%d", i), c.text+fmt.Sprintf("%*s\n", i%7+1, "")) }
			for i := range 1200 {
				add(i)
			}
			r.rest()
			r.poll()
			r.rest() // so that what changed is settled
			r.poll()
			for i := range 20 {
				was := r.position
				add(1200 + i)
				r.pass(20 * time.Second)
				r.poll()
				if changed := changedParts(was, r.position); changed == 0 || changed > 1<<10 {
					t.Fatalf("%d bytes of %d changed", changed, len(r.position))
				}
			}
		})
	}
}
