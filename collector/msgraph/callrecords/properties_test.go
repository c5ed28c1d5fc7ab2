package callrecords

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// callFacts are the lines of testdata/callrecords.tsv, by type and property: `mapped`,
// `shown` (when a call is looked up, only), or why it isn't read.
func callFacts(t *testing.T) map[string]map[string]string {
	t.Helper()
	content, err := os.ReadFile("testdata/callrecords.tsv")
	require.NoError(t, err)
	_, lines, _ := strings.Cut(strings.TrimSpace(string(content)), "\n") // behind the header
	facts := map[string]map[string]string{}
	for line := range strings.Lines(lines) {
		cells := strings.Split(strings.TrimSpace(line), "\t")
		if len(cells) != 3 {
			t.Fatalf("a line of callrecords.tsv has %d cells: %s", len(cells), line)
		}
		if facts[cells[0]] == nil {
			facts[cells[0]] = map[string]string{}
		}
		facts[cells[0]][cells[1]] = cells[2]
	}
	return facts
}

// readBy is what of the code reads a type of Graph's. Several may share a struct.
var readBy = []struct {
	types  []string
	mapped reflect.Type
}{
	{[]string{"callRecord"}, reflect.TypeFor[callRecord]()},
	{[]string{"participantBase"}, reflect.TypeFor[participant]()},
	{[]string{"session"}, reflect.TypeFor[session]()},
	{[]string{"segment"}, reflect.TypeFor[segment]()},
	{[]string{"failureInfo"}, reflect.TypeFor[failure]()},
	{[]string{"endpoint", "participantEndpoint"}, reflect.TypeFor[endpoint]()},
	{[]string{"userAgent", "clientUserAgent", "serviceUserAgent"}, reflect.TypeFor[userAgent]()},
	{[]string{"userFeedback"}, reflect.TypeFor[feedback]()},
	{[]string{"userIdentity"}, reflect.TypeFor[identity]()},
	{[]string{"media"}, reflect.TypeFor[media]()},
	{[]string{"mediaStream"}, reflect.TypeFor[stream]()},
	{[]string{"networkInfo"}, reflect.TypeFor[network]()},
	{[]string{"deviceInfo"}, reflect.TypeFor[device]()},
}

// tagsOf are the names of a struct's members in JSON, but for those that all entities and
// identities have.
func tagsOf(typ reflect.Type) map[string]bool {
	tags := map[string]bool{}
	if typ == nil {
		return tags
	}
	for _, f := range reflect.VisibleFields(typ) {
		if tag := f.Tag.Get("json"); tag != "" && tag != "id" && tag != "displayName" && !strings.Contains(tag, "@") {
			tags[tag] = true
		}
	}
	return tags
}

// TestEveryCallRecordPropertyIsAccountedFor compares the table with the code, both ways: what is
// mapped, what is shown, and what isn't read.
func TestEveryCallRecordPropertyIsAccountedFor(t *testing.T) {
	facts := callFacts(t)
	described := map[string]bool{"displayName": true} // which all identities have
	for _, by := range readBy {
		mapped := tagsOf(by.mapped)
		for _, typ := range by.types {
			for name, where := range facts[typ] {
				if mapped[name] != (where == "mapped") {
					t.Errorf("%s.%s: the table says %q; mapped: %t", typ, name, where, mapped[name])
				}
				delete(mapped, name)
				described[name] = where == "mapped" || where == "shown"
				if _, shown := texts[name]; shown && !described[name] {
					t.Errorf("%s.%s is shown, the table says %q", typ, name, where)
				}
				if !described[name] && !strings.HasPrefix(where, "not read: ") {
					t.Errorf("%s.%s isn't read, and the table doesn't say why", typ, name)
				}
			}
			delete(facts, typ)
		}
		for name := range mapped {
			t.Errorf("%v: the code reads %s, the table hasn't got it", by.types, name)
		}
	}
	for typ := range facts {
		t.Errorf("nothing reads %s", typ)
	}
	for name := range texts {
		if !described[name] {
			t.Errorf("%s is shown, the table hasn't got it", name)
		}
	}
}

// Texts are shown only if it is known what they say, and each class of what is personal is named.
func TestShownMembers(t *testing.T) {
	got := treeText(new(treeBuilder).object("x",
		readAll(t, `{"audioCodec":"satin","videoCodec":"unknown","ipAddress":"192.0.2.17",
		"captureDeviceName":"PT5S","newText":"Sam's","newNumber":1.5,"newFlag":true,"newSpan":"PT0.5S",
		"joinWebUrl":"https://x","tokens":{"a":true},
		"newTime":"2026-11-19T10:00:00Z","noTime":"0001-01-01T00:00:00Z","averagePacketLossRate":"NaN",
		"maxPacketLossRate":0.01,
		"linkSpeed":866700000,"sentSignalLevel":-14,"null":null,"list":[1],"words":["a"],"modalities":["b","a"],
		"object":{},
		"caller":{"identity":{"phone":{"id":"sip:+4930123","displayName":"+49 30 123"}},
		"associatedIdentity":{"id":"e5","displayName":"Sam"}}}`)), "")
	want := `x
  audio_codec: satin
  capture_device_name: PT5S (user)
  ip_address: 192.0.2.17 (address)
  link_speed: 866700000
  max_packet_loss_rate: 0.01
  modalities: a, b
  new_flag: 1
  new_number: 1.5
  new_span: PT0.5S
  new_time: 2026-11-19T10:00:00Z
  sent_signal_level: -14
    caller
      display_name: Sam (user)
      id: e5 (user)
        phone
          number: sip:+4930123 (number)
    list
    object
`
	if got != want {
		t.Errorf("got\n%s", got)
	}
}
