package wire

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestPage: the rows and the other members are read, and an error contains no word of the body.
func TestPage(t *testing.T) {
	long := `"` + strings.Repeat("x", MaxValue/4) + `"`
	for _, test := range []struct {
		name, body string
		rows       []string
		others     string
		err        string
		is         error
	}{
		{"rows", `{"rows":[1,{"a":[]},"x"],"more":{"b":[2]}} `, []string{"1", `{"a":[]}`, `"x"`}, "[more]", "", nil},
		{"names twice, and no UTF-8", "{\"a\":\"\xff\",\"a\":1,\"rows\":[]}", nil, "[a a]", "", nil},
		{
			"many values, each short enough", `{"rows":[` + strings.Repeat(long+",", 9) + `0]}`,
			append(slices.Repeat([]string{long}, 9), "0"), "[]", "", nil,
		},
		{"with blanks", " { \"rows\" : [ 1 , { } ] , \"a\" : [ ] } ", []string{"1", "{ }"}, "[a]", "", nil},
		{"nothing", "", nil, "[]", "the answer is empty", nil},
		{"blanks", " \n", nil, "[]", "the answer is empty", nil},
		{"no object", `["secret"]`, nil, "[]", "the answer isn't an object", nil},
		{"no array", `{"rows":"secret"}`, nil, "[]", "the answer's rows isn't an array", nil},
		{"two arrays", `{"rows":[1],"rows":["secret"]}`, nil, "[]", "the answer has two members rows", nil},
		{"two spellings", `{"rows":[1],"Rows":["secret"]}`, nil, "[]", "the answer has two members rows", nil},
		{"no rows", `{"a":"secret"}`, nil, "[a]", "the answer has no rows, so it isn't a page of rows", nil},
		{"cut in a row", `{"rows":[1,"secr`, nil, "[]", "the answer is cut at byte 16", ErrCut},
		{"cut behind a row", `{"rows":[1`, nil, "[]", "the answer is cut at byte 10", ErrCut},
		{"cut between rows", `{"rows":[1, `, nil, "[]", "the answer is cut at byte 12", ErrCut},
		{"cut behind the rows", `{"rows":[] `, nil, "[]", "the answer is cut at byte 11", ErrCut},
		{"bad syntax", `{"rows":[],secret}`, nil, "[]", "the answer isn't valid JSON at byte 11", nil},
		{
			"no comma behind the rows", `{"rows":[] "secret":1}`, nil, "[]",
			"the answer isn't valid JSON at byte 11", nil,
		},
		{"a comma too many behind the rows", `{"rows":[],}`, nil, "[]", "the answer isn't valid JSON at byte 10", nil},
		{"a comma too many behind a row", `{"rows":[1,]}`, nil, "[]", "the answer isn't valid JSON at byte 11", nil},
		{
			"no comma between rows", `{"rows":[{"a":1} {"secret":2}]}`, nil, "[]",
			"the answer isn't valid JSON at byte 17", nil,
		},
		{"more behind it", `{"rows":[]}{"secret":1}`, nil, "[]", "trailing data after the JSON value", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := NewInput()
			for range 2 { // nothing of a body is left for the next
				others := []string{}
				got, err := in.Page([]byte(test.body), "rows", func(name string) (read bool, err error) {
					others = append(others, name)
					return false, nil
				})
				if text := fmt.Sprint(err); text != test.err && (err != nil || test.err != "") ||
					test.is != nil && !errors.Is(err, test.is) {
					t.Errorf("the error is %v, want %q", err, test.err)
				}
				rows := texts(got)
				if err == nil && !slices.Equal(rows, test.rows) || fmt.Sprint(others) != test.others {
					t.Errorf("read %q and %q, want %q and %s", rows, others, test.rows, test.others)
				}
				if got, err := in.Page([]byte(`{"rows":[7]}`), "rows", nil); err != nil || len(got) != 1 {
					t.Errorf("then read %q, %v", got, err)
				}
			}
		})
	}
}

func texts(rows Rows) (all []string) {
	for _, row := range rows {
		all = append(all, string(row))
	}
	return all
}
