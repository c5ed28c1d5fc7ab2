package callrecords

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// texts are the properties whose text is shown when a call is looked up. Other texts might identify
// somebody: people name their devices, and free text may contain anything.
var texts = map[string]cdr.Privacy{
	"modalities": cdr.Plain, "stage": cdr.Plain, "rating": cdr.Plain, "label": cdr.Plain,
	"platform": cdr.Plain, "productFamily": cdr.Plain, "role": cdr.Plain, "applicationVersion": cdr.Plain,
	"headerValue": cdr.Plain, "cpuName": cdr.Plain,
	"displayName": cdr.User, "userPrincipalName": cdr.User, "name": cdr.User, "text": cdr.User, "reason": cdr.User,
	"streamId": cdr.Plain, "audioCodec": cdr.Plain, "videoCodec": cdr.Plain,
	"connectionType": cdr.Plain, "networkTransportProtocol": cdr.Plain, "wifiBand": cdr.Plain,
	"wifiRadioType":       cdr.Plain,
	"wifiMicrosoftDriver": cdr.Plain, "wifiMicrosoftDriverVersion": cdr.Plain, "wifiVendorDriver": cdr.Plain,
	"wifiVendorDriverVersion": cdr.Plain,
	"ipAddress":               cdr.Address, "reflexiveIPAddress": cdr.Address, "relayIPAddress": cdr.Address,
	"subnet":     cdr.Address,
	"macAddress": cdr.Address, "basicServiceSetIdentifier": cdr.Address, "dnsSuffix": cdr.Address,
	"captureDeviceName": cdr.User, "renderDeviceName": cdr.User, "captureDeviceDriver": cdr.Plain,
	"renderDeviceDriver": cdr.Plain,
}

// hidden are members that repeat others or say nothing about the call.
var hidden = []string{"organizer", "participants", "administrativeUnitInfos", "tokens", "traceRouteHops"}

// flat are objects whose members are shown as members of their parent.
var flat = []string{"identity", "associatedIdentity", "userAgent", "feedback", "failureInfo"}

// document is an object of a record, decoded to be shown.
type document = map[string]any

// tree shows the whole call record, and what the exporter makes of it.
func (m *mapper) tree(c *callRecord, text []byte) *collector.CallTree {
	var all document
	_ = json.Unmarshal(text, &all) // c was decoded from it
	if sessions := documents(all["sessions"]); sessions != nil {
		all["sessions"] = anyOf(unique(sessions, idOf))
	}
	return (&treeBuilder{m.mapRecord(c, true)}).object("call", all)
}

// treeBuilder shows the objects of a record. It takes sessions and streams from the record in the
// order in which they were mapped.
type treeBuilder struct{ record *cdr.Record }

func (t *treeBuilder) object(label string, members document) *collector.CallTree {
	r, mapped := t.record, []cdr.Attr(nil)
	switch {
	case label == "call":
		mapped = []cdr.Attr{
			field("type", r.CallType), field("outcome", r.Outcome.String()), field("reason", r.Reason),
			field("direction", r.Direction.String()),
			field("duration", r.Duration.Round(time.Millisecond).String()),
			field("media_bypass", r.MediaBypass.String()),
		}
	case label == "session" && len(r.Sessions) > 0:
		one := &r.Sessions[0]
		r.Sessions = r.Sessions[1:]
		mapped = []cdr.Attr{
			field("result", one.Result.String()), field("media", one.Media),
			field("failure", one.Reason),
		}
	case label == "stream" && len(r.Streams) > 0:
		one := &r.Streams[0]
		r.Streams = r.Streams[1:]
		mapped = []cdr.Attr{
			field("verdict", one.Verdict().String()), field("direction", one.Direction()), field("media", one.Media),
			field("sender_network", one.Network), field("sender_platform", one.Platform),
		}
	}
	n := &collector.CallTree{
		Label:  label,
		Fields: slices.DeleteFunc(mapped, func(f cdr.Attr) bool { return f.Str == "" }),
	}
	t.addMembers(n, members)
	return n
}

// addMembers shows the members of an object, sorted by name.
func (t *treeBuilder) addMembers(n *collector.CallTree, members document) {
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if slices.Contains(hidden, name) {
			continue
		}
		switch value := members[name].(type) {
		case document:
			if slices.Contains(flat, name) {
				t.addMembers(n, value)
				continue
			}
			n.Children = append(n.Children, t.object(strings.ReplaceAll(slug(name), "_", " "), value))
		case []any:
			t.addList(n, name, value)
		case float64:
			n.Fields = append(n.Fields, field(slug(name), strconv.FormatFloat(value, 'f', -1, 64)))
		case bool:
			n.Fields = append(n.Fields, cdr.Truth(slug(name), value))
		case string:
			n.Fields = append(n.Fields, textFields(n.Label, name, value)...)
		}
	}
}

// addList shows a list: objects one by one under the singular of their name, and texts together.
func (t *treeBuilder) addList(n *collector.CallTree, name string, list []any) {
	var words []string
	for _, element := range list {
		if text, isText := element.(string); isText {
			words = append(words, text)
			continue
		}
		object, _ := element.(document)
		n.Children = append(n.Children, t.object(strings.TrimSuffix(slug(name), "s"), object))
	}
	if privacy, known := texts[name]; known && len(words) > 0 {
		n.Fields = append(n.Fields, cdr.Texts(slug(name), slugs(words), privacy))
	}
}

// textFields shows a text: a known word, a time, a duration, or an id. Ids of people are personal,
// and ids of telephones are numbers.
func textFields(label, name, value string) []cdr.Attr {
	privacy, known := texts[name]
	_, noTime := time.Parse(time.RFC3339, value)
	_, noSpan := parseISO(value)
	switch {
	case value == "", value == "unknown", value == futureValue, strings.HasPrefix(value, "0001-01-01"):
		return nil
	case name == "id" && (label == "call" || label == "session" || label == "segment"):
		privacy = cdr.Plain
	case name == "displayName" && (label == "phone" || number.MatchString(value)):
		return nil // the id says the same
	case name == "id" && (label == "phone" || number.MatchString(value)):
		name, privacy = "number", cdr.Number
	case name == "id":
		privacy = cdr.User
	case !known && noTime != nil && noSpan != nil:
		return nil
	}
	return []cdr.Attr{cdr.Text(slug(name), value, privacy)}
}

// slug is a property's name in the form in which it is shown.
func slug(name string) string {
	return cdr.CallType(strings.TrimSuffix(strings.TrimSuffix(name, "DateTime"), "_v2"))
}

func field(key, text string) cdr.Attr { return cdr.Text(key, text, cdr.Plain) }
