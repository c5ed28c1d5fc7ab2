package sim

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
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
	for _, id := range readable(r, at) {
		_, body := c.get(callRecordsPath + "/" + id + expanded)
		if err := s.check("record", "callRecord", plainJSON(t, body), seen); err != nil {
			t.Fatal(err)
		}
	}
	_, body := c.get(callRecordsPath)
	page := plainJSON(t, body).(map[string]any)
	if err := s.check("list", "callRecord", page["value"], seen); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"averageJitter", "averageVideoFrameLossPercentage", "packetUtilization", "wasMediaBypassed", "postForwardErrorCorrectionPacketLossRate"} {
		if !seen["mediaStream."+name] {
			t.Errorf("no stream has %s", name)
		}
	}
	if len(seen) < 75 {
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

// properties are those of the two row types in v1.0.
var properties = map[string]string{
	"getPstnCalls": `callDurationSource calleeNumber callerNumber callId callType charge conferenceId connectionCharge currency
		destinationContext destinationName duration endDateTime id inventoryType licenseCapability operator startDateTime
		tenantCountryCode usageCountryCode userDisplayName userId userPrincipalName`,
	"getDirectRoutingCalls": `calleeNumber callEndSubReason callerNumber callType correlationId duration endDateTime failureDateTime
		finalSipCode finalSipCodePhrase id inviteDateTime mediaBypassEnabled mediaPathLocation signalingLocation startDateTime
		successfulCall trunkFullyQualifiedDomainName userDisplayName userId userPrincipalName`,
}

func TestRowsHaveTheTypesProperties(t *testing.T) {
	_, c := start(t, Settings{PSTN: world(t, PSTNMix(), 300, nil), DirectRouting: world(t, DirectRoutingMix(), 300, nil)})
	for function, names := range properties {
		want := strings.Fields(names)
		slices.Sort(want)
		rows, _ := c.read(function + day)
		for _, raw := range rows {
			var row map[string]any
			if err := json.Unmarshal(raw, &row); err != nil {
				t.Fatal(err)
			}
			if got := slices.Sorted(maps.Keys(row)); !slices.Equal(got, want) {
				t.Fatalf("%s: properties %q, want %q", function, got, want)
			}
		}
	}
}
