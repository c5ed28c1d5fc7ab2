package laws

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
)

const day = 24 * time.Hour

// moved are the rows, all of whose times are later; nil: they can't be written so.
func (b *bench) moved(by time.Duration) (all []*row) {
	if b.definition.SQL != nil {
		return b.movedTables(by)
	}
	for _, r := range b.base {
		var document any
		changed := false
		if !isObject(r.text) || decode(r.text, &document) != nil {
			return nil
		}
		for _, source := range b.feed.Sources() {
			was, _ := valueAt(document, source.Steps)
			at := source.Shift(fmt.Sprint(was), by, b.zone)
			if at == "" {
				continue
			}
			var value any = json.Number(at)
			if _, isText := was.(string); isText {
				value = at
			}
			document, changed = put(document, source.Steps, value), true
		}
		if !changed {
			return nil
		}
		other := b.rewritten(r, encode(document))
		other.at = r.at.Add(by)
		if other.mapped.Record == nil != (r.mapped.Record == nil) {
			return nil
		}
		all = append(all, other)
	}
	return all
}

// movedTables are the statements of tests, all of whose times are later; nil: they can't be written so.
func (b *bench) movedTables(by time.Duration) (all []*row) {
	for _, r := range b.base {
		other := *r
		for _, v := range slices.Backward(b.valuesIn(r.text)) {
			text := strings.Trim(r.text[v.from:v.to], "'")
			if at := b.movedTime(text, by); at != "" {
				other.text = other.text[:v.from] + strings.Replace(r.text[v.from:v.to], text, at, 1) + other.text[v.to:]
			}
		}
		all = append(all, &other)
	}
	page, err := b.readEach(all)
	if err != nil || len(page.Records) != len(b.records) {
		return nil
	}
	for i, r := range page.Records { // a time in an hour that comes twice may mean the other one
		if off := r.Start.Sub(b.records[i].Start) - by; off.Abs() > time.Hour {
			return nil
		}
	}
	joinPrevious(all)
	return all
}

// inTables is how tables write times that no field is taken from.
var inTables = declared.TimesOf(time.DateTime, "rfc3339", "unix")

var unixTime = regexp.MustCompile(`^1[5-9]\d{8}(\d{3}){0,2}$`)

// movedTime is a time in a form that the definition or a database knows, moved; empty: it isn't one.
func (b *bench) movedTime(text string, by time.Duration) string {
	if !strings.ContainsAny(text, "-:/") && !unixTime.MatchString(text) {
		return ""
	}
	for _, source := range append(b.feed.Sources(), inTables) {
		if at := source.Shift(text, by, b.zone); at != "" {
			return at
		}
	}
	return ""
}
