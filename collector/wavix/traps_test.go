package wavix

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/calls"
)

// The cases of this file are the tricky rows of the provider's document (section 12), by
// their number there; those of whole reads are in reader_test.go: 4, 5, 6, 12.

// TestTrap1NumericRow: the older guide's sample has numbers for strings, no id and no
// disposition.
func TestTrap1NumericRow(t *testing.T) {
	const sample = `{"date":"2021-02-10T10:07:06.376Z","from":12212123123,"to":18001231233,"duration":72,"charge":0.01,` +
		`"destination":"sip:36465@sip.example.com","sip_trunk":"36465","per_minute":0.0059,"forward_fee":0.0059}`
	shownRow(t, kindPlaced, sample).Want(t, shown{
		"ID": nil, "Synthetic": "placed\x1f2021-02-10T10:07:06Z\x1f12212123123\x1f18001231233",
		"Start": "2021-02-10T10:07:06.376Z", "CallerNumber": "12212123123", "CalleeNumber": "18001231233",
		"Duration": "1m12s", "Outcome": "answered", "Direction": "outbound", "CallType": "placed", "Trunk": "36465",
		"Country":               "US",
		"Charges":               []string{"usage 0.01", "forwarding 0.0059"},
		"cdr.wavix.destination": "sip:36465@sip.example.com (number)", "cdr.wavix.per_minute": "0.0059",
	})
	for written, want := range map[string]string{
		`12212123123`: "12212123123", `1.2212123123e+10`: "12212123123", `"12212123123"`: "12212123123",
		`12212123123.0`: "12212123123",
	} {
		shownRow(t, kindPlaced, at+`"uuid":"1","from":`+written+`}`).Want(t, shown{"CallerNumber": want})
	}
}

// TestTrap1OneKeyInAnySpelling: what a number is written as doesn't make it another call.
func TestTrap1OneKeyInAnySpelling(t *testing.T) {
	const want = "received\x1f2026-03-01T10:00:00Z\x1f12065550100\x1fsales"
	for _, rest := range []string{
		`{"date":"2026-03-01T10:00:00.000Z","from":12065550100,"to":"sales"}`,
		`{"date":"2026-03-01T10:00:00.999Z","from":"+12065550100","to":"Sales"}`,
		`{"date":"2026-03-01T12:00:00+02:00","from":"1 206 555 0100","to":" SALES "}`,
	} {
		shownRow(t, kindReceived, rest).Want(t, shown{"Synthetic": want})
	}
	shownRow(t, kindReceived, at+`"from":null}`).Want(t, shown{"Synthetic": "received\x1f2026-03-01T10:00:00Z\x1f\x1f"})
}

// TestTrap2StringMoney: ten thousand times 0.00325 is exactly 32.5.
func TestTrap2StringMoney(t *testing.T) {
	for _, charge := range []string{`"0.00325"`, `0.00325`} {
		rows := slices.Repeat([]string{at + `"uuid":"1","charge":` + charge + `,"per_minute":"0.0065","duration":21}`},
			10_000)
		got, err := decode(t, formatJSON, kindPlaced, page(rows...))
		if err != nil || len(got.records) != len(rows) {
			t.Fatalf("%d rows, error %v", len(got.records), err)
		}
		var sum cdr.Money
		for _, r := range got.records {
			sum = sum.Add(&r.Charges[0].Amount)
		}
		if sum.String() != "32.5" {
			t.Errorf("%s: the sum is %s, want 32.5", charge, sum.String())
		}
	}
}

// TestTrap3NullPrice: an unknown price isn't a charge, and a known zero is one.
func TestTrap3NullPrice(t *testing.T) {
	shownRow(t, kindPlaced,
		at+`"charge":null,"per_minute":null,"destination":null,"disposition":"failed","duration":0,"uuid":"1"}`).
		Want(t, shown{
			"Charges": nil, "Outcome": "failed", "Duration": "0s", "cdr.wavix.per_minute": nil,
			"cdr.wavix.destination": nil,
		})
	shownRow(t, kindReceived, at+`"charge":"0","forward_fee":0.0,"uuid":"1"}`).
		Want(t, shown{"Charges": []string{"usage 0", "forwarding 0"}, "Duration": "none"})
	shownRow(t, kindReceived, at+`"charge":"1.20","uuid":"1"}`).Want(t, shown{"Charges": []string{"usage 1.2"}})
}

// TestTrap7OneKeyAcrossGenerations: call_id and uuid are one id, before call_id came, with
// both, and after uuid went.
func TestTrap7OneKeyAcrossGenerations(t *testing.T) {
	for _, ids := range []string{
		`"uuid":"99df5ffd"`, `"uuid":"99df5ffd","call_id":"99df5ffd"`, `"call_id":"99df5ffd"`,
		`"call_id":"99df5ffd","uuid":null`,
		`"call_id":"","uuid":"99df5ffd"`,
	} {
		shownRow(t, kindPlaced, at+ids+`}`).
			Want(t, shown{"ID": "placed:99df5ffd", "AltIDs": nil, "Synthetic": nil, "CallID": "99df5ffd"})
	}
	shownRow(t, kindPlaced, at+`"call_id":"new","uuid":"old"}`).
		Want(t, shown{"ID": "placed:new", "AltIDs": "placed:old"})
}

// TestTrap8ForwardedCall: two records, each with its own cost; the leg names its parent's key.
func TestTrap8ForwardedCall(t *testing.T) {
	parts := func(kind string, rows ...string) []shown {
		got, err := decode(t, formatJSON, kind, page(rows...))
		if err != nil {
			t.Fatal(err)
		}
		return got.rows
	}
	parent := parts(kindReceived,
		at+`"uuid":"A","disposition":"failed","destination":"14155550100","charge":"0.01","forward_fee":"0.012"}`)
	parent[0].Want(t, shown{
		"ID": "received:A", "Parent": nil, "CallKey": nil, "Whole": true, "CallID": "A",
		"Charges":               []string{"usage 0.01", "forwarding 0.012"},
		"cdr.wavix.destination": "14155550100 (number)",
	})
	leg := at + `"uuid":"B","parent_uuid":"A","disposition":"failed","charge":"0.02"}`
	legs := parts(kindPlaced, leg, at+`"uuid":"C","disposition":"answered"}`)
	legs[1].Want(t, shown{"ID": "placed:C", "CallKey": "C", "Whole": true})
	legs[0].Want(t, shown{
		"ID": "placed:B", "Parent": "received:A", "CallKey": "A", "Whole": nil, "CallID": "A",
		"Charges": []string{"usage 0.02"}, "cdr.wavix.parent_call_id": "A",
	})
}

// TestTrap8CallOfLegs: what parent and child make together, whichever type the parent has.
func TestTrap8CallOfLegs(t *testing.T) {
	const parentRow, child = at + `"uuid":"A","disposition":"answered","duration":60}`,
		at + `"uuid":"B","parent_uuid":"A","disposition":`
	for _, test := range []struct{ name, kind, child, want string }{
		{"forwarded and answered", kindReceived, child + `"answered","duration":50}`, "inbound answered 50s 1m0s"},
		{"forwarded in vain", kindReceived, child + `"busy"}`, "inbound machine 0s 1m0s"},
		{"transferred and answered", kindPlaced, child + `"answered","duration":50}`, "outbound answered 50s 1m0s"},
		{"transferred in vain", kindPlaced, child + `"busy"}`, "outbound busy 0s 1m0s"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var legs []cdr.Leg
			for kind, row := range map[string]string{test.kind + " ": parentRow, kindPlaced: test.child} {
				got, err := decode(t, formatJSON, strings.TrimSpace(kind), page(row))
				if err != nil {
					t.Fatal(err)
				}
				legs = append(legs, got.records[0].Legs...)
			}
			c := calls.Of(legs)
			if got := fmt.Sprint(c.Direction, c.Outcome, calls.Length(c.Talk),
				calls.Length(c.Connected)); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// TestTrap8OneType: where one type alone is read, no row of the parent comes.
func TestTrap8OneType(t *testing.T) {
	v := newValues()
	v.parse([]byte(at + `"uuid":"B","parent_uuid":"A"}`))
	l := (&callLog{countries: cdr.NewCountries(), kinds: []string{kindPlaced}}).mapRow(v, kindPlaced)
	providertest.RowOf(l.record, "").Want(t, shown{"Parent": nil, "CallKey": "A", "Whole": true, "CallID": "A"})
}

// TestTrap8SelfParent: samples name a call as its own parent.
func TestTrap8SelfParent(t *testing.T) {
	for _, ids := range []string{
		`"uuid":"A","parent_uuid":"A"`, `"uuid":"A","call_id":"A","parent_uuid":"A","parent_call_id":"A"`,
		`"uuid":"A","call_id":"B","parent_uuid":"A"`, `"uuid":"A","parent_uuid":null`, `"uuid":"A","parent_call_id":""`,
	} {
		shownRow(t, kindPlaced, at+ids+`}`).
			Want(t, shown{"Parent": nil, "Whole": true, "cdr.wavix.parent_call_id": nil})
	}
	for _, older := range []string{`"Q"`, `{}`} {
		shownRow(t, kindPlaced, at+`"uuid":"A","parent_call_id":"P","parent_uuid":`+older+`}`).
			Want(t, shown{"Parent": "received:P", "CallID": "P"})
	}
}

// TestTrap9Dispositions: in upper case, and new ones.
func TestTrap9Dispositions(t *testing.T) {
	got, err := decode(t, formatJSON, kindReceived, page(at+`"uuid":"1","disposition":"ANSWERED"}`,
		at+`"uuid":"2","disposition":"rejected"}`, at+`"uuid":"3","disposition":"diverted"}`))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"answered", "rejected", "unknown"} {
		got.rows[i].Want(t, shown{"Outcome": want})
	}
	got.rows[2].Want(t, shown{"cdr.wavix.disposition": "diverted"})
	if want := []collector.Unmapped{{Field: "disposition", Value: "diverted"}}; !slices.Equal(got.unmapped, want) {
		t.Errorf("unmapped %v, want %v", got.unmapped, want)
	}
}

// TestTrap10Streams: see TestStream; here that what came before a cut isn't lost track of.
func TestTrap10Streams(t *testing.T) {
	whole := at + `"uuid":"1"}` + "\n\n" + at + `"uuid":"2"}`
	for cut := range len(whole) {
		got, err := decode(t, formatStream, kindPlaced, whole[:cut])
		_, last, _ := strings.Cut(whole[:cut], "\n")
		atEnd := strings.TrimSpace(last) == "" && (cut == 0 || strings.Contains(whole[:cut], "}"))
		if (err == nil) != atEnd {
			t.Errorf("cut at %d: %d rows, error %v", cut, len(got.rows), err)
		}
	}
	if got, err := decode(t, formatStream, kindPlaced, whole); err != nil || len(got.rows) != 2 {
		t.Errorf("%d rows, error %v", len(got.rows), err)
	}
}

// TestTrap11OddCallers: from is whatever the network sent.
func TestTrap11OddCallers(t *testing.T) {
	for from, want := range map[string]shown{
		`"anonymous"`: {"CallerNumber": "anonymous", "Country": nil}, `""`: {"CallerNumber": nil, "Country": nil},
		// the same number in another generation's spelling
		`null`: {"CallerNumber": nil, "Country": nil}, `"+4930123456"`: {"CallerNumber": "4930123456", "Country": "DE"},
		`"+49 30 123456"`:     {"CallerNumber": "+49 30 123456", "Country": "DE"},
		`"alice@sip.example"`: {"CallerNumber": "alice@sip.example", "Country": nil}, `"4930123456"`: {"Country": "DE"},
		`"+4930123"`: {"Country": "DE"}, `100`: {"CallerNumber": "100", "Country": nil},
	} {
		got := shownRow(t, kindReceived, at+`"uuid":"1","from":`+from+`,"to":"12065550100"}`)
		t.Run(from, func(t *testing.T) { got.Want(t, want) })
	}
}

// TestTrap13ZeroPages: an old sample has pages of no rows.
func TestTrap13ZeroPages(t *testing.T) {
	got, err := decode(t, formatJSON, kindPlaced,
		`{"items":[],"pagination":{"total":0,"total_pages":0,"current_page":0,"per_page":0}}`)
	if err != nil || got.total != 0 {
		t.Errorf("total %d, error %v", got.total, err)
	}
}

// TestTrap14TypeOfTheQuestion: no row says its type, in no format.
func TestTrap14TypeOfTheQuestion(t *testing.T) {
	for kind, direction := range map[string]string{kindPlaced: "outbound", kindReceived: "inbound"} {
		for format, body := range map[string]string{
			formatJSON: page(at + `"uuid":"1"}`), formatStream: at + `"uuid":"1"}`,
			formatCSV: "date,uuid\n2026-03-01T10:00:00.000Z,1\n",
		} {
			got, err := decode(t, format, kind, body)
			if err != nil || len(got.rows) != 1 {
				t.Fatalf("%s: %d rows, error %v", format, len(got.rows), err)
			}
			got.rows[0].Want(t, shown{"CallType": kind, "Direction": direction, "ID": kind + ":1"})
		}
	}
}

// TestTrap15OwnNumbers: a call between two of the account's numbers is listed under both types with
// one id, and counts as two calls.
func TestTrap15OwnNumbers(t *testing.T) {
	one := shownRow(t, kindPlaced, at+`"uuid":"same"}`)
	other := shownRow(t, kindReceived, at+`"uuid":"same"}`)
	if fmt.Sprint(one["ID"], one["AltIDs"], one["Synthetic"]) == fmt.Sprint(other["ID"], other["AltIDs"],
		other["Synthetic"]) || one["CallID"] != other["CallID"] {
		t.Errorf("keys %v and %v of the calls %v and %v", one["ID"], other["ID"], one["CallID"], other["CallID"])
	}
	// Without an id, too.
	if a, b := shownRow(t, kindPlaced, at+`"from":"1"}`),
		shownRow(t, kindReceived, at+`"from":"1"}`); a["Synthetic"] == b["Synthetic"] {
		t.Errorf("one synthetic key %q for two types", a["Synthetic"])
	}
}
