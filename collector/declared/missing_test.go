package declared_test

import (
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
)

// TestMissingTexts: texts that the feed's `missing` names are missing, in paths, conditions and expressions.
func TestMissingTexts(t *testing.T) {
	m := mapper(t, "    missing: [NA, '-']\n"+record("answer: {path: a, time: rfc3339}", "trunk: [b, c.d, e]",
		"call_id: {expr: 'b ?? c.d ?? \"none\"'}", "caller: {when: {b: ''}, is: '201'}"), declared.MapperSettings{})
	for members, want := range map[string]string{
		`"a":"NA","b":" NA ","c":{"d":"-"},"e":"x"`: "x none 201",
		`"a":"-","b":"na","c":{"d":"NA"}`:           "na na ",
	} {
		r := m.MapJSON([]byte(row(members))).Record
		if r == nil || !r.Answer.IsZero() || r.Trunk+" "+r.CallID+" "+r.CallerNumber != want {
			t.Errorf("%s became %+v, want %s", members, r, want)
		}
	}
}
