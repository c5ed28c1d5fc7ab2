package sim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// schema is what of Microsoft's schema is in testdata/callrecords.tsv: the type of each
// type's property. @base is a type's base type, @members are those of an enumeration.
type schema map[string]map[string]string

func readSchema(t *testing.T) schema {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", "callrecords.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	s := schema{}
	for line := range strings.SplitSeq(strings.TrimSpace(string(content)), "\n") {
		cells := strings.Split(line, "\t")
		if s[cells[0]] == nil {
			s[cells[0]] = map[string]string{}
		}
		s[cells[0]][cells[1]] = cells[2]
	}
	return s
}

// of is the type of a property, of a type or of its bases.
func (s schema) of(kind, property string) string {
	for ; kind != ""; kind = s[kind]["@base"] {
		if of := s[kind][property]; of != "" {
			return of
		}
	}
	return ""
}

var (
	isoDuration = regexp.MustCompile(`^P(\d+D)?T(\d+H)?(\d+M)?(\d+(\.\d+)?S)?$`)
	wholeNumber = regexp.MustCompile(`^-?\d+$`)
)

// check says what of a value isn't as the schema has it, and which properties it has.
func (s schema) check(at, kind string, value any, seen map[string]bool) error {
	switch v := value.(type) {
	case nil:
		return nil
	case []any:
		for i, x := range v {
			if err := s.check(fmt.Sprintf("%s[%d]", at, i), kind, x, seen); err != nil {
				return err
			}
		}
		return nil
	case map[string]any:
		return s.object(at, kind, v, seen)
	case bool:
		return expect(kind == "Boolean", at, kind, v)
	case json.Number:
		return expect(kind == "Single" || strings.HasPrefix(kind, "Int") && wholeNumber.MatchString(v.String()), at, kind, v)
	case string:
		return expect(s.text(kind, v), at, kind, v)
	}
	return fmt.Errorf("%s: %T", at, value)
}

func expect(ok bool, at, kind string, value any) error {
	if ok {
		return nil
	}
	return fmt.Errorf("%s: %v is no %s", at, value, kind)
}

func (s schema) text(kind, v string) bool {
	switch kind {
	case "String":
		return true
	case "Duration":
		return isoDuration.MatchString(v) && readISO(v) >= 0
	case "DateTimeOffset":
		_, err := time.Parse(time.RFC3339Nano, v)
		return err == nil
	}
	return slices.Contains(strings.Fields(s[kind]["@members"]), v)
}

func (s schema) object(at, kind string, v map[string]any, seen map[string]bool) error {
	if kind == "identitySet" || kind == "communicationsIdentitySet" || kind == "identity" || kind == "feedbackTokenSet" {
		return nil // of another namespace, or open
	}
	if own, ok := v["@odata.type"].(string); ok {
		derived := strings.TrimPrefix(own, "#microsoft.graph.callRecords.")
		if s[derived]["@base"] != kind {
			return fmt.Errorf("%s: %s is no %s", at, own, kind)
		}
		kind = derived
	}
	for name, x := range v {
		if strings.Contains(name, "@odata.") {
			continue
		}
		of := s.of(kind, name)
		if of == "" {
			return fmt.Errorf("%s: %s has no %s", at, kind, name)
		}
		seen[kind+"."+name] = true
		if err := s.check(at+"."+name, of, x, seen); err != nil {
			return err
		}
	}
	return nil
}

// TestRecordsHaveTheSchemasProperties: names, types and members of enumerations.
func TestRecordsHaveTheSchemasProperties(t *testing.T) {
	s := readSchema(t)
	at := begin.Add(72 * time.Hour)
	r := newRecords(t, CallRecordSettings{Calls: recordWorld(t, 250, nil)})
	_, c, _ := startRecords(t, r, at, nil)
	seen := map[string]bool{}
	for _, id := range r.newestRecords(at, 250) {
		_, body := c.get(recordsURI + "/" + id.String() + "?$expand=sessions($expand=segments),participants_v2")
		if err := s.check("record", "callRecord", plainJSON(t, body), seen); err != nil {
			t.Fatal(err)
		}
	}
	_, body := c.get(recordsURI)
	page := plainJSON(t, body).(map[string]any)
	if err := s.check("list", "callRecord", page["value"], seen); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"averageJitter", "averageVideoFrameLossPercentage", "packetUtilization", "wasMediaBypassed", "postForwardErrorCorrectionPacketLossRate"} {
		if !seen["mediaStream."+name] {
			t.Errorf("no stream has %s", name)
		}
	}
	if len(seen) < 85 {
		t.Errorf("only %d properties were seen", len(seen))
	}
}

func plainJSON(t *testing.T, body []byte) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestUnits: a ratio is from 0 to 1, and the percentage isn't one.
func TestUnits(t *testing.T) {
	at := begin.Add(72 * time.Hour)
	r := newRecords(t, CallRecordSettings{Calls: recordWorld(t, 300, nil)})
	_, c, _ := startRecords(t, r, at, nil)
	most, nulls, absent := 0.0, 0, 0
	for _, id := range r.newestRecords(at, 300) {
		_, body := c.get(recordsURI + "/" + id.String() + "?$expand=sessions($expand=segments)")
		var raw struct {
			Sessions []struct {
				Segments []struct {
					Media []struct{ Streams []map[string]any }
				}
			}
		}
		if err := json.Unmarshal(body, &raw); err != nil {
			t.Fatal(err)
		}
		for _, s := range raw.Sessions {
			for _, g := range s.Segments {
				for _, m := range g.Media {
					for _, x := range m.Streams {
						for name, value := range x {
							n, ok := value.(float64)
							if ok && (strings.Contains(name, "Rate") || strings.Contains(name, "Ratio")) && !strings.Contains(name, "Frame") && (n < 0 || n > 1) {
								t.Fatalf("%s is %g", name, n)
							}
						}
						if n, ok := x["averageVideoFrameLossPercentage"].(float64); ok {
							most = max(most, n)
						}
						if jitter, ok := x["averageJitter"]; !ok {
							absent++
						} else if jitter == nil {
							nulls++
						}
					}
				}
			}
		}
	}
	if most < 50 || most > 100 || nulls == 0 || absent == 0 {
		t.Errorf("most frames lost: %g %%; %d nulls, %d absent", most, nulls, absent)
	}
}

// TestPreferences: nulls can be left out, and members of enumerations be asked for.
func TestPreferences(t *testing.T) {
	at := begin.Add(72 * time.Hour)
	r := newRecords(t, CallRecordSettings{Calls: recordWorld(t, 300, nil)})
	server, c, _ := startRecords(t, r, at, nil)
	ask := func(id simulator.UUID, prefer ...string) string {
		_, body := c.send(http.MethodGet, server.GraphURL()+recordsURI+"/"+id.String()+"?$expand=sessions($expand=segments)", func(r *http.Request) {
			r.Header["Prefer"] = prefer
		})
		return string(body)
	}
	family := false
	for _, id := range r.newestRecords(at, 300) {
		plain := ask(id)
		if bare := ask(id, "omit-values=nulls"); strings.Contains(bare, `":null`) || !strings.Contains(plain, `":null`) {
			t.Fatalf("%s: nulls in %s", id, bare)
		}
		family = family || strings.Contains(ask(id, "include-unknown-enum-members, odata.maxpagesize=60"), "azureCommunicationServices\"")
		if strings.Contains(plain, `"azureCommunicationServices"`) {
			t.Fatalf("%s tells a member that wasn't asked for", id)
		}
	}
	if !family {
		t.Error("nobody called from Azure Communication Services")
	}
}
