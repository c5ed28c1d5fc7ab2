package providertest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// Row is a record as JSON shows it: what is at its zero value is left out. It outlives the page.
type Row map[string]any

// RowOf shows a record by the names of its fields. Its further attributes get a prefix, such as cdr.msgraph.
func RowOf(r *cdr.Record, prefix string) Row {
	out := Row{}
	for field, value := range reflect.ValueOf(r).Elem().Fields() {
		if slices.Contains(notShown, field.Name) {
			continue
		}
		if shown := show(field.Name, value.Interface()); !value.IsZero() {
			out[field.Name] = shown
		}
	}
	out["Direction"], out["Outcome"], out["Duration"] = r.Direction.String(), r.Outcome.String(), r.Duration.String()
	if r.NoDuration {
		out["Duration"] = "none"
	}
	out.lists(r)
	for i := range r.Extra {
		out[prefix+r.Extra[i].Key] = attribute(&r.Extra[i])
	}
	return out
}

// show is a field's value in JSON.
func show(name string, value any) any {
	switch v := value.(type) {
	case string:
		return strings.Clone(v)
	case []string:
		return strings.Join(v, " ")
	case bool, int, int64:
		return v
	case time.Time:
		return v.Format(time.RFC3339Nano)
	case cdr.Int:
		return v.Value
	case cdr.Length:
		return v.Value.String()
	case cdr.Emergency:
		return [...]string{"", "real", "test"}[v]
	case fmt.Stringer:
		return v.String()
	}
	panic("RowOf in collector/providertest/row.go can't show cdr.Record." + name + ": add its type to show, or the " +
		"field to notShown")
}

// notShown are the fields that RowOf shows otherwise, and those that tests compare by themselves.
var notShown = []string{
	"NoDuration", "Charges", "Recordings", "Legs", "Visits", "Extra", // shown otherwise
	"Party", "Class", "Twin", "NoCall", "Settled", "ListsLegs", "Second", "Sessions", "Streams",
	"Ratings", "ProviderLabels", "Labels", "Origins",
}

// lists shows what there may be several of.
func (out Row) lists(r *cdr.Record) {
	var charges, recordings, legs, visits []string
	for i := range r.Charges {
		c := &r.Charges[i]
		charges = append(charges, strings.TrimSpace(c.Component+" "+c.Amount.String()+" "+c.Currency))
	}
	for _, rec := range r.Recordings {
		recordings = append(recordings, strings.TrimSpace(rec.ID+" "+rec.Type))
	}
	for _, l := range r.Legs {
		leg := strings.TrimSpace(l.Type + " " + l.Outcome.String())
		if l.Party != cdr.Person {
			leg += " " + l.Party.String()
		}
		if l.Master {
			leg += " master"
		}
		if l.Duration.Known {
			leg += fmt.Sprint(" ", l.Start.Format(time.RFC3339), " ", l.Duration.Value)
		}
		legs = append(legs, leg)
	}
	for _, v := range r.Visits {
		wait := "unknown"
		if v.Wait.Known {
			wait = v.Wait.Value.String()
		}
		visits = append(visits, strings.Join([]string{v.Queue, v.Result.String(), wait}, " "))
	}
	for key, list := range map[string][]string{
		"Charges": charges, "Recordings": recordings, "Legs": legs,
		"Visits": visits,
	} {
		if list != nil {
			out[key] = list
		}
	}
}

// attribute shows a value with the class of what is personal.
func attribute(a *cdr.Attr) string {
	value := strings.Clone(a.Str)
	switch a.Type {
	case cdr.StringsAttr:
		value = strings.Join(a.Strs, ",")
	case cdr.BoolAttr, cdr.IntAttr:
		value = fmt.Sprint(a.Int)
	case cdr.StringAttr:
	}
	return value + [...]string{"", " (number)", " (user)", " (address)", ""}[a.Privacy]
}

// Want compares some fields; nil wants one that is absent.
func (out Row) Want(t testing.TB, fields Row) {
	t.Helper()
	for key, want := range fields {
		if got, exists := out[key]; fmt.Sprint(got) != fmt.Sprint(want) || exists == (want == nil) {
			t.Errorf("%s = %v, want %v", key, got, want)
		}
	}
}

// Unmapped shows values that a mapping doesn't know: [{field value} …].
func Unmapped(all []collector.Unmapped) string {
	texts := make([]string, len(all))
	for i, u := range all {
		texts[i] = "{" + u.Field + " " + u.Value + "}"
	}
	return "[" + strings.Join(texts, " ") + "]"
}
