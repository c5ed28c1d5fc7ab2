package wire

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// rowsOf reads an object with rows and a link behind them.
func rowsOf(in *Input, body string) (rows []string, link string, err error) {
	found, err := in.Page([]byte(body), "rows", func(string) (bool, error) {
		raw, err := in.JSON.ReadValue()
		link = string(raw)
		return true, err
	})
	for _, raw := range found {
		row := string(Checked(raw))
		if strings.HasPrefix(row, Unreadable) {
			row = "bad"
		}
		rows = append(rows, row)
	}
	return rows, link, err
}

// TestUnreadableRows (counting.md 31): a row that can't be decoded is one bad row; those around it,
// and what follows the rows, are read.
func TestUnreadableRows(t *testing.T) {
	for name, bad := range map[string]string{
		"raw control character": "{\"a\":\"x\ny\x01\"}",
		"leading zero":          `{"a":007}`,
		"NaN":                   `{"a":NaN}`,
		"infinity":              `{"a":-Infinity}`,
		"nested too deep":       `{"a":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`,
		"too long":              `{"a":"` + strings.Repeat("x", MaxValue) + `"}`,
		"far too long":          `{"a":["` + strings.Repeat("x,]}", MaxValue/2) + `"]}`,
		"bad escape":            `{"a":"\x"}`,
		"escaped quote":         `{"a":"\",]}\q"}`,
		"single quotes":         `{'a':1}`,
		"word":                  `undefined`,
		"no colon":              `{"a" 1}`,
		"no colon, text":        `{"a" "b","c":1}`,
		"no colon, object":      `{"a" {"b" [1,{"c" null}]}}`,
		"no comma":              `{"a":1 "b":"x" "c":true "d":{} "e":2}`,
		"comma too many":        `{"a":1,}`,
	} {
		t.Run(name, func(t *testing.T) {
			in := NewInput()
			for _, place := range []struct{ body, want string }{
				{bad + `,{"n":1},{"n":2}`, `[bad {"n":1} {"n":2}]`},
				{`{"n":1}, ` + bad + ` ,{"n":2}`, `[{"n":1} bad {"n":2}]`},
				{`{"n":1},{"n":2},` + bad, `[{"n":1} {"n":2} bad]`},
				{bad + "," + bad + `,{"n":3},` + bad, `[bad bad {"n":3} bad]`},
				{bad, `[bad]`},
			} {
				rows, link, err := rowsOf(in, `{"rows":[`+place.body+`],"next":"x"}`)
				if got := fmt.Sprint(rows); err != nil || got != place.want || link != `"x"` {
					t.Errorf("%.80s: %.200s, link %s, %v", place.body, got, link, err)
				}
			}
		})
	}
}

// TestUnreadableRowsAreKnownAgain: the replacement of a bad row is always the same, and differs
// from another row's.
func TestUnreadableRowsAreKnownAgain(t *testing.T) {
	var seen []string
	for _, body := range []string{`{"rows":[{"a":01}]}`, `{"rows":[1, {"a":01} ]}`, `{"rows":[{"a":02}]}`} {
		rows, err := NewInput().Page([]byte(body), "rows", nil)
		require.NoError(t, err)
		seen = append(seen, string(Checked(rows[len(rows)-1])))
	}
	if !strings.HasPrefix(seen[0], Unreadable) || seen[0] != seen[1] || seen[0] == seen[2] {
		t.Errorf("%q", seen)
	}
}

// Where the body is cut or the envelope is broken, nothing is skipped.
func TestWhatIsNoRowIsNotSkipped(t *testing.T) {
	for name, body := range map[string]string{
		"cut in a row":        `{"rows":[{"n":1},{"a":`,
		"cut in a string":     `{"rows":[{"n":1},{"a":"x`,
		"cut behind a row":    `{"rows":[{"n":1}`,
		"a quote too many":    "{\"rows\":[{\"a\":\"x\"y\",\"b\":1},{\"n\":2},{\"n\":3}],\"next\":1}",
		"a quote in text":     "{\"rows\":[{\"a\":\"he said \"hi\", then\"},{\"n\":2}],\"next\":1}",
		"a quote is missing":  "{\"rows\":[{\"a\":x\"},{\"n\":2},{\"n\":\"3\"}],\"next\":1}",
		"open string":         `{"rows":[{"a":"x},{"n":2}],"next":1}`,
		"brackets that don't": `{"rows":[{"a":01]`,
		"a quote in numbers":  `{"rows":[{"a":"5 "6 inch","b":1},{"n":2}],"next":1}`,
		"a quote behind one":  `{"rows":[{"a":"5" 6, "x},{"n":2}],"next":1}`,
		"envelope":            `{"rows":[{"n":1}],next:1}`,
		"the link is a row":   `{"rows":[{"n":1},"next" : "x"]}`,
		"a piece is missing":  `{"rows":[{"n":1},"a":{"b":2},"c":3,{"n":2}],"next":"x"}`,
	} {
		t.Run(name, func(t *testing.T) {
			if rows, _, err := rowsOf(NewInput(), body); err == nil {
				t.Errorf("read as %q", rows)
			}
		})
	}
}

// FuzzElements: the elements of every valid array are those that another decoder sees, and what
// follows it is read. No other array panics.
func FuzzElements(f *testing.F) {
	for _, array := range []string{
		`[]`, ` [ ] `, `[1,"a,]}",{"b":"\\\"]"}]`, `[ {} , [ [ ] , "\\" ] , null ]`, `[{"a":"\""},"\\\\"]`,
		`[{"a":01}]`, `[{"a":"x"y"}]`, `[1,`, `{"a":[1]}`,
	} {
		f.Add([]byte(array))
	}
	f.Fuzz(func(t *testing.T, array []byte) {
		var want []string
		value := jsontext.Value(bytes.Trim(array, blanks))
		valid := len(value) > 0 && value[0] == '[' && isReadable(value)
		if valid {
			decoder := jsontext.NewDecoder(bytes.NewReader(value), lenient...)
			if _, err := decoder.ReadToken(); err != nil {
				t.Fatal(err)
			}
			for decoder.PeekKind() != ']' {
				element, err := decoder.ReadValue()
				require.NoError(t, err)
				want = append(want, string(element))
			}
		}
		for _, behind := range []string{"}", ` , "next" : "x" } `} {
			rows, link, err := rowsOf(NewInput(), `{"rows":`+string(array)+behind)
			if valid && (err != nil || !slices.Equal(rows, want) || (link == `"x"`) != (len(behind) > 1)) {
				t.Fatalf("%q: read %q, link %s, error %v; want %q", array, rows, link, err, want)
			}
		}
	})
}
