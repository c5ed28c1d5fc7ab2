package laws

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// unknown: a value that a table lacks loses no row.
func (b *bench) unknown() (scripts []script, why string) {
	for _, source := range sources(&b.feed) {
		if source.Words == nil {
			continue
		}
		for i, r := range b.base {
			other := b.withUnknown(i, &source)
			if other == nil {
				continue
			}
			rows := slices.Clone(b.base)
			rows[i] = other
			scripts = append(scripts, script{
				name:  fmt.Sprintf("%s has an unknown value at %s, for %s", r.name, source.Path, source.Field),
				steps: []step{{rows: rows}}, judge: b.sameCalls,
			})
			break
		}
	}
	if scripts == nil {
		return nil, "no table whose value stands in a row"
	}
	return scripts, ""
}

const (
	unknownWord   = "kit-unknown"
	unknownNumber = "113" // a byte
)

// withUnknown is a row with a value in place of one that a table has. It is nil if the row has none, if it isn't final
// then or of another call, or if the value changes which rows a query gives.
func (b *bench) withUnknown(at int, source *source) *row {
	r := b.base[at]
	if isObject(r.text) {
		text := withValue(r.text, source.Steps, unknownWord)
		if text == "" || !r.counts() {
			return nil
		}
		if other := b.rewritten(r, text); other.mapped.Invalid != "" || other.counts() && b.together(r, other) {
			return other
		}
		return nil
	}
	for _, word := range source.Words {
		if word == "" {
			continue
		}
		found := regexp.MustCompile(`\b` + regexp.QuoteMeta(word) + `\b`)
		// Columns may have a width, or take only numbers.
		for _, unknown := range []string{unknownWord, strings.Repeat("Z", len(word)), unknownNumber} {
			text := found.ReplaceAllLiteralString(r.text, unknown)
			if text == r.text {
				continue
			}
			if other := b.rewritten(r, text); b.staysUnknown(at, other) {
				return other
			}
		}
	}
	return nil
}

// staysUnknown says whether a row with an unknown value is still of its call. A query must give as many records of its
// statement as of the one of tests.
func (b *bench) staysUnknown(at int, other *row) bool {
	if b.definition.SQL == nil {
		return other.counts() && len(other.mapped.Unmapped) > 0 && b.together(b.base[at], other)
	}
	statements := slices.Clone(b.base)
	statements[at] = other
	page, err := b.readAll(statements)
	return err == nil && len(page.Records) == len(b.records) && len(page.Unmapped) > 0
}

// withValue is a row of JSON with another value in place of one that it has; empty: it has none there.
func withValue(text string, steps []string, value any) string {
	var document any
	if !isObject(text) || decode(text, &document) != nil {
		return ""
	}
	if was, found := valueAt(document, steps); !found || was == nil || was == "" {
		return ""
	}
	return encode(put(document, steps, value))
}

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
		for _, source := range sources(&b.feed) {
			was, _ := valueAt(document, source.Steps)
			at := source.shift(fmt.Sprint(was), by, b.zone)
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
var inTables = source{times: []string{time.DateTime, "rfc3339", "unix"}}

var unixTime = regexp.MustCompile(`^1[5-9]\d{8}(\d{3}){0,2}$`)

// movedTime is a time in a form that the definition or a database knows, moved; empty: it isn't one.
func (b *bench) movedTime(text string, by time.Duration) string {
	if !strings.ContainsAny(text, "-:/") && !unixTime.MatchString(text) {
		return ""
	}
	for _, source := range append(sources(&b.feed), inTables) {
		if at := source.shift(text, by, b.zone); at != "" {
			return at
		}
	}
	return ""
}
