package wire

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// listing reads {"rows": [...], ...} and lists what it has.
func listing(in *Input, body io.Reader) (all []string, err error) {
	err = in.Document(body, "the answer is no object", func(name string) error {
		all = append(all, name)
		if name != "rows" {
			return in.JSON.SkipValue()
		}
		return in.Array("the rows are no array", func(raw []byte) error {
			all = append(all, string(raw))
			return nil
		})
	})
	return all, err
}

// TestDocument: what an answer has is read as it comes, and what is wrong with it is said
// without a word of it.
func TestDocument(t *testing.T) {
	const most = 64
	broken := errors.New("the line broke")
	for _, test := range []struct {
		name string
		body io.Reader
		want []string
		err  string
		is   error
	}{
		{"rows", strings.NewReader(`{"rows":[1,{"a":[]},"x"],"more":{"b":[2]}} `), []string{"rows", "1", `{"a":[]}`, `"x"`, "more"}, "", nil},
		{"byte by byte", iotest.OneByteReader(strings.NewReader(`{"rows":[1,2]}`)), []string{"rows", "1", "2"}, "", nil},
		{"names twice, and no UTF-8", strings.NewReader("{\"a\":\"\xff\",\"a\":1}"), []string{"a", "a"}, "", nil},
		{
			"many values, each short enough", strings.NewReader(`{"rows":["` + strings.Repeat(strings.Repeat("x", 50)+`","`, 9) + `"]}`),
			slices.Concat([]string{"rows"}, slices.Repeat([]string{`"` + strings.Repeat("x", 50) + `"`}, 9), []string{`""`}), "", nil,
		},
		{"nothing", strings.NewReader(""), nil, "the answer is empty", nil},
		{"blanks", strings.NewReader(" \n"), nil, "the answer is empty", nil},
		{"no object", strings.NewReader(`["secret"]`), nil, "the answer is no object", nil},
		{"no array", strings.NewReader(`{"rows":"secret"}`), []string{"rows"}, "the rows are no array", nil},
		{"cut in a row", strings.NewReader(`{"rows":[1,"secr`), []string{"rows", "1"}, "the answer is cut at byte 16", ErrCut},
		{"cut behind a row", strings.NewReader(`{"rows":[1`), []string{"rows", "1"}, "the answer is cut at byte 10", ErrCut},
		{"bad syntax", strings.NewReader(`{"rows":[],secret}`), []string{"rows"}, "the answer is no valid JSON at byte 11", nil},
		{"more behind it", strings.NewReader(`{}{"secret":1}`), nil, "the answer goes on behind its end", nil},
		{
			"a value that is too long", strings.NewReader(`{"rows":["` + strings.Repeat("x", 5000)),
			[]string{"rows"},
			"a value of the answer is too long: over 64 bytes", ErrValueTooLong,
		},
		{"a name that is too long", strings.NewReader(`{"` + strings.Repeat("x", 5000)), nil, "a value of the answer is too long: over 64 bytes", ErrValueTooLong},
		{"a line that breaks", io.MultiReader(strings.NewReader(`{"rows":[1,`), iotest.ErrReader(broken)), []string{"rows", "1"}, "the line broke", broken},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := NewInput(most, 16)
			for range 2 { // nothing of a body is left for the next
				got, err := listing(in, test.body)
				if text := fmt.Sprint(err); text != test.err && (err != nil || test.err != "") || test.is != nil && !errors.Is(err, test.is) {
					t.Errorf("the error is %v, want %q", err, test.err)
				}
				if !slices.Equal(got, test.want) {
					t.Errorf("read %q, want %q", got, test.want)
				}
				if all, err := listing(in, strings.NewReader(`{"rows":[7]}`)); err != nil || !slices.Equal(all, []string{"rows", "7"}) {
					t.Errorf("then read %q, %v", all, err)
				}
				if _, ok := test.body.(io.Seeker); !ok {
					return
				}
				if _, err := test.body.(io.Seeker).Seek(0, io.SeekStart); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// TestBeginOfABody: a mark of the byte order is no part of it, and a page of HTML is seen
// before anything is made of it.
func TestBeginOfABody(t *testing.T) {
	for body, want := range map[string]error{
		"\ufeff{}": nil, "{}": nil, " \r\n\t{": nil, "": nil, "  ": nil, "a,b\n<": nil,
		"<!doctype html>": ErrHTML, "\ufeff \n<html>": ErrHTML, "\u00a0<html>": ErrHTML,
	} {
		buffer := bufio.NewReader(strings.NewReader(body))
		SkipMark(buffer)
		if err := NotHTML(buffer); !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("%q: %v, want %v", body, err, want)
		}
		if rest, _ := io.ReadAll(buffer); string(rest) != strings.TrimPrefix(body, "\ufeff") {
			t.Errorf("%q: %q is left", body, rest)
		}
	}
}
