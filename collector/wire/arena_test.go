package wire

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestText: what a string says, whatever its JSON looks like, holds while more is kept,
// over several blocks.
func TestText(t *testing.T) {
	long := strings.Repeat("x", minBlock)
	tests := []struct {
		name, content, want string
		repaired            bool
	}{
		{"plain", `plain`, "plain", false},
		{"nothing", ``, "", false},
		{"escapes", `a\"b\\c\u00e9\n`, "a\"b\\cé\n", false},
		{"a pair of surrogates", `\ud83d\ude00`, "😀", false},
		{"half a pair", `\ud83d`, "\ufffd", false},
		{"no UTF-8", "a\xffb", "a\ufffdb", true},
		{"only bytes that become longer", strings.Repeat("\xff", 99), strings.Repeat("\ufffd", 99), true},
		{"more than a block", long + `\t`, long + "\t", false},
	}
	for _, same := range []string{"a block's first", "again, after a reset"} {
		var a Arena
		var texts []string
		for _, test := range tests {
			text, repaired := a.Text(a.Copy([]byte(test.content)))
			if repaired != test.repaired {
				t.Errorf("%s, %s: repaired %t", test.name, same, repaired)
			}
			texts = append(texts, text)
		}
		for i, test := range tests {
			if texts[i] != test.want || !utf8.ValidString(texts[i]) {
				t.Errorf("%s, %s: got %.40q, want %.40q", test.name, same, texts[i], test.want)
			}
		}
		a.Reset()
	}
}

// TestPiecesStandAlone: whoever appends to a piece changes no other.
func TestPiecesStandAlone(t *testing.T) {
	var a Arena
	one := a.Copy([]byte("one"))
	two := a.Append(9, func(b []byte) []byte { return append(b, "two"...) })
	_ = append(one, "!!!"...)
	three := a.Copy([]byte("three"))
	if got := bytes.Join([][]byte{one, two, three}, []byte(" ")); string(got) != "one two three" {
		t.Errorf("the pieces are %q", got)
	}
}

// TestArenaIsUsedAgain: batches of one size take no memory after the first.
func TestArenaIsUsedAgain(t *testing.T) {
	var a Arena
	row := bytes.Repeat([]byte{'x'}, 1000)
	batch := func() {
		for range 100 {
			a.Copy(row)
		}
		a.Reset()
	}
	batch()
	batch()
	if n := testing.AllocsPerRun(10, batch); n != 0 {
		t.Errorf("%v allocations a batch", n)
	}
}
