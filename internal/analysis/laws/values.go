package laws

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
)

// unknown: a value that a table lacks loses no row.
func (b *bench) unknown(*played) (scripts []script, why string) {
	for _, source := range b.feed.Sources() {
		for i := range b.base {
			rows := slices.Clone(b.base)
			if rows[i] = b.withUnknown(i, &source); rows[i] == nil {
				continue
			}
			scripts = append(scripts, script{name: fmt.Sprintf("%s has an unknown value at %s, for %s", b.base[i].name,
				source.Path, source.Field), steps: []step{{rows: rows}}})
			break
		}
	}
	if scripts == nil {
		return nil, "no table whose value stands in a row"
	}
	return scripts, ""
}

// withUnknown is a row with a value in place of one that a table has. It is nil if the row has none, if it isn't final
// then or of another call, or if the value changes which rows a query gives.
func (b *bench) withUnknown(at int, source *declared.Source) *row {
	r := b.base[at]
	if source.Words == nil {
		return nil
	}
	if text, is := b.change(r.text, source.Steps, unknownWord); is {
		if other := b.remapped(r, text); r.counts() && (other.mapped.Invalid != "" ||
			other.counts() && b.callOf(other) == b.callOf(r)) {
			return other
		}
		return nil
	}
	for _, word := range source.Words {
		// Columns may have a width, or take only numbers.
		for _, unknown := range []string{unknownWord, strings.Repeat("Z", len(word)), unknownNumber} {
			text := regexp.MustCompile(`\b`+regexp.QuoteMeta(word)+`\b`).ReplaceAllLiteralString(r.text, unknown)
			if word == "" || text == r.text || strings.HasPrefix(text, "{") {
				continue
			}
			if other := b.remapped(r, text); b.definition.SQL != nil {
				rows := slices.Clone(b.base)
				if rows[at] = other; b.gives(rows) {
					return other
				}
			} else if other.counts() && len(other.mapped.Unmapped) > 0 && b.callOf(other) == b.callOf(r) {
				return other
			}
		}
	}
	return nil
}

const (
	unknownWord   = "kit-unknown"
	unknownNumber = "113" // a byte
)

// gives says whether the query gives as many records of other statements as of those of tests, some with an unknown
// value.
func (b *bench) gives(statements []*row) bool {
	page, err := b.readShown(statements)
	return err == nil && len(page.Records) == len(b.read.Records) && len(page.Unmapped) > 0
}

// change is a row with another value at a path, in JSON; is: there was a value.
func (b *bench) change(text string, steps []string, value any) (changed string, is bool) {
	var document any
	if !strings.HasPrefix(text, "{") || decode(text, &document) != nil {
		return "", false
	}
	if was, found := valueAt(document, steps); !found || was == nil || was == "" {
		return "", false
	}
	return encode(replace(document, steps, value, false)), true
}

// remapped is a row with another text.
func (b *bench) remapped(r *row, text string) *row {
	other := *r
	if other.text = text; b.definition.SQL == nil {
		other.rows, other.mapped = b.readRow(text, r.of)
	}
	return &other
}

// damages are values that no row should have.
var damages = []struct {
	name  string
	value any
	take  bool
}{
	{"null", nil, false},
	{"missing", nil, true},
	{"huge", strings.Repeat("9", 70_000), false},
	{"an object", map[string]any{"kit": true}, false},
	{"a list", []any{"kit"}, false},
}

// damaged: a row that can't be read is set aside, and no other.
func (b *bench) damaged(*played) (scripts []script, why string) {
	if b.definition.SQL != nil {
		return b.damagedTables()
	}
	rows := slices.Clone(b.base)
	n := 0
	seen := make(map[string]bool)
	for _, source := range b.feed.Sources() {
		if seen[source.Path] {
			continue
		}
		seen[source.Path] = true
		for _, r := range b.base {
			if _, is := b.change(r.text, source.Steps, nil); !is || !r.counts() {
				continue
			}
			for _, d := range damages {
				value := d.value
				if text, is := value.(string); is {
					value = fmt.Sprint(text, n) // two rows mustn't have the same id
				}
				if text := b.damage(r.text, source.Steps, value, d.take, n); text != "" {
					other := b.remapped(r, text)
					if other.mapped.Record != nil && !other.mapped.Record.Start.Equal(r.mapped.Record.Start) {
						continue
					}
					other.name = fmt.Sprintf("%s with %s at %s", r.name, d.name, source.Path)
					other.key = fmt.Sprintf("%s damaged %d", r.key, n)
					rows = append(rows, other)
					n++
				}
			}
			break
		}
	}
	for _, r := range b.base {
		for i, text := range b.damagedLines(r.text) {
			if other := b.remapped(r, text); other.rows == 1 && other.mapped.Record == nil {
				other.name, other.key = fmt.Sprintf("%s damaged", r.name), fmt.Sprintf("%s damaged line %d", r.key, i)
				rows = append(rows, other)
				n++
			}
		}
	}
	if n == 0 {
		return nil, "no value of a row that could be damaged"
	}
	return []script{{name: fmt.Sprintf("%d damaged rows among the others", n), steps: []step{{rows: rows}}}}, ""
}

// ignoredHalves says that half a line of a call is ignored, since the pattern has an alternative for every line. Then
// nobody sees a call whose line has another form.
func (b *bench) ignoredHalves() string {
	if f := b.feed.Lines(); f == nil || f.Format != "pattern" {
		return ""
	}
	for _, r := range b.base {
		if r.counts() && len(r.text) > 1 && b.remapped(r, r.text[:len(r.text)/2]).mapped.Ignored {
			return "; half of " + r.name + " is ignored, not invalid: let the pattern's last alternative match only " +
				"lines that can't be calls"
		}
	}
	return ""
}

// damagedLines are lines that can't be read as a row is that is a line itself.
func (b *bench) damagedLines(text string) []string {
	if f := b.feed.Lines(); f == nil || f.Format == "xml" || strings.HasPrefix(text, "{") || text == "" {
		return nil
	}
	return []string{text[:len(text)/2], strings.Repeat("9", 70_000), "kit \x00\xff", "{\"kit\":"}
}

// identities are the fields by which rows are known and belong together.
var identities = []string{"record.id", "record.group", "record.parent", "record.call_id", "record.channel"}

// damage returns the row under new ids, with a value at a path; empty if the form of the rows can't have that value.
func (b *bench) damage(text string, steps []string, value any, take bool, n int) string {
	var document any
	if decode(text, &document) != nil {
		return ""
	}
	if !strings.HasPrefix(text, "{") {
		return ""
	}
	if _, isText := value.(string); b.feed.Format == "csv" && value != nil && !isText {
		return ""
	}
	for _, source := range b.feed.Sources() {
		if !slices.Contains(identities, source.Field) {
			continue
		}
		switch was, _ := valueAt(document, source.Steps); was := was.(type) {
		case string:
			if was != "" && !strings.HasSuffix(was, fmt.Sprintf("-kit%d", n)) {
				document = replace(document, source.Steps, fmt.Sprintf("%s-kit%d", was, n), false)
			}
		case fmt.Stringer:
			if !strings.HasSuffix(was.String(), fmt.Sprintf("0%d", 77_000+n)) {
				document = replace(document, source.Steps, fmt.Sprintf("%s0%d", was, 77_000+n), false)
			}
		}
	}
	return encode(replace(document, steps, value, take))
}

// judgeDamaged wants the calls of the plain script, and the calls of damaged rows that can be read. A
// row that isn't final counts in the end, because it never becomes final.
func (b *bench) judgeDamaged(plain, out *played) string {
	scripts, _ := b.damaged(plain)
	calls, visits := plain.sum("cdr_calls_total"), plain.sum("cdr_queue_calls_total")
	known := make(map[string]bool)
	for _, r := range scripts[0].steps[0].rows[len(b.base):] {
		if r.mapped.Record == nil {
			continue
		}
		visits += float64(len(r.mapped.Record.Visits))
		if call := b.callOf(r); !r.mapped.Record.NoCall && !known[call] {
			known[call] = true
			calls++
		}
	}
	return out.miscounts(calls, visits)
}
