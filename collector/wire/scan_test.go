package wire

import (
	"bytes"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// FuzzScan: the scanner sees what another decoder sees in every valid object.
func FuzzScan(f *testing.F) {
	for _, object := range []string{
		`{}`, `{"a":1}`, `{"a":"\"}","b":[{"c":"]"}],"d":null}`, `{ "a" : { } , "b" : -1.5e3 }`, `{"\\":"\\\\","":[]}`,
		`{"a":[1,[2,"]"],{"b":"}"}]}`,
	} {
		f.Add([]byte(object))
	}
	f.Fuzz(func(t *testing.T, object []byte) {
		value := jsontext.Value(bytes.TrimSpace(object))
		if len(value) == 0 || value[0] != '{' ||
			!value.IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) {
			return
		}
		var got [][]byte
		first := map[string][]byte{}
		Members(value, func(name, value []byte) {
			got = append(got, name, value)
			if _, has := first[TextOf(name)]; !has {
				first[TextOf(name)] = value
			}
		})
		for name, want := range first {
			if utf8.Valid(value) && !bytes.Equal(Member(value, name), want) {
				t.Fatalf("member %q of %q is %q, want %q", name, value, Member(value, name), want)
			}
		}
		if _, has := first["none"]; !has && Member(value, "none") != nil {
			t.Fatalf("%q has a member that it doesn't have", value)
		}

		decoder := jsontext.NewDecoder(bytes.NewReader(value), jsontext.AllowDuplicateNames(true),
			jsontext.AllowInvalidUTF8(true))
		if _, err := decoder.ReadToken(); err != nil {
			t.Fatal(err)
		}
		for i := 0; decoder.PeekKind() != '}'; i++ {
			want, err := decoder.ReadValue()
			require.NoError(t, err)
			if i >= len(got) || !bytes.Equal(got[i], want) {
				t.Fatalf("part %d of %q: got %q, want %q", i, value, got, want)
			}
		}
	})
}
