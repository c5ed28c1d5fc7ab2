package callrecords

import (
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector"
)

// callFacts are the lines of testdata/callrecords.tsv, by type and property: `mapped`,
// `shown` (when a call is looked up, only), or why it isn't read.
func callFacts(t *testing.T) map[string]map[string]string {
	t.Helper()
	content, err := os.ReadFile("testdata/callrecords.tsv")
	if err != nil {
		t.Fatal(err)
	}
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
	shown  bool // what isn't mapped, by describe
}{
	{[]string{"callRecord"}, reflect.TypeFor[callRecord](), false},
	{[]string{"participantBase"}, reflect.TypeFor[participant](), false},
	{[]string{"session"}, reflect.TypeFor[session](), false},
	{[]string{"segment"}, reflect.TypeFor[segment](), false},
	{[]string{"failureInfo"}, reflect.TypeFor[failure](), false},
	{[]string{"endpoint", "participantEndpoint"}, reflect.TypeFor[endpoint](), false},
	{[]string{"userAgent", "clientUserAgent", "serviceUserAgent"}, reflect.TypeFor[userAgent](), false},
	{[]string{"userFeedback"}, reflect.TypeFor[feedback](), false},
	{[]string{"userIdentity"}, reflect.TypeFor[identity](), false},
	{[]string{"media"}, reflect.TypeFor[media](), false},
	{[]string{"mediaStream"}, reflect.TypeFor[stream](), true},
	{[]string{"networkInfo"}, reflect.TypeFor[network](), true},
	{[]string{"deviceInfo"}, nil, true},
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

// TestEveryCallRecordPropertyIsAccountedFor compares the table with the code, both ways: what is mapped, what is shown, and what isn't read.
func TestEveryCallRecordPropertyIsAccountedFor(t *testing.T) {
	facts := callFacts(t)
	described := map[string]bool{}
	for _, by := range readBy {
		mapped := tagsOf(by.mapped)
		for _, typ := range by.types {
			for name, where := range facts[typ] {
				if mapped[name] != (where == "mapped") {
					t.Errorf("%s.%s: the table says %q; mapped: %t", typ, name, where, mapped[name])
				}
				delete(mapped, name)
				if by.shown && !strings.HasPrefix(where, "not read: ") {
					described[name] = true
				}
				if where != "mapped" && (where != "shown" || !by.shown) && !strings.HasPrefix(where, "not read: ") {
					t.Errorf("%s.%s isn't read, and the table doesn't say why", typ, name)
				}
			}
			delete(facts, typ)
		}
		for name := range mapped {
			if by.mapped != reflect.TypeFor[media]() || !strings.HasSuffix(name, "Device") {
				t.Errorf("%v: the code reads %s, the table hasn't got it", by.types, name)
			}
		}
	}
	for typ := range facts {
		t.Errorf("nothing reads %s", typ)
	}
	for _, name := range slices.Concat(slices.Collect(maps.Keys(texts)), slices.Collect(maps.Keys(units))) {
		if !described[name] {
			t.Errorf("%s is shown, the table hasn't got it", name)
		}
	}
}

// Texts are shown only if it is known what they say, and each class of what is personal is named.
func TestDescribe(t *testing.T) {
	got := treeText(&collector.CallTree{Label: "x", Fields: describe([]byte(`{"audioCodec":"satin","videoCodec":"unknown","ipAddress":"192.0.2.17",
		"captureDeviceName":"PT5S","newText":"Sam's","newNumber":1.5,"newShareRatio":0.25,"newRatio":2,"newFlag":true,"newSpan":"PT0.5S",
		"newTime":"2026-11-19T10:00:00Z","noTime":"0001-01-01T00:00:00Z","averagePacketLossRate":"NaN","maxPacketLossRate":0.01,
		"averageRatioOfConcealedSamples":1,"linkSpeed":866700000,"averageBandwidthEstimate":9965,"sentSignalLevel":-14,"null":null,"list":[1],"object":{}}`))}, "")
	want := `x
  audio_codec: satin
  average_bandwidth_estimate: 9.965 kbit/s
  average_ratio_of_concealed_samples: 100 %
  capture_device_name: PT5S (user)
  ip_address: 192.0.2.17 (address)
  link_speed: 866.7 Mbit/s
  max_packet_loss_rate: 1 %
  new_flag: yes
  new_number: 1.5
  new_share_ratio: 25 %
  new_span: 500 ms
  new_time: 2026-11-19T10:00:00Z
  sent_signal_level: -14 dB
`
	if got != want {
		t.Errorf("got\n%s", got)
	}
	if all := describe([]byte("null")); len(all) > 0 {
		t.Errorf("null is described as %v", all)
	}
}
