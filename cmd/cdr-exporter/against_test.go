package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
)

// TestExports: what portals export is taken by the names that they give its columns, and amounts only with a currency.
func TestExports(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"our own": {
			"id,start,amount,currency\nA1,2026-11-22T08:15:00Z,0.5,EUR\n", "A1 2026-11-22T08:15:00Z 0.5 EUR",
		},
		"Teams admin centre": {
			"\ufeffUsageId,Call ID,Start Time,End Time,Charge,Currency\nA2,other,2026-11-22 " +
				"08:15:00.25,2026-11-22 08:16:00,1.2500,USD\n", "A2 2026-11-22T08:15:00.25Z 1.25 USD",
		},
		"Teams admin centre, with what a call costs beside its charge": {
			"UsageId,Start Time,Connection Fee,Charge,Currency\nA7,2026-11-22 " +
				"08:15:00,0.10,1.25,USD\nA8,2026-11-22 08:15:00,,1,USD\n",
			"A7 2026-11-22T08:15:00Z 1.25 USD 0.1 USDA8 2026-11-22T08:15:00Z 1 USD",
		},
		"Wavix": {
			"call_id,uuid,date,from,to,charge\nother,A3,2026-11-22T08:15:00.000Z,1,2,0.162\n",
			"A3 2026-11-22T08:15:00Z",
		},
		"an id that `records` keeps from being a formula": {
			"id,start\n'-A5,2026-11-22T08:15:00Z\n'A6,2026-11-22T08:15:00Z\n",
			"-A5 2026-11-22T08:15:00Z'A6 2026-11-22T08:15:00Z",
		},
		"our names go first": {
			"uuid,id,date,start\nother,A4,2026-11-01,2026-11-22 08:15:00\n", "A4 2026-11-22T08:15:00Z",
		},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "export.csv")
			if err := os.WriteFile(file, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			export, err := openExport(file, io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			var got string
			day := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
			for page, err := range export.Pages(t.Context(), day, day.AddDate(0, 0, 1)) {
				if err != nil || len(page.Invalid) > 0 {
					t.Fatal(err, page.Invalid)
				}
				got += shownExport(page)
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestPagesOfExport: the charges of one record are together, wherever a page ends.
func TestPagesOfExport(t *testing.T) {
	text := "id,start,amount,currency\n"
	for n := range 2*exportRows + 1 {
		text += strings.Repeat(fmt.Sprintf("A%d,2026-11-22T08:15:00Z,0.5,EUR\n", n), 2)
	}
	file := filepath.Join(t.TempDir(), "export.csv")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	export, err := openExport(file, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	records := 0
	for page, err := range export.Pages(t.Context(), time.Time{}, time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)) {
		if err != nil || len(page.Records) > exportRows {
			t.Fatal(err, len(page.Records))
		}
		for _, r := range page.Records {
			if r.ID != fmt.Sprintf("A%d", records) || len(r.Charges) != 2 {
				t.Fatalf("the record %d is %s with %d charges", records, r.ID, len(r.Charges))
			}
			records++
		}
	}
	if records != 2*exportRows+1 {
		t.Errorf("%d records", records)
	}
}

// TestBadLinesOfExport: a line that can't be read is printed once, and counts as invalid on the
// first day, each time that day is read.
func TestBadLinesOfExport(t *testing.T) {
	file := filepath.Join(t.TempDir(), "export.csv")
	if err := os.WriteFile(file, []byte("id,start,amount,currency\nA1,22.11.2026,0.5,EUR\nA2,2026-11-23 "+
		"08:15:00,0.5,EUR\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	export, err := openExport(file, &said)
	if err != nil {
		t.Fatal(err)
	}
	if want := file + ": line 2: left out: start isn't a time"; !strings.HasPrefix(said.String(), want) ||
		strings.Count(said.String(), "\n") != 1 {
		t.Errorf("it said %q, want %q", said.String(), want)
	}
	var got []int
	first := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	for _, day := range []time.Time{first, first, first.AddDate(0, 0, 1)} {
		for page, err := range export.Pages(t.Context(), day, day.AddDate(0, 0, 1)) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, len(page.Invalid), len(page.Records))
		}
	}
	if want := []int{1, 0, 1, 0, 0, 1}; !slices.Equal(got, want) {
		t.Errorf("lines and records are %v, want %v", got, want)
	}
}

func shownExport(page *collector.Page) (text string) {
	for _, r := range page.Records {
		text += r.ID + " " + r.Start.Format(time.RFC3339Nano)
		for i := range r.Charges {
			text += " " + r.Charges[i].Amount.String() + " " + r.Charges[i].Currency
		}
	}
	return text
}
