package sim

import (
	"encoding/json"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

func TestNumbersOnTheWire(t *testing.T) {
	for _, test := range []struct {
		n      int64
		places int
		want   string
	}{
		{0, 6, "0"}, {1, 6, "0.000001"}, {100_000, 6, "0.1"}, {1_000_000, 6, "1"}, {12_345, 2, "123.45"}, {5_000, 2, "50"}, {51, 2, "0.51"}, {500, 0, "500"},
	} {
		if got := string(appendScaled(nil, test.n, test.places)); got != test.want {
			t.Errorf("%d of %d places: %s, want %s", test.n, test.places, got, test.want)
		}
	}
}

func TestDurationsOnTheWire(t *testing.T) {
	for _, test := range []struct {
		micros int64
		style  int
		want   string
	}{
		{16_000, 0, "PT0.016S"}, {0, 0, "PT0S"}, {62_500_000, 0, "PT1M2.5S"}, {1_000_000, 7, "P0DT0H0M1S"}, {61_000_001, 7, "P0DT0H1M1.000001S"},
	} {
		if got := string(appendDurationText(nil, test.micros, test.style)); got != test.want {
			t.Errorf("%d us in style %d: %s, want %s", test.micros, test.style, got, test.want)
		}
	}
}

// TestUnknownOnTheWire: what isn't known is null or missing, by the style, and missing for
// those who want no nulls.
func TestUnknownOnTheWire(t *testing.T) {
	write := func(d doc, style int) string {
		d.object("", func() {
			d.scaled("n", cdr.Int{}, 2, style)
			d.micros("d", cdr.Int{}, style)
			d.null("x")
			d.orNull("y", "")
			d.texts("all", nil)
			d.text("text", "a \"quoted\" ü\n")
		})
		return string(d.bytes())
	}
	const text = `"all":[],"text":"a \"quoted\" ü\n"}`
	for want, got := range map[string]string{
		`{"n":null,"d":null,"x":null,"y":null,` + text: write(doc{}, 0),
		`{"x":null,"y":null,` + text:                   write(doc{}, 1),
		`{` + text:                                     write(doc{bare: true}, 0),
	} {
		if got != want || !json.Valid([]byte(got)) {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// TestIDsLeadBack: from a record's id to its call's place.
func TestIDsLeadBack(t *testing.T) {
	ids := newRecordIDs(recordWorld(t, 10, nil))
	seen := map[string]bool{}
	for place := range uint64(2000) {
		id := ids.of(place << 7)
		back, ok := ids.place(id)
		if !ok || back != place<<7 || id[6]>>4 != 4 || seen[id.String()] {
			t.Fatalf("place %d: %s leads to %d, %v", place<<7, id, back, ok)
		}
		seen[id.String()] = true
		id[7] ^= 1
		if _, ok := ids.place(id); ok {
			t.Fatalf("%s isn't an id", id)
		}
	}
}
