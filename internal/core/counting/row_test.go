package counting

import (
	"bytes"
	"reflect"
	"strconv"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
)

// fullRow is a row with everything: an inbound answered call, revised twice, with a charge and two fields.
func fullRow() rememberedRecord {
	return rememberedRecord{
		head:         head{revisions: 2},
		ChargeLabels: facts.ChargeLabels{Direction: cdr.Inbound, CallType: "byot_in", Country: "DE"},
		outcome:      cdr.Answered, version: 3, schema: fieldSchema,
		charges: []cdr.Charge{{Component: "usage", Currency: "USD", Amount: price("0.25")}},
		fields:  []fieldHash{{key: 1, hash: 2}, {key: extraField + 1, hash: 3}},
	}
}

// TestRowOfManyCharges reads every row that was written: also of a record whose components came and
// went with definitions.
func TestRowOfManyCharges(t *testing.T) {
	for _, n := range []int{0, 1, cdr.MaxCharges, cdr.MaxCharges + 1, 1000} {
		counted := fullRow()
		counted.charges = nil
		for i := range n {
			counted.charges = append(counted.charges, cdr.Charge{Component: "c" + strconv.Itoa(i), Currency: "USD"})
		}
		var again rememberedRecord
		if err := again.parse(counted.append(nil)); err != nil || len(again.charges) != n {
			t.Errorf("of %d charges %d are read, %v", n, len(again.charges), err)
		}
	}
	counted := fullRow()
	counted.charges = make([]cdr.Charge, 3)
	row := counted.append(nil)
	row[bytes.LastIndexByte(row[:len(row)-1], 3)]++
	if err := new(rememberedRecord).parse(row); err == nil {
		t.Error("a row with fewer charges than it says was read")
	}
}

func TestRowFlags(t *testing.T) {
	counted := fullRow()
	first := counted.append(nil)
	counted.flags, counted.call, counted.revisions = rowLeg|rowSettled|rowLate, 9, 7
	counted.earlier = exampleEarlier.append(nil)
	counted.times = callTimes{cdr.KnownLength(0), cdr.Length{}}
	row := counted.append(nil)
	_, body := splitRow(row)
	if _, other := splitRow(first); body == nil || !bytes.Equal(body, other) || flagsOf(row) != counted.flags ||
		flagsOf(first) != 0 {
		t.Errorf("flags make another row: %x", row)
	}
	var again rememberedRecord
	if err := again.parse(row); err != nil || again.flags != counted.flags || again.revisions != 7 ||
		!bytes.Equal(again.earlier, counted.earlier) || again.times != counted.times {
		t.Errorf("%+v, %v", again, err)
	}
	for _, c := range []struct {
		name string
		row  []byte
	}{
		{"cut", row[:len(row)-1]},
		{"only its head", row[:5]},
		{"a call", new(rememberedCall).append(nil)},
	} {
		if err := new(rememberedRecord).parse(c.row); err == nil {
			t.Errorf("%s: read", c.name)
		}
	}
	for _, c := range []struct {
		name string
		row  []byte
	}{
		{"a record", row},
		{"cut", []byte{rowCall, 1}},
		{"an outcome that there isn't", append([]byte{rowCall, 0, byte(len(cdr.Outcomes()))}, make([]byte, 7)...)},
		{"a flag that there isn't", append([]byte{rowCall, 32}, make([]byte, 8)...)},
	} {
		if new(rememberedCall).parse(c.row) == nil {
			t.Errorf("as a call, %s: read", c.name)
		}
	}
}

func price(text string) cdr.Money {
	m, err := cdr.ParseMoney(text)
	if err != nil {
		panic(err)
	}
	return m
}

var exampleEarlier = earlier{
	outcomes: []cdr.Outcome{cdr.Failed, cdr.Busy}, fields: 1<<7 | 1,
	corrections: []cdr.Charge{
		{Component: "usage", Currency: "EUR", Amount: price("-0.5")},
		{Currency: "USD", Amount: price("2")},
	},
}

// The stored form of what versions changed is read as it was written, and not at all if it is cut.
func TestEarlier(t *testing.T) {
	data := exampleEarlier.append(nil)
	if again, err := parseEarlier(data); err != nil || !reflect.DeepEqual(again, exampleEarlier) {
		t.Errorf("read as %+v, %v", again, err)
	}
	if again, err := parseEarlier(new(earlier).append(nil)); err != nil || !reflect.DeepEqual(again, earlier{}) {
		t.Errorf("nothing is read as %+v, %v", again, err)
	}
	if _, err := parseEarlier(data[:len(data)-1]); err == nil {
		t.Error("a cut one is read")
	}
}

var exampleCall = rememberedCall{
	CallMemory: CallMemory{
		Began: time.Unix(1.7e9, 0).UTC(), Late: true, Changed: true, Trunk: "sbc",
		Labels: facts.ChargeLabels{Direction: cdr.Inbound, CallType: "user_in", Country: "DE", Labels: "site=a\n"},
		Times:  []CountedTime{{Trunk: "sbc", Direction: cdr.Inbound, Length: 85 * time.Second}},
	},
	outcome: cdr.Answered, talked: true,
	legs: []cdr.Leg{
		{
			ID: "12345678", AltIDs: []string{"87654321"}, Party: cdr.Onward, Outcome: cdr.Answered,
			Direction: cdr.Inbound, Trunk: "sbc",
			Start: time.Unix(1.7e9, 0).UTC(), Answer: time.Unix(1.7e9+5, 0).UTC(), End: time.Unix(1.7e9+90, 0).UTC(),
			Duration: cdr.KnownLength(85 * time.Second),
		},
		{
			ID: "abcdefgh", Parent: "12345678", NoOutcome: true, Start: time.Unix(1.7e9-3600, 0).UTC(),
			Ringing: cdr.KnownLength(time.Second),
		},
	},
}

// What is remembered of a call is read as it was written.
func TestCallRow(t *testing.T) {
	var again rememberedCall
	row := exampleCall.append(nil)
	if err := again.parse(row); err != nil || !reflect.DeepEqual(again, exampleCall) {
		t.Errorf("read as %+v, %v", again, err)
	}
	for n := range row {
		if new(rememberedCall).parse(row[:n]) == nil {
			t.Errorf("%d of %d bytes are read", n, len(row))
		}
	}
}

func FuzzRow(f *testing.F) {
	counted := rememberedRecord{
		outcome: 1, ChargeLabels: facts.ChargeLabels{CallType: "user_out", Country: "DE"}, version: 3,
		schema: 1, fields: []fieldHash{{1, 2}, {20, 9}, {extraField + 1, 3}},
	}
	f.Add(counted.append(nil))
	f.Add([]byte{rowRecord, 0, 0, 0, 0, 0, 0})
	counted.flags, counted.call = rowLeg, 12
	f.Add(counted.append(nil))
	f.Add(exampleCall.append(nil))
	f.Add(appendLink(nil, 77))
	counted.earlier = exampleEarlier.append(nil)
	f.Add(counted.append(nil))
	counted.connection = connection{trunk: 7, start: 1.7e15 + 250, end: 1.7e15 + 60e6}
	f.Add(counted.append(nil))
	counted.connection.second = 8
	f.Add(counted.append(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		var c, again2 rememberedCall
		if c.parse(data) == nil && (again2.parse(c.append(nil)) != nil || !reflect.DeepEqual(c, again2)) {
			t.Fatal("a call's own form changes")
		}
		var counted rememberedRecord
		if counted.parse(data) != nil {
			return
		}
		if e, err := parseEarlier(counted.earlier); err == nil {
			if again, err := parseEarlier(e.append(nil)); err != nil || len(again.corrections) != len(e.corrections) {
				t.Fatal("the form of what versions changed changes")
			}
		}
		if _, body := splitRow(data); body == nil {
			t.Fatal("a row that is read has no body")
		}
		var again rememberedRecord
		if err := again.parse(counted.append(nil)); err != nil {
			t.Fatalf("own form isn't read: %v", err)
		}
		if string(again.append(nil)) != string(counted.append(nil)) {
			t.Fatal("own form changes")
		}
		_, _ = Stored{Data: data}.Alias()
	})
}

// TestFieldSchema (counting.md 16): a version revises no field of a record that was remembered under another
// fieldSchema. The next one does.
func TestFieldSchema(t *testing.T) {
	hasher, err := NewHasher(NewSecret())
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	decide := func(trunk string, row []byte) (result Result, next []byte) {
		page := &Page{
			Records:    []*cdr.Record{{ID: "a", Start: start, Trunk: trunk, Outcome: cdr.Busy}},
			ObservedAt: start.Add(time.Hour),
		}
		d := NewDecision()
		keys := d.Keys(page, new(Settings), &hasher)
		known := &Known{TrunkLimit: 10}
		for _, key := range keys.IDs {
			known.IDs = append(known.IDs, Stored{Place{HourBucket(start), key.Hash}, row})
		}
		change, err := d.Decide(known)
		if err != nil {
			t.Fatal(err)
		}
		return change.Result, change.Keep[0].Data
	}
	_, row := decide("one", nil)
	var counted rememberedRecord
	if err := counted.parse(row); err != nil {
		t.Fatal(err)
	}
	counted.schema = fieldSchema + 1
	got, row := decide("two", counted.append(nil))
	if got.Revised != 0 || got.Duplicate != 1 {
		t.Errorf("another fieldSchema: %d revised, %d repeated", got.Revised, got.Duplicate)
	}
	if got, _ = decide("three", row); got.Revised != 1 {
		t.Errorf("the same fieldSchema: %d revised", got.Revised)
	}
}
