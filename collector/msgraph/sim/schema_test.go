package sim

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// schema is the part of Microsoft's schema in testdata/callrecords.tsv: the type of each property
// of each type. @base is a type's base type, @members are the members of an enumeration.
type schema map[string]map[string]string

func readSchema(t *testing.T) schema {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", "callrecords.tsv"))
	require.NoError(t, err)
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
		return expect(kind == "Single" || strings.HasPrefix(kind, "Int") && wholeNumber.MatchString(v.String()), at,
			kind, v)
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
		return isoDuration.MatchString(v)
	case "DateTimeOffset":
		_, err := time.Parse(time.RFC3339Nano, v)
		return err == nil
	}
	return slices.Contains(strings.Fields(s[kind]["@members"]), v)
}

func (s schema) object(at, kind string, v map[string]any, seen map[string]bool) error {
	if kind == "identitySet" || kind == "communicationsIdentitySet" || kind == "identity" ||
		kind == "feedbackTokenSet" {
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

var (
	begin = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	end   = begin.Add(24 * time.Hour)
)

// getter starts a server after all was published, and returns a function that reads JSON from it.
func getter(t *testing.T, s Settings) func(uri string) map[string]any {
	t.Helper()
	s.At = end.Add(72 * time.Hour)
	server, err := Start(s)
	require.NoError(t, err)
	t.Cleanup(server.Close)
	return func(uri string) (body map[string]any) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.BaseURL()+callRecordsPath+uri,
			http.NoBody)
		require.NoError(t, err)
		response, err := server.Trusted().RoundTrip(r)
		require.NoError(t, err)
		defer response.Body.Close()
		d := json.NewDecoder(response.Body)
		d.UseNumber()
		if err := d.Decode(&body); err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%s: HTTP %d, %v", uri, response.StatusCode, err)
		}
		return body
	}
}

// TestRecordsHaveTheSchemasProperties: names, types and members of enumerations.
func TestRecordsHaveTheSchemasProperties(t *testing.T) {
	s, seen := readSchema(t), map[string]bool{}
	records := HistoricalCallRecords(7, begin, end, 250)
	get := getter(t, Settings{CallRecords: records, RecordPage: 1000})
	list := get("?$filter=startDateTime%20ge%202026-03-02T00%3A00%3A00Z%20and%20" +
		"startDateTime%20lt%202026-03-05T00%3A00%3A00Z")["value"].([]any)
	if err := s.check("list", "callRecord", list, seen); err != nil {
		t.Error(err)
	}
	for _, row := range list {
		body := get("/" + row.(map[string]any)["id"].(string) + "?$expand=sessions($expand=segments)")
		require.NoError(t, s.check("record", "callRecord", body, seen))
	}
	for _, name := range []string{
		"averageJitter", "averageVideoFrameLossPercentage", "packetUtilization",
		"wasMediaBypassed", "postForwardErrorCorrectionPacketLossRate",
	} {
		if !seen["mediaStream."+name] {
			t.Errorf("no stream has %s", name)
		}
	}
	if len(seen) < 70 {
		t.Errorf("only %d properties were seen", len(seen))
	}
}

// properties are the properties of the two row types in v1.0.
var properties = map[string]string{
	"getPstnCalls": `callDurationSource calleeNumber callerNumber callId callType charge conferenceId
	connectionCharge currency
		destinationContext destinationName duration endDateTime id inventoryType licenseCapability operator
		startDateTime
		tenantCountryCode usageCountryCode userDisplayName userId userPrincipalName`,
	"getDirectRoutingCalls": `calleeNumber callEndSubReason callerNumber callType correlationId duration
	endDateTime failureDateTime
		finalSipCode finalSipCodePhrase id inviteDateTime mediaBypassEnabled mediaPathLocation signalingLocation
		startDateTime
		successfulCall trunkFullyQualifiedDomainName userDisplayName userId userPrincipalName`,
}

func TestRowsHaveTheTypesProperties(t *testing.T) {
	get := getter(t, Settings{
		PSTN:          simulator.NewWorld(simulator.Historical(7, PSTNMix(), begin, end, 300)),
		DirectRouting: simulator.NewWorld(simulator.Historical(7, DirectRoutingMix(), begin, end, 300)),
	})
	for function, names := range properties {
		want := strings.Fields(names)
		slices.Sort(want)
		for _, row := range get("/" + function +
			"(fromDateTime=2026-03-02T00:00:00Z,toDateTime=2026-03-03T00:00:00Z)")["value"].([]any) {
			if got := slices.Sorted(maps.Keys(row.(map[string]any))); !slices.Equal(got, want) {
				t.Fatalf("%s: properties %q, want %q", function, got, want)
			}
		}
	}
}
