package laws

import (
	"fmt"
	"slices"
	"strings"
)

// unknown: a value that a table lacks loses no row.
func (b *bench) unknown(*played) (scripts []script, why string) {
	if b.definition.SQL != nil {
		return nil, "values of tables aren't changed"
	}
	for _, source := range b.feed.Sources() {
		if !source.Table {
			continue
		}
		for i, r := range b.base {
			if text, is := b.change(r.text, source.Steps, "kit-unknown"); is && r.counts() {
				other := b.remapped(r, text)
				if other.mapped.Invalid == "" && !other.counts() || other.counts() && b.callOf(other) != b.callOf(r) {
					continue // it says that the row isn't final, or no call
				}
				rows := slices.Clone(b.base)
				rows[i] = other
				scripts = append(scripts, script{name: fmt.Sprintf("%s has an unknown value at %s, for %s", r.name,
					source.Path, source.Field), steps: []step{{rows: rows}}})
				break
			}
		}
	}
	if scripts == nil {
		return nil, "no table whose value stands in a row"
	}
	return scripts, ""
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
	other.text = text
	_, other.mapped = b.readRow(text, r.of)
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
	if n == 0 {
		return nil, "no value of a row that could be damaged"
	}
	return []script{{name: fmt.Sprintf("%d damaged rows among the others", n), steps: []step{{rows: rows}}}}, ""
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
