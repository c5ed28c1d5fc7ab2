package ringcentral

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
)

const goodRow = `{"id":"1","startTime":"2026-03-02T10:00:00Z","type":"Voice"}`

func TestPageErrors(t *testing.T) {
	for _, test := range []struct{ name, page, want string }{
		{"nothing", ``, "is empty"},
		{"an array", `[]`, "isn't an object"},
		{"text", `"+12065550100"`, "isn't an object"},
		{"an error", `{"errorCode":"CMN-101","message":"+12065550100"}`, "has no records"},
		{"records that aren't an array", `{"records":{"id":"+12065550100"}}`, "records isn't an array"},
		{"null records", `{"records":null}`, "records isn't an array"},
		{"records twice", `{"records":[` + goodRow + `],"records":[]}`, "two members records"},
		{"cut in a row", `{"records":[{"id":"+12065550100`, "cut at byte"},
		{"cut behind the rows", `{"records":[` + goodRow + `],"navi`, "cut at byte"},
		{"no end", `{"records":[]`, "cut at byte"},
		{"no JSON", `{"records":[],+12065550100}`, "isn't valid JSON at byte"},
		{"more behind it", `{"records":[]}{}`, "trailing data"},
		{"navigation of another type", `{"records":[],"navigation":"+12065550100"}`, "navigation is not as documented"},
		{
			"a link of another type", `{"records":[],"navigation":{"nextPage":{"uri":5}}}`,
			"navigation is not as documented",
		},
		{"a next page without a link", `{"records":[],"navigation":{"nextPage":{}}}`, "next page has no link"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := decodePage(t, accountLog(), test.page)
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "555") {
				t.Errorf("error %v, want %q in it", err, test.want)
			}
		})
	}
}

// TestPageEnvelope: other members of a page, and their order, don't matter.
func TestPageEnvelope(t *testing.T) {
	for name, page := range map[string]string{
		"navigation first": `{"navigation":{"nextPage":{"uri":"a","x":1},"lastPage":5},"records":[` + goodRow + `]}`,
		"paging that lies": `{"records":[` + goodRow +
			`],"paging":{"page":1,"perPage":1000,"pageEnd":999,"totalPages":1},"navigation":{"nextPage":{"uri":"a"}}}`,
		"new members": `{"new":{"records":[1]},"records":[` + goodRow + `],"navigation":{"nextPage":{"uri":"a"}}}`,
		"spaces": " {\n\"records\" : [ " + goodRow +
			" ] , \"navigation\" : { \"nextPage\" : { \"uri\" : \"a\" } } } \n",
	} {
		t.Run(name, func(t *testing.T) {
			got, err := decodePage(t, accountLog(), page)
			if err != nil || got.next != "a" || len(got.rows) != 1 {
				t.Errorf("%+v, error %v", got, err)
			}
		})
	}
	for _, last := range []string{
		`{"records":[]}`, `{"records":[],"navigation":null}`,
		`{"records":[],"navigation":{"nextPage":null}}`,
	} {
		if got, err := decodePage(t, accountLog(), last); err != nil || got.next != "" {
			t.Errorf("%s: %+v, error %v", last, got, err)
		}
	}
}

// TestBadRows: they are set aside with their position, and the rest of the page goes on.
func TestBadRows(t *testing.T) {
	number := `"+12065550100"`
	for _, test := range []struct{ name, row, problem string }{
		{"number", `5`, "it isn't an object"},
		{"null", `null`, "it isn't an object"},
		{"array", `[]`, "it isn't an object"},
		{"no start", `{"id":"1"}`, "startTime is missing"},
		{"null start", `{"id":"1","startTime":null}`, "startTime is missing"},
		{"start in words", `{"startTime":"yesterday"}`, "startTime is not a date and time"},
		{"start of another type", `{"startTime":1772445600}`, "startTime doesn't have the documented type"},
		{"start that isn't a time", `{"startTime":"2026-13-01T00:00:00Z"}`, "startTime is not a date and time"},
		{"start in the year 1", `{"startTime":"0001-01-01T00:00:00Z"}`, "startTime is not a date and time"},
		{"id of another type", `{"id":5}`, "id doesn't have the documented type"},
		{"id that isn't UTF-8", "{\"id\":\"\xff\",\"startTime\":\"2026-03-02T10:00:00Z\"}", "id is not UTF-8"},
		{"duration as string", call("1", `"duration":"54"`), "duration doesn't have the documented type"},
		{"duration with a fraction", call("1", `"duration":54.5`), "duration doesn't have the documented type"},
		{"huge duration", call("1", `"duration":1e30`), "duration doesn't have the documented type"},
		{"negative duration", call("1", `"duration":-1`), "duration is negative"},
		{"duration of 68 years", call("1", `"duration":2147483647`), "duration is longer than 31 days"},
		{
			"negative duration and an invalid time", call("1", `"lastModifiedTime":"x","duration":-1`),
			"duration is negative",
		},
		{
			"duration that is the greatest number", call("1", `"duration":9223372036854775807`),
			"duration is longer than 31 days",
		},
		{"durationMs as string", call("1", `"durationMs":"5"`), "durationMs doesn't have the documented type"},
		{"negative durationMs", call("1", `"durationMs":-1,"duration":5`), "durationMs is negative"},
		{"number for the result", call("1", `"result":911`), "result doesn't have the documented type"},
		{"party as string", call("1", `"from":`+number), "from doesn't have the documented type"},
		{
			"phone number as number", call("1", `"from":{"phoneNumber":12065550100}`),
			"from.phoneNumber doesn't have the documented type",
		},
		{
			"extension as string", call("1", `"extension":{"id":`+number+`}`),
			"extension.id doesn't have the documented type",
		},
		{"legs as object", call("1", `"legs":{}`), "legs doesn't have the documented type"},
		{"leg as string", call("1", `"legs":[{},"x"]`), "legs.1 doesn't have the documented type"},
		{"null leg", call("1", `"legs":[{},null]`), "legs holds null"},
		{
			"deep in a leg", call("1", `"legs":[{},{"extension":{"id":true}}]`),
			"legs.1.extension.id doesn't have the documented type",
		},
		{
			"money as string", call("1", `"billing":{"costIncluded":"0.1"}`),
			"billing.costIncluded doesn't have the documented type",
		},
		{
			"money with too many digits", call("1", `"billing":{"costPurchased":1e99}`),
			"billing.costPurchased doesn't have the documented type",
		},
		{"boolean as string", call("1", `"deleted":"true"`), "deleted doesn't have the documented type"},
		{
			"categories as string", call("1", `"metadataCategories":"x"`),
			"metadataCategories doesn't have the documented type",
		},
		{"member twice", call("1", `"result":"Missed","result":"Accepted"`), "a member is given twice"},
		{"new member twice", call("1", `"+12065550100":1,"+12065550100":2`), "a member is given twice"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := decodePage(t, accountLog(), pageOf("", goodRow, test.row, goodRow))
			if want := []string{"page 1, row 2: " + test.problem}; err != nil || len(got.rows) != 2 ||
				!slices.Equal(got.invalid, want) {
				t.Errorf("%d rows, invalid %q, want %q, error %v", len(got.rows), got.invalid, want, err)
			}
			if len(got.unmapped) != 0 {
				t.Errorf("an invalid row has unmapped values: %v", got.unmapped)
			}
		})
	}
}

// TestRowsThatAreFine: absent, null and new members are valid.
func TestRowsThatAreFine(t *testing.T) {
	for name, row := range map[string]string{
		"the least": `{"startTime":"2026-03-02T10:00:00Z"}`,
		"nulls": call("1",
			`"result":null,"duration":null,"from":null,"legs":null,"billing":null,"extension":{"id":null},"deleted":null`),
		"new members":      call("1", `"hologram":{"from":5},"from":{"aura":[1]},"legs":[{"mood":1}]`),
		"unread members":   call("1", `"uri":5,"sipUuidInfo":{}`),
		"text not in UTF8": call("1", "\"from\":{\"name\":\"\xff\"}"),
		"seconds only":     `{"startTime":"2026-03-02T10:00:00+02:00"}`,
	} {
		t.Run(name, func(t *testing.T) {
			got, err := decodePage(t, accountLog(), pageOf("", row))
			if err != nil || len(got.rows) != 1 || len(got.unmapped) != 0 {
				t.Errorf("%+v, error %v", got, err)
			}
		})
	}
}

// TestBadModifiedTime: it is as good as absent, and noted without what it says.
func TestBadModifiedTime(t *testing.T) {
	got, err := decodePage(t, accountLog(), pageOf("", call("1", `"lastModifiedTime":"+12065550100"`)))
	want := []collector.Unmapped{{Field: "lastModifiedTime", Value: "not a date and time"}}
	if err != nil || len(got.rows) != 1 || !slices.Equal(got.unmapped, want) {
		t.Errorf("%+v, error %v", got, err)
	}
}

// TestRowWithoutID: it has a key of what it says (counting.md 18).
func TestRowWithoutID(t *testing.T) {
	r := decodeOne(t,
		`{"startTime":"2026-03-02T10:00:00.999Z","action":"Phone Call","from":{"phoneNumber":"+1 206 555 0100"},"to":{"phoneNumber":"ANON"}}`)
	r.Want(t, shown{"ID": nil, "Synthetic": "phone_call\x1f2026-03-02T10:00:00Z\x1f12065550100\x1fanon"})
}

// TestLongPage: the rows of a page are bounded, and so are their bytes.
func TestLongPage(t *testing.T) {
	rows := make([]string, 2*perPage+1)
	for i := range rows {
		rows[i] = call(fmt.Sprint(i), "")
	}
	fat := call("1", `"new":"`+strings.Repeat("x", wire.MaxValue/2)+`"`)
	for _, test := range []struct {
		name string
		rows []string
		want []int
	}{
		{"many rows", rows, []int{perPage, perPage, 1}},
		{"long rows", slices.Repeat([]string{fat}, 9), []int{4, 4, 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var sizes []int
			_, err := decodeAll(newPageDecoder(), &mapper{log: accountLog()}, []byte(pageOf("", test.rows...)),
				func(p *collector.Page) {
					sizes = append(sizes, len(p.Records))
				})
			if err != nil || !slices.Equal(sizes, test.want) {
				t.Errorf("sizes %v, want %v; error %v", sizes, test.want, err)
			}
		})
	}
}
