package cdrtest

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// SetField sets a field of a record to a value that isn't zero; another n gives another value.
type SetField = func(r *cdr.Record, n int)

// EveryField reports each field of cdr.Record that is missing in a list of fields. isIn says whether the field that set
// sets is in the list; where says which list it is, for people who add a field. except are the fields that don't belong
// there, by the reason.
func EveryField(t *testing.T, where string, except map[string]string, isIn func(set SetField) bool) {
	t.Helper()
	excepted := make(map[string]bool)
	for _, names := range except {
		for name := range strings.FieldsSeq(names) {
			excepted[name] = true
		}
	}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[cdr.Record]()) {
		name := field.Name
		is := isIn(func(r *cdr.Record, n int) { fill(reflect.ValueOf(r).Elem().FieldByIndex(field.Index), n) })
		if !is && !excepted[name] {
			t.Errorf("cdr.Record.%s is missing: add it to %s, or to the exceptions of this test with a reason",
				name, where)
		}
		if is && excepted[name] {
			t.Errorf("cdr.Record.%s isn't an exception: it is in %s", name, where)
		}
		delete(excepted, name)
	}
	for name := range excepted {
		t.Errorf("%s is an exception, and cdr.Record doesn't have this field", name)
	}
}

// Shows says whether what show makes of a call changes with the field that set sets. Options change the call.
func Shows(show func(r *cdr.Record) string, options ...Option) func(set SetField) bool {
	return func(set SetField) bool {
		one, other := Call("a", options...), Call("a", options...)
		set(one, 1)
		set(other, 2)
		return show(one) != show(other)
	}
}

// fill gives a value, and all that is in it, the n-th of its values that aren't zero.
func fill(v reflect.Value, n int) {
	switch value := v.Addr().Interface().(type) {
	case *time.Time:
		*value = Epoch.Add(time.Duration(n) * time.Second)
		return
	case *time.Duration:
		*value = time.Duration(n) * time.Second
		return
	case *cdr.Money:
		*value, _ = cdr.ParseMoney(fmt.Sprint(n))
		return
	case *cdr.Labels:
		*value = cdr.NewLabels([]cdr.Label{{Name: "site", Value: fmt.Sprint("text", n)}})
		return
	case *cdr.Attr:
		*value = cdr.Text("kind", fmt.Sprint("text", n), cdr.Plain)
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprint("text", n))
	case reflect.Bool:
		v.SetBool(n%2 == 1)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(n))
	case reflect.Uint8:
		v.SetUint(uint64(n)) //nolint:gosec // not below 0
	case reflect.Float64:
		v.SetFloat(float64(n) / 4)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), n)
	case reflect.Struct:
		for _, field := range v.Fields() {
			if field.CanSet() {
				fill(field, n)
			}
		}
		if known := v.FieldByName("Known"); known.IsValid() {
			known.SetBool(true)
		}
	default:
		panic("cdr.Record has a field of type " + v.Type().String() + ": fill it in cdrtest")
	}
}
