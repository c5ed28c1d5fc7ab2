package laws

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rowmap"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// row is one row of the provider's, and what it must become.
type row struct {
	name    string            // its place in tests
	text    string            // JSON, a line, an element of XML or a statement of SQL
	of      map[string]string // the values of the feed's `for`
	known   bool              // tests say what it becomes
	word    string            // ignored, invalid or open
	becomes map[string]string // else its fields

	rows   int // that its text has
	mapped rowmap.Result
	gives  []*cdr.Record // of a statement: what the query gives once it has run, and didn't before
	key    string        // which later versions of the row share
	at     time.Time     // by which the provider filters
}

// counts says whether the row is a record that is final.
func (r *row) counts() bool { return r.mapped.Record != nil && !r.mapped.Record.Provisional }

// records are those that the row gives.
func (r *row) records() []*cdr.Record {
	if r.mapped.Record != nil {
		return []*cdr.Record{r.mapped.Record}
	}
	return r.gives
}

// begins is the time of the row, or the start of its calls if the provider filters by another one.
func (r *row) begins() time.Time {
	begins := r.at
	for _, record := range r.records() {
		begins = earliest(begins, record.Start)
	}
	return begins
}

// flatten lists the rows of a feed's tests, those under `but` behind theirs.
func flatten(feed string, all []declared.TestRow) (rows []*row, err error) {
	for i, t := range all {
		if t.Feed != feed && t.Feed != "" {
			continue
		}
		base := &row{
			name: fmt.Sprintf("rows[%d]", i), text: string(t.Row), of: t.For, known: true,
			word: t.Becomes.Word, becomes: t.Becomes.Fields,
		}
		rows = append(rows, base)
		for j, but := range t.But {
			other := &row{name: fmt.Sprintf("%s.but[%d]", base.name, j), of: t.For, known: true, word: but.Becomes.Word}
			if but.For != nil {
				other.of = but.For
			}
			if other.text, err = amend(base.text, string(but.Row)); err != nil {
				return nil, fmt.Errorf("tests.%s.row: %w", other.name, err)
			}
			if other.word == "" {
				other.becomes = maps.Clone(base.becomes)
				if other.becomes == nil {
					other.becomes = make(map[string]string)
				}
				maps.Copy(other.becomes, but.Becomes.Fields)
				maps.DeleteFunc(other.becomes, func(_, v string) bool { return v == "" })
			}
			rows = append(rows, other)
		}
	}
	return rows, nil
}

// amend is a JSON object with some other values; null takes one away. Another text is replaced.
func amend(text, patch string) (string, error) {
	var base, other any
	if !strings.HasPrefix(text, "{") || patch == "" {
		return cmp.Or(patch, text), nil
	}
	if err := decode(text, &base); err != nil {
		return "", fmt.Errorf("isn't JSON: %w", err)
	}
	if err := decode(patch, &other); err != nil || !strings.HasPrefix(patch, "{") {
		return "", errors.New("must be a mapping of what is different")
	}
	return encode(merge(base, other)), nil
}

func merge(base, other any) any {
	b, isMap := base.(map[string]any)
	o, both := other.(map[string]any)
	if !isMap || !both {
		return other
	}
	for key, value := range o {
		if value == nil {
			delete(b, key)
		} else {
			b[key] = merge(b[key], value)
		}
	}
	return b
}

// decode reads JSON and keeps numbers as they are written.
func decode(text string, into any) error {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	return d.Decode(into)
}

func encode(value any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(value) // what was decoded can be written
	return strings.TrimSuffix(b.String(), "\n")
}

// replace returns doc with another value at a path, which is created if it is missing. With take it removes the value.
func replace(doc any, steps []string, value any, take bool) any {
	if len(steps) == 0 {
		return value
	}
	var index int
	if _, err := fmt.Sscanf(steps[0], "%d", &index); err == nil {
		if list, is := doc.([]any); is || doc == nil {
			for len(list) <= index && index < 100 {
				list = append(list, nil)
			}
			list[index] = replace(list[index], steps[1:], value, take)
			return list
		}
	}
	object, is := doc.(map[string]any)
	if !is {
		object = make(map[string]any)
	}
	if len(steps) == 1 && take {
		delete(object, steps[0])
		return object
	}
	object[steps[0]] = replace(object[steps[0]], steps[1:], value, take)
	return object
}

// valueAt is what is at a path.
func valueAt(doc any, steps []string) (value any, found bool) {
	for _, step := range steps {
		switch d := doc.(type) {
		case map[string]any:
			if doc, found = d[step]; !found {
				return nil, false
			}
		case []any:
			var index int
			if _, err := fmt.Sscanf(step, "%d", &index); err != nil || index >= len(d) {
				return nil, false
			}
			doc = d[index]
		default:
			return nil, false
		}
	}
	return doc, true
}

// isEmpty says whether a value says no: it is null, false, 0 or empty.
func isEmpty(value any) bool {
	return slices.Contains([]string{"<nil>", "false", "0", ""}, fmt.Sprint(value))
}

// line is a row of columns as a line of CSV.
func (l *layout) line(text string) string {
	var values map[string]any
	if !strings.HasPrefix(text, "{") || decode(text, &values) != nil {
		return text
	}
	fields := make([]string, len(l.columns))
	for i, column := range l.columns {
		if v, is := values[column]; is && v != nil {
			fields[i] = fmt.Sprint(v)
		}
	}
	return l.join(fields)
}

// join are values as a line.
func (l *layout) join(fields []string) string {
	if !l.quotes {
		return strings.Join(fields, l.separator)
	}
	var b strings.Builder
	w := csv.NewWriter(&b)
	w.Comma = rune(l.separator[0])
	_ = w.Write(fields) // into memory
	w.Flush()
	return strings.TrimSuffix(b.String(), "\n")
}

// columnsOf are the columns of rows whose definition leaves them to the first line.
func columnsOf(rows []*row) (columns []string) {
	for _, r := range rows {
		var values map[string]any
		if decode(r.text, &values) == nil {
			columns = append(columns, slices.Collect(maps.Keys(values))...)
		}
	}
	slices.Sort(columns)
	return slices.Compact(columns)
}

// shown are the fields of a record by their names in a definition. Charges without a currency have the one given.
func shown(r *cdr.Record, currency string) map[string]string {
	out := map[string]string{
		"id": strings.Join(append([]string{r.ID}, r.AltIDs...), ", "), "group": r.CallKey, "parent": r.Parent,
		"call_type": r.CallType, "trunk": r.Trunk, "channel": r.Channel, "reason": r.Reason, "country": r.Country,
		"caller": r.CallerNumber, "callee": r.CalleeNumber, "user_id": r.UserID, "user_name": r.UserName,
	}
	set := func(key string, known bool, value any) {
		if known {
			out[key] = fmt.Sprint(value)
		}
	}
	set("call_id", r.CallID != cmp.Or(r.CallKey, r.ID), r.CallID)
	set("version", r.Version != 0, r.Version)
	for key, at := range map[string]time.Time{"start": r.Start, "answer": r.Answer, "end": r.End} {
		set(key, !at.IsZero(), at.UTC().Format(time.RFC3339Nano))
	}
	set("outcome", !r.NoCall, r.Outcome)
	set("outcome", !r.NoCall && r.NoOutcome, "none")
	set("duration", !r.NoCall && !r.NoDuration, r.Duration)
	for key, length := range map[string]cdr.Length{"ringing": r.Ringing, "talk": r.Talk, "connected": r.Connected} {
		set(key, length.Known, length.Value)
	}
	set("sip_code", r.SIPCode.Known, r.SIPCode.Value)
	set("direction", r.Direction != cdr.DirectionUnknown, r.Direction)
	set("party", r.Party != cdr.Person, r.Party)
	set("fault_domain", r.FaultDomain != cdr.FaultUnknown, r.FaultDomain)
	set("emergency", r.Emergency != cdr.NoEmergency, true)
	set("whole", r.Whole, true)
	if l := r.Second; l != nil {
		out["second.trunk"], out["second.channel"], out["second.outcome"] = l.Trunk, l.Channel, l.Outcome.String()
		set("second.outcome", l.NoOutcome, "none")
	}
	var charges, recordings []string
	for i := range r.Charges {
		c := &r.Charges[i]
		charges = append(charges, strings.TrimSpace(c.Component+" "+c.Amount.String()+" "+cmp.Or(c.Currency, currency)))
	}
	for _, recording := range r.Recordings {
		recordings = append(recordings, recording.ID)
	}
	out["charges"], out["recording_id"] = strings.Join(charges, ", "), strings.Join(recordings, ", ")
	for i := range r.Visits {
		v := &r.Visits[i]
		out["queue"], out["queue_result"] = v.Queue, v.Result.String()
		set("queue_wait", v.Wait.Known, v.Wait.Value)
	}
	for i, s := range r.Streams {
		out[fmt.Sprintf("media.%d", i)] = quality(&s)
	}
	for _, l := range r.ProviderLabels {
		out["labels."+l.Name] = l.Value
	}
	for i := range r.Extra {
		out["extra."+r.Extra[i].Key] = r.Extra[i].Str + classes[r.Extra[i].Privacy]
	}
	maps.DeleteFunc(out, func(_, v string) bool { return v == "" })
	return out
}

// classes are what stands behind a value that is personal.
var classes = map[cdr.Privacy]string{cdr.Number: " (number)", cdr.User: " (user)", cdr.Address: " (address)"}

// quality describes the measurements of a stream.
func quality(s *cdr.Stream) string {
	parts := []string{"to_caller"}
	if s.ToCallee {
		parts[0] = "to_callee"
	}
	if s.NoSender {
		parts[0] = "unknown"
	}
	add := func(name string, known bool, value any) {
		if known {
			parts = append(parts, fmt.Sprintf("%s=%v", name, value))
		}
	}
	add("jitter", s.Jitter.Known, s.Jitter.Value)
	add("round_trip", s.RoundTrip.Known, s.RoundTrip.Value)
	add("loss", s.Loss.Known, s.Loss.Value)
	add("mos", s.MOS.Known, s.MOS.Value)
	add("packets", s.Packets.Known, s.Packets.Value)
	return strings.Join(parts, " ")
}

// differences are the fields that aren't as tests have them.
func differences(want, got map[string]string) (all []string) {
	for key := range got {
		if _, is := want[key]; !is {
			all = append(all, fmt.Sprintf("%s is %q, which tests don't have", key, got[key]))
		}
	}
	for key, text := range want {
		value, is := got[key]
		switch {
		case !is && follows(key, text, got):
		case !is:
			all = append(all, fmt.Sprintf("%s is missing, want %q", key, text))
		case !same(key, text, value):
			all = append(all, fmt.Sprintf("%s is %q, want %q", key, value, text))
		}
	}
	slices.Sort(all)
	return all
}

// follows says whether a field is what a record has that doesn't say it.
func follows(key, text string, got map[string]string) bool {
	switch key {
	case "party":
		return text == cdr.Person.String()
	case "direction", "fault_domain":
		return text == "unknown"
	case "call_id":
		return text == cmp.Or(got["group"], got["id"])
	}
	return false
}

// same compares two values of a field, times and lengths by what they mean.
func same(key, a, b string) bool {
	switch key {
	case "start", "answer", "end":
		at, err := time.Parse(time.RFC3339, a)
		other, err2 := time.Parse(time.RFC3339, b)
		return err == nil && err2 == nil && at.Equal(other)
	case "version":
		if at, err := time.Parse(time.RFC3339, a); err == nil {
			a = strconv.FormatInt(at.UnixMicro(), 10)
		}
	case "duration", "ringing", "queue_wait", "talk", "connected":
		d, err := time.ParseDuration(a)
		other, err2 := time.ParseDuration(b)
		return err == nil && err2 == nil && d == other
	}
	if strings.HasPrefix(key, "media.") && !strings.Contains(a, " packets=") { // tests may leave it out
		b, _, _ = strings.Cut(b, " packets=")
	}
	if key == "charges" {
		return plainAmounts(a) == plainAmounts(b)
	}
	return a == b
}

// plainAmounts are charges whose amounts are written in one form.
func plainAmounts(text string) string {
	words := strings.Fields(text)
	for i, word := range words {
		if amount, err := cdr.ParseMoney(strings.TrimSuffix(word, ",")); err == nil {
			words[i] = amount.String()
		}
	}
	return strings.Join(words, " ")
}
