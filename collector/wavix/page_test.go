package wavix

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestPage(t *testing.T) {
	const one = `[{"date":"2026-03-01T10:00:00.000Z","uuid":"1"}]`
	const all = `"pagination":{"total":101,"per_page":25,"current_page":1,"total_pages":5}`
	for _, test := range []struct {
		name, page, err string
		rows, total     int
	}{
		{"page", `{"items":` + one + `,` + all + `}`, "", 1, 101},
		{"pagination first", `{` + all + `,"items":` + one + `}`, "", 1, 101},
		{"no pagination", `{"items":` + one + `}`, "", 1, -1},
		{"empty day", `{"items":[],"pagination":{"total":0,"total_pages":0,"current_page":1,"per_page":25}}`, "", 0, 0},
		{"success true", `{"success":true,"error":false,"items":` + one + `,` + all + `}`, "", 1, 101},
		{"no error", `{"error":null,"message":"ok","items":` + one + `}`, "", 1, -1},
		{
			"other case and new members", `{"Items":` + one + `,"Pagination":{"Total":7,"new":[1]},"prices_url":"x"}`, "",
			1, 7,
		},
		{"spaces", " {\n \"items\" : [ { \"date\" : \"2026-03-01T10:00:00Z\" } ] }\n", "", 1, -1},
		{
			"success false", `{"success":false,"message":"Service temporary unavailable"}`,
			`the request failed, Wavix says "Service temporary unavailable"`, 0, 0,
		},
		{"success false with rows", `{"items":` + one + `,"success":false}`, "the request failed", 0, 0},
		{"error true", `{"error":true,"items":[]}`, "the request failed", 0, 0},
		{"error with words", `{"error":"call 12065550100","items":[]}`, "the request failed", 0, 0},
		{"no items", `{"pagination":{"total":0}}`, "has no member items", 0, 0},
		{"null items", `{"items":null}`, "items aren't an array", 0, 0},
		{"total is text", `{"items":[],"pagination":{"total":"101"}}`, "pagination.total isn't a number of rows", 0, 0},
		{"pagination is an array", `{"items":[],"pagination":[]}`, "pagination isn't an object", 0, 0},
		{"an array", `[]`, "isn't an object", 0, 0},
		{"nothing", ``, "the answer is empty", 0, 0},
		{"HTML", `<!DOCTYPE html>`, "isn't valid JSON at byte 0", 0, 0},
		{"cut", `{"items":[{"date":"2026`, "the answer is cut at byte", 0, 0},
		{"cut behind the rows", `{"items":[]`, "the answer is cut at byte", 0, 0},
		{"more behind the page", `{"items":[]}{}`, "trailing data after the JSON value", 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := decode(t, formatJSON, kindPlaced, test.page)
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) ||
					strings.Contains(err.Error(), "2065550100") {
					t.Errorf("error %v, want one that says %q", err, test.err)
				}
				if len(got.rows) != 0 {
					t.Errorf("%d rows of a page that broke were handed on", len(got.rows))
				}
				return
			}
			if err != nil || len(got.rows) != test.rows || len(got.keys()) != test.rows || len(got.invalid) != 0 {
				t.Fatalf("%d rows, %d keys, invalid %q, error %v", len(got.rows), len(got.keys()), got.invalid, err)
			}
			if got.total != test.total {
				t.Errorf("total %d, want %d", got.total, test.total)
			}
		})
	}
}

func TestStream(t *testing.T) {
	const one, two = `{"date":"2026-03-01T10:00:00.000Z","uuid":"1"}`, `{"date":"2026-03-01T10:00:01.000Z","uuid":"2"}`
	for _, test := range []struct {
		name, body, err string
		rows            int
	}{
		{"lines", one + "\n" + two + "\n", "", 2},
		{"no final newline", one + "\n" + two, "", 2},
		{"blank lines", "\n\n" + one + "\n \r\n\n" + two + "\r\n\n", "", 2},
		{"a mark", "\ufeff" + one, "", 1},
		{"nothing", "", "", 0},
		{"only blanks", "\n \n", "", 0},
		{"a row says success", `{"date":"2026-03-01T10:00:00.000Z","uuid":"1","success":true,"error":null}`, "", 1},
		{"cut line", one + "\n" + `{"charge":"0.0059","da`, "the answer is cut", 0},
		{
			"failure at the end", one + "\n" + `{"success":false,"message":"Service temporary unavailable"}`,
			"the request failed", 0,
		},
		{"failure alone", `{"error":true}`, "the request failed", 0},
		{"HTML", " \n<html>maintenance</html>", "got HTML", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := decode(t, formatStream, kindReceived, test.body)
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("error %v, want one that says %q", err, test.err)
				}
				return
			}
			if err != nil || len(got.rows) != test.rows || len(got.keys()) != test.rows || len(got.invalid) != 0 {
				t.Errorf("%d rows, %d keys, invalid %q, error %v", len(got.rows), len(got.keys()), got.invalid, err)
			}
		})
	}
}

func TestCSV(t *testing.T) {
	const head, one = "date,uuid,from\n", "2026-03-01T10:00:00.000Z,1,12065550100\n"
	for _, test := range []struct {
		name, body, err string
		want            []shown
		invalid         []string
	}{
		{"rows", head + one, "", []shown{{"ID": "placed:1", "CallerNumber": "12065550100"}}, nil},
		{"no final newline", head + strings.TrimSpace(one), "", []shown{{"ID": "placed:1"}}, nil},
		{
			"a mark and quoted names", "\ufeff\"date\",\"uuid\"\n2026-03-01T10:00:00Z,1\n", "",
			[]shown{{"ID": "placed:1"}},
			nil,
		},
		{
			"other spellings", "\ufeffCall ID,DATE,Per-Minute,\"SIP trunk\"\nx,2026-03-01T10:00:00Z,0.5,T\n", "",
			[]shown{{"ID": "placed:x", "Trunk": "T", "cdr.wavix.per_minute": "0.5"}},
			nil,
		},
		{
			"columns that are new", "note,date,uuid,\n\"a, \"\"b\"\"\",2026-03-01T10:00:00Z,1,\n", "",
			[]shown{{"ID": "placed:1"}},
			nil,
		},
		{
			"quoted", "date,destination,uuid\n2026-03-01T10:00:00Z,\"Front \"\"desk\"\", 1st\nfloor\",1\n", "",
			[]shown{{"cdr.wavix.destination": "Front \"desk\", 1st\nfloor"}},
			nil,
		},
		{
			"Windows", "date,uuid\r\n2026-03-01T10:00:00Z,1\r\n\r\n2026-03-01T10:00:00Z,2\r\n", "",
			[]shown{{"ID": "placed:1"}, {"ID": "placed:2"}},
			nil,
		},
		{"another way to write times", "date,uuid\n2026-03-01 10:00:00 UTC,1\n2026-03-01 12:00:00.5 " +
			"+0200,2\n2026-03-01 10:00:00Z,3\n", "", []shown{
			{"Start": "2026-03-01T10:00:00Z"},
			{"Start": "2026-03-01T10:00:00.5Z"},
			{"Start": "2026-03-01T10:00:00Z"},
		}, nil},
		{
			"a time without zone", "date,uuid\n2026-03-01 10:00:00,1\n2026-03-01 10:00:00 EST,2\n", "", nil,
			[]string{"row 1: date is not a date and time", "row 2: date is not a date and time"},
		},
		{
			"numbers in a text",
			"date,duration,charge\n2026-03-01T10:00:00Z,72,0.00325\n2026-03-01T10:00:00Z,x,1\n2026-03-01T10:00:00Z,1,x\n", "",
			[]shown{{"Duration": "1m12s", "Charges": []string{"usage 0.00325"}}},
			[]string{"row 2: duration is a string, must be a number", "row 3: charge is not a decimal number of at most 34 digits with an exponent within ±18"},
		},
		{
			"too few and too many fields", head + "row 5\n" + one + "a,b,c,d\n", "",
			[]shown{{"ID": "placed:1"}},
			[]string{"row 1: it has 1 fields, must have 3", "row 3: it has 4 fields, must have 3"},
		},
		{
			"a stray quote", head + "2026-03-01T10:00:00Z,a\"b,1\n" + one, "",
			[]shown{{"ID": "placed:1"}},
			[]string{"row 1: has a quotation mark within a field"},
		},
		{
			"text behind a quote", head + one + "\r\n2026-03-01T10:00:00Z,2,\"12\"3\r\n", "",
			[]shown{{"ID": "placed:1"}},
			[]string{"row 2: has a quotation mark within a field"},
		},
		{
			"not UTF-8", "date,uuid,from\n2026-03-01T10:00:00Z,1\xff,2\n2026-03-01T10:00:00Z,1,2\xff\n", "",
			[]shown{{"CallerNumber": "2\ufffd"}},
			[]string{"row 1: uuid is not UTF-8"},
		},
		{"only names", head, "", nil, nil},
		{"nothing", "", "", nil, nil},
		{"no date", "uuid,from\n1,2\n", "no column date", nil, nil},
		{"the same column twice", "date,uuid,UUID\n", "the same column twice", nil, nil},
		{"cut row", head + one + "2026-03-01T10:00:00Z,2", "the answer is cut", nil, nil},
		{"cut in quotes", head + one + "2026-03-01T10:00:00Z,2,\"12", "the answer is cut", nil, nil},
		{"cut behind a quote", head + one + "2026-03-01T10:00:00Z,2,\"12\"3", "the answer is cut", nil, nil},
		{"a quote that isn't closed", head + "2026-03-01T10:00:00Z,2,\"12\n" + one + "2026-03-01T10:00:00Z,3,\"4\n" +
			one, "line 4", nil, nil},
		{"HTML", "<html></html>", "got HTML", nil, nil},
		{"a refusal", `{"success":false,"message":"Unauthorized"}`, `Wavix says "Unauthorized"`, nil, nil},
		{"a page", `{"items":[]}`, "JSON instead of CSV", nil, nil},
		{"a piece of a page", `{"items":[`, "the answer is cut", nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := decode(t, formatCSV, kindPlaced, test.body)
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("error %v, want one that says %q", err, test.err)
				}
				return
			}
			if err != nil || len(got.rows) != len(test.want) || len(got.keys()) != len(test.want)+len(test.invalid) {
				t.Fatalf("%d rows, %d keys, invalid %q, error %v", len(got.rows), len(got.keys()), got.invalid, err)
			}
			for i, want := range test.want {
				got.rows[i].Want(t, want)
			}
			for i := range got.invalid {
				got.invalid[i] = strings.TrimPrefix(got.invalid[i], "2026-03-01 placed, page 1, ")
			}
			if !slices.Equal(got.invalid, test.invalid) {
				t.Errorf("invalid %q, want %q", got.invalid, test.invalid)
			}
		})
	}
}

// TestTooManyRows: a page is bounded, whatever the provider sends.
func TestTooManyRows(t *testing.T) {
	for format, body := range map[string]string{
		formatJSON:   page(slices.Repeat([]string{benchRow(0)}, maxRows+1)...),
		formatStream: strings.Repeat(benchRow(0)+"\n", maxRows+1),
		formatCSV: "date,uuid\n" + strings.Repeat("2026-03-01T00:00:00.000Z,99df5ffd-962a-410f-bcce-000000000000\n",
			maxRows+1),
	} {
		if _, err := decodeBody(format, kindPlaced, []byte(body)); !errors.Is(err, errTooManyRows) {
			t.Errorf("%s: error %v, want errTooManyRows", format, err)
		}
	}
}

// benchRow is a row of the shape that Wavix's document of 2026 has.
func benchRow(i int) string {
	return fmt.Sprintf(`{"date":"2026-03-01T%02d:%02d:%02d.%03dZ","from":"14302287%03d","to":"33170363%03d","disposition":"answered","duration":%d,`+
		`"destination":"France","per_minute":"0.027","charge":"0.0%d","sip_trunk":"3288%d","forward_fee":"0.0",`+
		`"uuid":"99df5ffd-962a-410f-bcce-%012d","call_id":"99df5ffd-962a-410f-bcce-%012d","parent_uuid":null,"parent_call_id":null,"answered_by":"human"}`,
		i/3600%24, i/60%60, i%60, i%1000, i%1000, i%1000, i%600, i%100, i%4, i, i)
}

func benchPage(n int) []byte {
	rows := make([]string, n)
	for i := range rows {
		rows[i] = benchRow(i)
	}
	return []byte(page(rows...))
}

func benchStream(n int) []byte {
	var body bytes.Buffer
	for i := range n {
		body.WriteString(benchRow(i) + "\n")
	}
	return body.Bytes()
}

func benchCSV(n int) []byte {
	var body bytes.Buffer
	body.WriteString("date,from,to,disposition,duration,destination,per_minute,charge,sip_trunk,forward_fee,uuid,parent_uuid,answered_by\n")
	for i := range n {
		fmt.Fprintf(&body,
			"2026-03-01T%02d:%02d:%02d.%03dZ,14302287%03d,33170363%03d,answered,%d,France,0.027,0.0%d,3288%d,0.0,99df5ffd-962a-410f-bcce-%012d,,human\n",
			i/3600%24, i/60%60, i%60, i%1000, i%1000, i%1000, i%600, i%100, i%4, i)
	}
	return body.Bytes()
}
