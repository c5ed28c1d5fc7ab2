package ringcentral_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/ringcentral"
	"github.com/cdr-exporter/cdr-exporter/internal/golden"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

const (
	keptOfTheRow = `legs[].delegate legs[].delegate.id legs[].delegate.name legs[].message legs[].message.id
		legs[].message.type legs[].message.uri legs[].shortRecording legs[].telephonySessionId
		legs[].transport legs[].from.phoneNumber legs[].from.extensionNumber legs[].from.location
		legs[].from.device legs[].from.device.id legs[].from.dialerPhoneNumber legs[].to.phoneNumber
		legs[].to.extensionNumber legs[].to.location legs[].to.device legs[].to.device.id
		legs[].to.dialedPhoneNumber legs[].internalType legs[].transferTarget legs[].transferee
		legs[].partyId legs[].delegationType legs[].transferTarget.sessionId`
	madeOfID = `extension.uri from.device.uri to.device.uri message.uri recording.uri legs[].extension.uri
		legs[].from.device.uri legs[].to.device.uri legs[].recording.uri`
)

// leftOut are the members of rows that the mapping doesn't read, by the reason.
var leftOut = byMember(map[string]string{
	"an address that id and the account already make":         `uri`,
	"an address that the id already makes":                    madeOfID,
	"where the recording is, which is nobody's business here": `recording.contentUri legs[].recording.contentUri`,
	"an opaque id of the SIP stack, which may hold hosts":     `sipUuidInfo legs[].sipUuidInfo`,
	"the row has the whole call's":                            `legs[].billing legs[].billing.costIncluded legs[].billing.costPurchased`,
	"the row's is kept":                                       keptOfTheRow,
	"extension.id says it":                                    `legs[].extensionId`,
	"only outcomes of legs are counted, which results tell":   `legs[].reason legs[].reasonDescription`,
	"a leg of a voice call is counted whatever it is":         `legs[].type`,
	"the row's are kept":                                      `legs[].metadataCategories`,
})

func byMember(reasons map[string]string) map[string]string {
	all := map[string]string{}
	for why, members := range reasons {
		for member := range strings.FieldsSeq(members) {
			all[member] = why
		}
	}
	return all
}

// ofDefinition are the members that only the definition reads.
var ofDefinition = []string{"startTime", "lastModifiedTime", "duration", "durationMs"}

// readMembers are the members that the mapping reads: the definition's members and the row types'.
func readMembers() []string { return slices.Concat(ofDefinition, membersOf(ringcentral.Row, "")) }

func membersOf(t reflect.Type, prefix string) []string {
	var all []string
	for f := range t.Fields() {
		name := f.Tag.Get("json")
		switch {
		case f.Anonymous:
			all = append(all, membersOf(f.Type, prefix)...)
			continue
		case name == "":
			continue
		}
		path, typ := prefix+name, f.Type
		all = append(all, path)
		if typ.Kind() == reflect.Slice {
			typ, path = typ.Elem(), path+"[]"
		}
		if typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		if typ.Kind() == reflect.Struct {
			all = append(all, membersOf(typ, path+".")...)
		}
	}
	return all
}

// whole are rows that have all members, of which each tells something.
var whole = []string{
	`{"id":"1","sessionId":"9","telephonySessionId":"s-9","partyId":"p-9","startTime":"2026-03-02T10:00:00.000Z",
	"lastModifiedTime":"2026-03-02T10:05:00.000Z","duration":5,"durationMs":5400,"type":"Voice",
	"internalType":"Local","direction":"Inbound",
	"action":"Phone Call","result":"Missed","reason":"No Answer","reasonDescription":"d","transport":"PSTN",
	"delegationType":"Coworker",
	"metadataCategories":["a"],"shortRecording":true,"deleted":false,
	"from":{"phoneNumber":"+12055550100","extensionNumber":"101","extensionId":"1","name":"A","location":"L",
	"device":{"id":"d"},
	"dialerPhoneNumber":"+12055550100","dialedPhoneNumber":"+12055550100"},
	"to":{"phoneNumber":"+12055550101","extensionNumber":"102","extensionId":"2","name":"B","location":"M",
	"device":{"id":"e"},
	"dialerPhoneNumber":"+12055550100","dialedPhoneNumber":"+12055550101"},
	"extension":{"id":2},"recording":{"id":"7","type":"Automatic"},"message":{"id":"8","type":"VoiceMail"},
	"delegate":{"id":"3","name":"D"},
	"billing":{"costIncluded":0.1,"costPurchased":0.2},"transferTarget":{"telephonySessionId":"s-1"},
	"transferee":{"telephonySessionId":"s-2"},
	"legs":[{"legType":"Accept","startTime":"2026-03-02T10:00:00.000Z","duration":5,"durationMs":5400,
	"direction":"Inbound","result":"Accepted","extension":{"id":5},"from":{"extensionId":"1","name":"A"},
	"to":{"extensionId":"5","name":"C"},"recording":{"id":"6","type":"OnDemand"}}]}`,
	`{"id":"1","startTime":"2026-03-02T10:00:00.000Z","duration":5,"direction":"Inbound",
	"legs":[{"startTime":"2026-03-02T10:00:00.000Z","duration":5,"direction":"Outbound","result":"Accepted",
	"extension":{"id":5},"from":{"extensionId":"5","name":"C"},"to":{"name":"A"}}]}`,
	`{"id":"1","startTime":"2026-03-02T10:00:00.000Z","duration":5,"direction":"Inbound","result":"Missed",
	"legs":[{"result":"Accepted","master":false,"startTime":"2026-03-02T10:00:04.000Z","extension":{"id":5}},
	{"result":"Accepted","startTime":"2026-03-02T10:00:00.000Z","extension":{"id":90}}]}`,
	`{"id":"1","startTime":"2026-03-02T10:00:00.000Z","duration":5,"direction":"Inbound","result":"Missed",
	"legs":[{"result":"Missed","startTime":"2026-03-02T10:00:00.000Z","durationMs":5400,"extension":{"id":90}}]}`,
	`{"id":"1","startTime":"2026-03-02T10:00:00.000Z","duration":5,"direction":"Inbound","result":"Missed",
	"legs":[{"result":"Missed","startTime":"2026-03-02T10:00:00.000Z","duration":5,"extension":{"id":90}}]}`,
	`{"id":"1","startTime":"2026-03-02T10:00:00.000Z","duration":5,"direction":"Inbound","result":"Missed",
	"legs":[{"result":"Accepted","action":"Call Park"}]}`,
}

// TestEveryMemberIsMapped changes each member that is read, and wants the record to
// change.
func TestEveryMemberIsMapped(t *testing.T) {
	for _, member := range readMembers() {
		changed := false
		for _, raw := range whole {
			before, err := decodePage(t, accountLog, pageOf(raw))
			if err != nil || len(before.rows) != 1 {
				t.Fatalf("invalid %q, error %v", before.invalid, err)
			}
			var row map[string]any
			require.NoError(t, json.Unmarshal([]byte(raw), &row))
			if !alter(row, strings.Split(member, ".")) {
				continue
			}
			content, err := json.Marshal(row)
			require.NoError(t, err)
			after, err := decodePage(t, accountLog, pageOf(string(content)))
			changed = changed || err != nil || !reflect.DeepEqual(before.rows, after.rows)
		}
		if !changed {
			t.Errorf("%s changes nothing", member)
		}
	}
}

// alter gives a member another value of its type, and says whether it is there.
func alter(object map[string]any, path []string) bool {
	name := strings.TrimSuffix(path[0], "[]")
	if list, ok := object[name].([]any); ok && len(path) > 1 {
		inner, ok := list[0].(map[string]any)
		return ok && alter(inner, path[1:])
	}
	switch value := object[name].(type) {
	case map[string]any:
		if len(path) > 1 {
			return alter(value, path[1:])
		}
		delete(object, name)
	case []any:
		delete(object, name)
	case string:
		object[name] = value + "0"
	case float64:
		object[name] = value + 1
	case bool:
		object[name] = !value
	default:
		return false
	}
	return true
}

// TestLeftOut: a member that is listed as left out isn't read, and the other way round.
func TestLeftOut(t *testing.T) {
	read := readMembers()
	for path, why := range leftOut {
		if slices.Contains(read, path) || why == "" {
			t.Errorf("%s is read, or has no reason", path)
		}
	}
}

// pathsOf lists the members of a JSON value.
func pathsOf(value any, path string, into map[string]bool) {
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			member := strings.TrimPrefix(path+"."+name, ".")
			into[member] = true
			pathsOf(inner, member, into)
		}
	case []any:
		for _, inner := range v {
			pathsOf(inner, path+"[]", into)
		}
	}
}

func sample(t *testing.T, name string) string {
	t.Helper()
	return golden.Read(t, "testdata/samples/"+name+".json")
}

// TestSamples: every member of the older documentation's rows is read, or left out for a reason.
func TestSamples(t *testing.T) {
	for _, name := range []string{"inbound_simple", "inbound_detailed", "active_call"} {
		var value any
		require.NoError(t, json.Unmarshal([]byte(sample(t, name)), &value))
		paths, read := map[string]bool{}, readMembers()
		pathsOf(value, "", paths)
		for path := range paths {
			if !slices.Contains(read, path) && leftOut[path] == "" {
				t.Errorf("%s: %s is lost", name, path)
			}
		}
	}
}
