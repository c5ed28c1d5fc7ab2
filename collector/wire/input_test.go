package wire

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// listing reads {"rows": [...], ...} and lists its values.
func listing(in *Input, body string) (all []string, err error) {
	err = in.Document([]byte(body), "the answer isn't an object", func(name string) error {
		all = append(all, name)
		if name != "rows" {
			return in.JSON.SkipValue()
		}
		return in.Array("the rows aren't an array", func(raw []byte) error {
			all = append(all, string(raw))
			return nil
		})
	})
	return all, err
}

// TestDocument: values are read in order, and an error contains no word of the body.
func TestDocument(t *testing.T) {
	for _, test := range []struct {
		name string
		body string
		want []string
		err  string
		is   error
	}{
		{
			"rows", `{"rows":[1,{"a":[]},"x"],"more":{"b":[2]}} `,
			[]string{"rows", "1", `{"a":[]}`, `"x"`, "more"},
			"",
			nil,
		},
		{"names twice, and no UTF-8", "{\"a\":\"\xff\",\"a\":1}", []string{"a", "a"}, "", nil},
		{
			"many values, each short enough", `{"rows":["` + strings.Repeat(strings.Repeat("x", MaxValue/4)+`","`, 9) +
				`"]}`,
			slices.Concat([]string{"rows"}, slices.Repeat([]string{`"` + strings.Repeat("x", MaxValue/4) + `"`}, 9),
				[]string{`""`}), "", nil,
		},
		{"nothing", "", nil, "the answer is empty", nil},
		{"blanks", " \n", nil, "the answer is empty", nil},
		{"no object", `["secret"]`, nil, "the answer isn't an object", nil},
		{"no array", `{"rows":"secret"}`, []string{"rows"}, "the rows aren't an array", nil},
		{"cut in a row", `{"rows":[1,"secr`, []string{"rows", "1"}, "the answer is cut at byte 16", ErrCut},
		{"cut behind a row", `{"rows":[1`, []string{"rows"}, "the answer is cut at byte 10", ErrCut},
		{"bad syntax", `{"rows":[],secret}`, []string{"rows"}, "the answer isn't valid JSON at byte 11", nil},
		{
			"no comma behind the rows", `{"rows":[] "secret":1}`,
			[]string{"rows"},
			"the answer isn't valid JSON at byte 11", nil,
		},
		{
			"a comma too many behind the rows", `{"rows":[],}`,
			[]string{"rows"},
			"the answer isn't valid JSON at byte 11",
			nil,
		},
		{
			"a comma too many behind a row", `{"rows":[1,]}`,
			[]string{"rows", "1"},
			"the answer isn't valid JSON at byte 11", nil,
		},
		{
			"no comma between rows", `{"rows":[{"a":1} {"secret":2}]}`,
			[]string{"rows"},
			"the answer isn't valid JSON at byte 17", nil,
		},
		{"cut between rows", `{"rows":[1, `, []string{"rows", "1"}, "the answer is cut at byte 12", ErrCut},
		{"cut behind the rows", `{"rows":[1] `, []string{"rows", "1"}, "the answer is cut at byte 12", ErrCut},
		{
			"two arrays, with blanks", " { \"rows\" : [ 1 , { } ] , \"rows\" : [ ] , \"a\" : [ ] } ",
			[]string{"rows", "1", "{ }", "rows", "a"},
			"", nil,
		},
		{
			"bad syntax behind two arrays", `{"rows":[1],"rows":[2],"a":secret}`,
			[]string{"rows", "1", "rows", "2", "a"},
			"the answer isn't valid JSON at byte 27", nil,
		},
		{"more behind it", `{}{"secret":1}`, nil, "trailing data after the JSON value", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := NewInput()
			for range 2 { // nothing of a body is left for the next
				got, err := listing(in, test.body)
				if text := fmt.Sprint(err); text != test.err && (err != nil || test.err != "") || test.is != nil &&
					!errors.Is(err, test.is) {
					t.Errorf("the error is %v, want %q", err, test.err)
				}
				if !slices.Equal(got, test.want) {
					t.Errorf("read %q, want %q", got, test.want)
				}
				if all, err := listing(in, `{"rows":[7]}`); err != nil || !slices.Equal(all, []string{"rows", "7"}) {
					t.Errorf("then read %q, %v", all, err)
				}
			}
		})
	}
}

// TestLines: a line is a row, whatever is wrong with the one before.
func TestLines(t *testing.T) {
	for _, test := range []struct {
		name, body string
		want       []string
		err        error
	}{
		{"rows", "{\"a\":1}\n\r\n [2] \n3", []string{`{"a":1}`, "[2]", "3"}, nil},
		{"nothing", "", nil, nil},
		{"a byte order mark", "\ufeff{}\n", []string{"{}"}, nil},
		{"a bad line", "1\n{\"a\":01}\n2\n", []string{"1", "bad", "2"}, nil},
		{"a long line", "1\n\"" + strings.Repeat("x", MaxValue) + "\"\n2\n", []string{"1", "bad", "2"}, nil},
		{"cut", "1\n{\"a\":", []string{"1"}, ErrCut},
		{"HTML", " \n<html>", nil, ErrHTML},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			err := Lines([]byte(test.body), func(raw []byte) error {
				if strings.HasPrefix(string(raw), Unreadable) {
					raw = []byte("bad")
				}
				got = append(got, string(raw))
				return nil
			})
			if !errors.Is(err, test.err) || test.err == nil && err != nil || !slices.Equal(got, test.want) {
				t.Errorf("read %q, error %v; want %q, %v", got, err, test.want, test.err)
			}
		})
	}
}
