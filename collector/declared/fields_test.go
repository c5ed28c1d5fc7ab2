package declared_test

import (
	"cmp"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// TestEveryKeyIsRead: each kind of feed reads the keys of a record that it accepts. A value that a key's table lacks
// shows that, or a time that isn't one.
func TestEveryKeyIsRead(t *testing.T) {
	const begin = "provider: acmetel\nfiles: {read: lines, format: jsonl}\nfeeds: {calls: {"
	const record, ofVisits = "record: {id: id, start: {path: start, time: rfc3339}, ", "counts: queue_visits, "
	const line = `{"id":"a","start":"2026-11-23T10:00:00Z","is":"answered","queue":"q",` +
		`"legs":[{"is":"failed"}],"mos":4}`
	words := map[string]string{"outcome": "busy", "direction": "outbound", "party": "own", "emergency": "true"}
	read := make(map[string]bool)
	for where, text := range map[string]string{
		"Mapper.mapByFunction in function.go": "map: ringcentral, " + record + "KEY}",
		"mapping.mapLeg in innerlegs.go":      record + "}, legs: {rows: legs, record: {outcome: is, KEY}}",
		"mapping.visit in visit.go":           ofVisits + record + "queue: queue, queue_result: is, KEY}",
		"mapping.visitAlone in visit.go":      ofVisits + record + "queue_result: is, KEY}",
		"mapping.fill in mapper.go":           "counts: media_streams, " + record + "media: {mos: mos}, KEY}",
		"mapping.call in mapper.go":           record + "outcome: is, KEY}",
		"mapping.outcome in mapper.go":        record + "KEY}",
	} {
		for _, key := range recordKeys() {
			value := "{path: is, table: {known: " + cmp.Or(words[key], "other") + "}}"
			if key == "answer" || key == "end" {
				value = "{path: is, time: rfc3339}"
			}
			definition := begin + strings.Replace(text, "KEY", key+": "+value, 1) + "}}\n"
			d, err := declared.Load("acmetel.yaml", []byte(definition))
			if err != nil {
				continue // the feed doesn't accept it, or has it already
			}
			feed := d.Feeds["calls"]
			m := declared.NewMapper(&feed, declared.MapperSettings{}).MapJSON([]byte(line))
			isUnmapped := slices.ContainsFunc(m.Unmapped, func(u collector.Unmapped) bool {
				return strings.TrimPrefix(u.Field, "legs.") == key
			})
			if !isUnmapped && !strings.HasPrefix(strings.TrimPrefix(m.Invalid, "legs: "), key+" ") {
				t.Errorf("the key %s isn't read: add it to %s, or remove it from the keys that this feed accepts",
					key, where)
			}
			read[key] = true
		}
	}
	for _, key := range recordKeys() {
		if !read[key] && key != "id" && key != "start" {
			t.Errorf("no feed accepts the key %s", key)
		}
	}
}

// TestEveryNumberIsHidden: no telephone number of a row is in its record after everything was redacted, except in ids
// and versions.
func TestEveryNumberIsHidden(t *testing.T) {
	const begin = "provider: acmetel\nfiles: {read: lines, format: jsonl}\nfeeds: {calls: {record: {" +
		"id: id, start: {path: start, time: rfc3339}, "
	const line = `{"id":"a","start":"2026-11-23T10:00:00Z","is":"answered","x":"+4930555012345"}`
	ids := strings.Fields("id call_id group parent version channel recording_id")
	for _, key := range recordKeys() {
		outcome := "outcome: is, "
		if key == "outcome" {
			outcome = ""
		}
		d, err := declared.Load("acmetel.yaml", []byte(begin+outcome+key+": x}}}"))
		if err != nil || slices.Contains(ids, key) {
			continue
		}
		feed := d.Feeds["calls"]
		r := declared.NewMapper(&feed, declared.MapperSettings{}).MapJSON([]byte(line)).Record
		if r == nil {
			continue // it isn't a value of this key
		}
		cdr.NewRedactor(cdr.Policy{}, nil).Redact(r)
		if text, err := json.Marshal(r); err != nil || strings.Contains(string(text), "55501") {
			t.Errorf("a number in the key %s is shown: pass it to cdr.HideNumbers where it is mapped, or add its "+
				"field to Redactor.Redact in internal/cdr/redact.go (%v)", key, err)
		}
	}
}

// recordKeys are the keys of a record whose value is one of a row.
func recordKeys() (keys []string) {
	for field := range reflect.TypeFor[declared.Record]().Fields() {
		if field.Type == reflect.TypeFor[language.Value]() {
			keys = append(keys, field.Tag.Get("yaml"))
		}
	}
	return keys
}
