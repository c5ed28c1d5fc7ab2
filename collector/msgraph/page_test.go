package msgraph

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

func TestMalformedRows(t *testing.T) {
	const good = `{"id":"good","startDateTime":"2026-11-19T10:00:00Z"}`
	for _, test := range []struct{ name, members, problem string }{
		{"start is missing", `"startDateTime":null`, "startDateTime is missing"},
		{"start is the sentinel", `"startDateTime":"0001-01-01T00:00:00Z"`, "startDateTime is missing"},
		{"start isn't a time", `"startDateTime":"yesterday"`, "startDateTime is not a date and time"},
		{"start is a number", `"startDateTime":1763546400`, "startDateTime is a number, must be a string"},
		{"id is a number", `"id":5`, "id is a number, must be a string"},
		{"id is not UTF-8", "\"id\":\"a\xff\"", "id is not UTF-8"},
		{"text is a boolean", `"callType":true`, "callType is a boolean, must be a string"},
		{"text is an object", `"operator":{}`, "operator is an object, must be a string"},
		{"text for logs only is an array", `"destinationName":[]`, "destinationName is an array, must be a string"},
		{"duration is a string", `"duration":"5"`, "duration is a string, must be a number"},
		{"duration is negative", `"duration":-1`, "duration is negative"},
		{"duration of 68 years", `"duration":2147483647`, "duration is longer than 31 days"},
		{"duration is a fraction", `"duration":1.5`, "duration is not a 32-bit whole number"},
		{"duration is too long", `"duration":2147483648`, "duration is not a 32-bit whole number"},
		{"charge is a string", `"charge":"0.10"`, "charge is a string, must be a number"},
		{
			"charge is enormous", `"charge":1e30`,
			"charge is not a decimal number of at most 34 digits with an exponent within ±18",
		},
		{"end is a number", `"endDateTime":0`, "endDateTime is a number, must be a string"},
		{"of an unknown type", `"callType":"hologram","duration":-1`, "duration is negative"},
	} {
		t.Run(test.name, func(t *testing.T) {
			bad := "{" + test.members
			for _, member := range []string{`"id":"bad"`, `"startDateTime":"2026-11-19T10:00:00Z"`} {
				if name, _, _ := strings.Cut(member, ":"); !strings.Contains(test.members, name) {
					bad += "," + member
				}
			}
			bad += "}"
			got, err := decodePage(t, pstnLog(), `{"value":[`+good+`,`+bad+`,`+good+`]}`)
			if err != nil {
				t.Fatal(err)
			}
			if want := []string{"page 1, row 2: " + test.problem}; !slices.Equal(got.invalid, want) ||
				len(got.rows) != 2 {
				t.Errorf("invalid %q with %d good rows, want %q with 2", got.invalid, len(got.rows), want)
			}
			if len(got.unmapped) != 0 {
				t.Errorf("unmapped %v of a row that is set aside", got.unmapped)
			}
		})
	}
}

func TestRowsThatAreNoObjects(t *testing.T) {
	got, err := decodePage(t, pstnLog(), `{"value":[5,null,"x",[],true,{}]}`)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"page 1, row 1: it isn't an object", "page 1, row 2: it isn't an object", "page 1, row 3: it isn't an object",
		"page 1, row 4: it isn't an object", "page 1, row 5: it isn't an object",
		"page 1, row 6: startDateTime is missing",
	}
	if !slices.Equal(got.invalid, want) {
		t.Errorf("invalid %q, want %q", got.invalid, want)
	}
}

func TestRowsThatAreNoFault(t *testing.T) {
	for _, test := range []struct {
		name, row string
		want      row
		unmapped  []collector.Unmapped
	}{
		{
			"new properties",
			`{"new":{"a":["}",{"b":"\"]"}]},"id":"1","startDateTime":"2026-11-19T10:00:00Z","other":-1.5e3}`,
			row{"ID": "1"},
			nil,
		},
		{"an escaped name", `{"\u0069d":"1","startDateTime":"2026-11-19T10:00:00Z"}`, row{"ID": "1"}, nil},
		{
			"escapes",
			`{"id":"1","startDateTime":"2026-11-19T10:00:00Z","userDisplayName":"\u00c5sa \"\\ \ud83d\ude00"}`,
			row{"UserName": "Åsa \"\\ 😀"},
			nil,
		},
		{
			"not UTF-8", "{\"id\":\"1\",\"startDateTime\":\"2026-11-19T10:00:00Z\",\"userDisplayName\":\"\xc5sa\"}",
			row{"UserName": "�sa"},
			nil,
		},
		{
			"half a surrogate pair", `{"id":"1","startDateTime":"2026-11-19T10:00:00Z","userDisplayName":"a\ud83d"}`,
			row{"UserName": "a�"},
			nil,
		},
		{
			"an end that isn't a time", `{"id":"1","startDateTime":"2026-11-19T10:00:00Z","endDateTime":"tomorrow"}`,
			row{"End": nil},
			[]collector.Unmapped{{Field: "endDateTime", Value: "not a date and time"}},
		},
		{
			"a currency that is none",
			`{"id":"1","startDateTime":"2026-11-19T10:00:00Z","charge":1,"currency":"credits"}`,
			row{"Charges": []string{"usage 1"}},
			[]collector.Unmapped{{Field: "currency", Value: "credits"}},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := decodePage(t, pstnLog(), `{"value":[`+test.row+`]}`)
			if err != nil || len(got.rows) != 1 || !slices.Equal(got.unmapped, test.unmapped) {
				t.Fatalf("got %d rows, invalid %q, unmapped %v, error %v", len(got.rows), got.invalid, got.unmapped,
					err)
			}
			got.rows[0].Want(t, test.want)
		})
	}
}

// TestRowsWithoutID: counting.md 18. Equal rows have one key; the collector numbers them within a
// read.
func TestRowsWithoutID(t *testing.T) {
	const rest = `"startDateTime":"2026-11-19T10:00:00.7Z","callType":"user_in","callerNumber":"+1 206 555 0100","calleeNumber":"Sales"}`
	for _, id := range []string{``, `"id":null,`, `"id":"",`, `"id":"00000000-0000-0000-0000-000000000000",`} {
		decodeRow(t, pstnLog(), "{"+id+rest).
			Want(t, row{"ID": nil, "Synthetic": "user_in\x1f2026-11-19T10:00:00Z\x1f12065550100\x1fsales"})
	}
	decodeRow(t, pstnLog(), `{"id":"1",`+rest).Want(t, row{"ID": "1", "Synthetic": nil})
}

// TestLabelsHold: a label isn't a view of the page, because the next page reuses its memory.
func TestLabelsHold(t *testing.T) {
	const (
		pstn = `{"value":[{"id":"1","startDateTime":"2026-11-19T10:00:00Z","callType":"oc_user_in","operator":"Microsoft","currency":"USD",` +
			`"charge":1,"otherPartyCountryCode":"FR"}]}`
		direct = `{"value":[{"id":"1","startDateTime":"2026-11-19T10:00:00Z","callType":"ByotIn","trunkFullyQualifiedDomainName":"sbc1.example.com",` +
			`"mediaPathLocation":"USWE","signalingLocation":"EUNO"}]}`
	)
	for page, log := range map[string]*callLog{pstn: pstnLog(), direct: directRoutingLog()} {
		var labels []string
		body, mapper := []byte(page), newMapper(log, collector.NewRowFilter(nil))
		rows := wire.Piece{Page: 1, First: 1, Rows: [][]byte{body[len(`{"value":[`) : len(body)-len(`]}`)]}}
		r := mapper.mapPage(rows).Records[0]
		labels = append(labels, r.CallType, r.Trunk, r.Country, r.MediaLocation, r.SignalLocation)
		for i := range r.Charges {
			labels = append(labels, r.Charges[i].Currency)
		}
		var want []string
		for _, label := range labels {
			want = append(want, strings.Clone(label))
		}
		clear(body)
		if !slices.Equal(labels, want) {
			t.Errorf("the labels %q became %q", want, labels)
		}
	}
}

// knownIDs knows every row of these ids; the hash of another row is the length of its id.
type knownIDs []string

func (k knownIDs) Lookup(id string, _ []byte) (record counting.Hash, rowHash uint64, unchanged bool) {
	return counting.Hash(id[len(id)-1]), uint64(len(id)), slices.Contains(k, id)
}

// TestRowsThatAreLeftOut: a row that would change nothing isn't decoded, and the others have their
// hashes (counting.md 37).
func TestRowsThatAreLeftOut(t *testing.T) {
	const start = `,"startDateTime":"2026-11-19T10:00:00Z"}`
	log := pstnLog().skipUnchanged(knownIDs{"known"}).(*callLog)
	var ids []string
	var rowHashes []uint64
	var unchanged, invalid int
	mapper := newMapper(log, collector.NewRowFilter(log.rows))
	err := decodeWith(mapper, []byte(`{"value":[{"id":"KNOWN"`+start+
		`,{"x":{"id":"known"},"\u0069d":"New","id":"known"`+start+`,{"id":5},5,`+
		`{"id":"odd","callType":"hologram"`+start+`,{"id":"00000000-0000-0000-0000-000000000000"`+start+
		`,{"id":"newer"`+start+`]}`), func(p *collector.Page) {
		for _, r := range p.Records {
			ids = append(ids, r.ID)
		}
		rowHashes, unchanged, invalid = append(rowHashes, p.RowHashes...), unchanged+p.Unchanged, invalid+len(p.Invalid)
	})
	if err != nil || unchanged != 1 || invalid != 2 || !slices.Equal(ids, []string{"new", "odd", "", "newer"}) ||
		!slices.Equal(rowHashes, []uint64{3, 0, 0, 5}) {
		t.Errorf("records %q with the row hashes %v, %d left out, %d invalid, error %v", ids, rowHashes, unchanged,
			invalid, err)
	}
	for page, want := range []int{0, 0, 0, 1} { // another row of the record is committed by the time of the last page
		id := []string{"unknown", "a", "b", "known"}[page]
		err := decodeWith(mapper, []byte(`{"value":[{"id":"`+id+`"`+start+`]}`),
			func(p *collector.Page) { unchanged = p.Unchanged })
		if err != nil || unchanged != want {
			t.Errorf("page %d: %d left out, want %d; error %v", page+2, unchanged, want, err)
		}
	}
}

// TestNothingOfARowInErrors: no problem of a row or page holds its content.
func TestNothingOfARowInErrors(t *testing.T) {
	const secret = "+12065550199"
	for _, member := range []string{
		`"startDateTime":"` + secret + `"`, `"duration":"` + secret + `"`, `"charge":12065550199e25`,
		`"endDateTime":"` + secret + `"`,
		`"callType":{"x":"` + secret + `"}`, `"` + secret + `":"` + secret + `",}`, `"id":"` + secret,
	} {
		got, err := decodePage(t, pstnLog(), `{"value":[{"id":"1",`+member+`}]}`)
		if text := fmt.Sprint(err, got.invalid, got.unmapped); strings.Contains(text, "2065550199") {
			t.Errorf("%s: %s", member, text)
		}
	}
}
