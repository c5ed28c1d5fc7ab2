package sim

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

var update = flag.Bool("update", false, "write the golden files anew")

func parse(t *testing.T, body []byte) (e envelope) {
	t.Helper()
	if err := json.Unmarshal(body, &e); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return e
}

// TestGoldenRows shows the versions of calls that have the most to say.
func TestGoldenRows(t *testing.T) {
	w := world(t, Mix(), 2000, func(s *simulator.Settings) { s.InProgress, s.Recorded, s.RecordedLate = 0.5, 1, 0.5 })
	r := newRows(w.Mix(), "https://platform.ringcentral.com/restapi/v1.0/account/400643090008", accountIDs)
	var text bytes.Buffer
	for _, wanted := range []struct {
		name string
		is   func(*simulator.Call, *simulator.Kind) bool
	}{
		{"a call whose recording came later", func(c *simulator.Call, _ *simulator.Kind) bool { return len(c.Versions()) == 3 && c.Recording != nil }},
		{"a queue", func(_ *simulator.Call, k *simulator.Kind) bool { return len(k.Legs) == 4 }},
		{"voicemail", func(_ *simulator.Call, k *simulator.Kind) bool { return k.Phrase == "Voicemail" }},
		{"between extensions", func(c *simulator.Call, _ *simulator.Kind) bool { return c.Peer != nil }},
		{"the other row", func(c *simulator.Call, _ *simulator.Kind) bool { return c.Peer != nil && c.Second }},
		{"a warm transfer", func(c *simulator.Call, k *simulator.Kind) bool { return k.Detail.(*wire).link != "" && c.Second }},
		{"no result", func(_ *simulator.Call, k *simulator.Kind) bool { return k.Unfinished }},
		{"a fax", func(_ *simulator.Call, k *simulator.Kind) bool { return k.Wire == "Incoming Fax" }},
	} {
		found := false
		w.Each(time.Time{}, time.Time{}, func(c *simulator.Call) bool {
			if found = wanted.is(c, c.Versions()[0].Kind); !found {
				return true
			}
			text.WriteString("# " + wanted.name + "\n")
			for i := range c.Versions() {
				row := r.row(nil, c, &c.Versions()[i], true)
				if err := json.Indent(&text, row, "", "  "); err != nil {
					t.Errorf("%v: %s", err, row)
				}
				text.WriteByte('\n')
			}
			return false
		})
		if !found {
			t.Errorf("%s: there is none", wanted.name)
		}
	}
	path := filepath.Join("testdata", "rows.txt")
	if *update {
		if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(text.Bytes(), want) {
		t.Errorf("rows differ from %s; see the difference with -update and git diff", path)
	}
}

// TestFlawsAreWhatTheySay renders one call with each flaw.
func TestFlawsAreWhatTheySay(t *testing.T) {
	w := world(t, Mix(), 1, func(s *simulator.Settings) { s.Duplicated, s.Revised, s.InProgress, s.Unsaid = 0, 0, 0, 0 })
	r := newRows(w.Mix(), "https://127.0.0.1", accountIDs)
	for flaw, want := range map[simulator.Flaw]string{
		simulator.WrongType: `"duration":"`, simulator.ObjectForString: `"action":{"name"`, simulator.NotAnObject: `"row `,
		simulator.Truncated: `{"id":"`, simulator.BadTime: `"startTime":"yesterday"`,
		simulator.ImpossibleTime: `"startTime":"2026-02-30T25:61:00.000Z"`, simulator.NullStart: `"startTime":null`,
		simulator.NegativeDuration: `"duration":-5`, simulator.NumericID: `"id":1`,
	} {
		var text string
		w.Each(time.Time{}, time.Time{}, func(c *simulator.Call) bool {
			c.Block, c.Flaw = 1, flaw
			text = string(r.row(nil, c, &c.Versions()[0], true))
			return true
		})
		text = strings.Replace(text, `"id":65536,`, `"id":1`, 1)
		if flaw == simulator.NumericID {
			want = `"id":1`
		}
		if !strings.Contains(text, want) {
			t.Errorf("flaw %d: %s", flaw, text)
		}
	}
}

func TestAmountsAreWrittenAsJavaDoes(t *testing.T) {
	for amount, want := range map[simulator.Amount]string{
		0: "0.00", 7: "7.0E-4", -2: "-2.0E-4", 10: "0.001", 1370: "0.137", 12_3400: "12.34", -99: "-0.0099", 20_0000: "20.00",
	} {
		text := string(appendAmount(nil, amount))
		var f float64
		if err := json.Unmarshal([]byte(text), &f); text != want || err != nil || int64(f*10_000+10_000.5)-10_000 != int64(amount) {
			t.Errorf("%d: %s, want %s (%v)", amount, text, want, err)
		}
	}
}

// TestIDsLeadBack: a row and a recording are found by their ids.
func TestIDsLeadBack(t *testing.T) {
	account, own := world(t, Mix(), 1500, nil), world(t, ExtensionMix(), 500, nil)
	_, c := start(t, Settings{Account: account, Extension: own})
	for prefix, least := range map[string]int{company: 20, extension: 5} {
		rows, _ := c.read(prefix + "call-log?view=Detailed&perPage=max&" + day)
		recordings := 0
		for i, raw := range rows {
			var r served
			if err := json.Unmarshal(raw, &r); err != nil || r.ID == nil {
				t.Fatal(err)
			}
			if i%50 == 0 {
				if _, body := c.get(prefix + "call-log/" + *r.ID + "?view=Detailed"); !bytes.Equal(body, raw) {
					t.Fatalf("by its id the row is another:\n%s\n%s", body, raw)
				}
			}
			if r.Recording != nil && recordings < least {
				recordings++
				_, body := c.get(company + "recording/" + r.Recording.ID)
				var found struct {
					ID, ContentURI, ContentType string
					Duration                    int
				}
				if json.Unmarshal(body, &found) != nil || found.ID != r.Recording.ID || found.Duration < 29 || found.ContentType != "audio/mpeg" || found.ContentURI == "" {
					t.Fatalf("a recording: %s", body)
				}
			}
		}
		if recordings < least {
			t.Errorf("%s: %d recordings", prefix, recordings)
		}
	}
}

// TestPublishedMix has no value that the published specification doesn't know.
func TestPublishedMix(t *testing.T) {
	m := PublishedMix()
	if len(m.Kinds) >= len(Mix().Kinds) || len(m.Incident) == 0 {
		t.Fatalf("%d kinds", len(m.Kinds))
	}
	for i := range m.Kinds {
		switch k := &m.Kinds[i]; k.Phrase {
		case "911", "933", "Sent to Voicemail", "Callback requested", "Not Allowed", "Answered Elsewhere", "Teleported":
			t.Errorf("%s is younger than the specification", k.Phrase)
		}
	}
	world(t, m, 100, nil)
}
