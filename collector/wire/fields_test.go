package wire

import (
	"testing"
	"unicode/utf8"
)

// TestText: the value of a string doesn't depend on how its JSON is written.
func TestText(t *testing.T) {
	for _, test := range []struct {
		name, content, want string
		repaired            bool
	}{
		{"plain", `plain`, "plain", false},
		{"nothing", ``, "", false},
		{"escapes", `a\"b\\c\u00e9\n`, "a\"b\\cé\n", false},
		{"a pair of surrogates", `\ud83d\ude00`, "😀", false},
		{"half a pair", `\ud83d`, "\ufffd", true},
		{"no UTF-8", "a\xffb", "a\ufffdb", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			var f Fields
			f.Parse([]byte(`{"\u0061":"` + test.content + `","a":"the second"}`))
			if text := f.Text("a"); text != test.want || !utf8.ValidString(text) {
				t.Errorf("got %q, want %q", text, test.want)
			}
			if id := f.ID("a"); (id != test.want) != test.repaired || (f.Problem != "") != test.repaired {
				t.Errorf("as an id: %q, problem %q", id, f.Problem)
			}
		})
	}
}
