package ledger

import (
	"encoding/hex"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// olderRow is a row as programs wrote it before rows had flags: an inbound answered
// call, revised twice, with a charge and two fields.
const olderRow = "020201010762796f745f696e02444506010575736167650355534404302e323501010000000102800001000304"

// A record without flags is stored as ever, so a ledger of either program is read by
// the other.
func TestOlderRowIsRead(t *testing.T) {
	row := unhex(t, olderRow)
	var k known
	if err := k.parse(row); err != nil {
		t.Fatal(err)
	}
	if k.revisions != 2 || k.flags != 0 || k.outcome != cdr.Answered || k.direction != cdr.Inbound || k.callType != "byot_in" ||
		k.country != "DE" || k.version != 3 || len(k.charges) != 1 || k.charges[0].amount.String() != "0.25" || len(k.fields) != 2 {
		t.Errorf("read as %+v", k)
	}
	if got := k.append(nil); string(got) != string(row) {
		t.Errorf("written as %x", got)
	}
}

func TestRowFlags(t *testing.T) {
	older := unhex(t, olderRow)
	var k known
	if err := k.parse(older); err != nil {
		t.Fatal(err)
	}
	k.flags, k.revisions = rowFailed|rowFurther|rowSettled, 7
	row := k.append(nil)
	if got := withFlags(withFlags(row, 0), k.flags); string(got) != string(row) || flagsOf(withFlags(row, 0)) != 0 {
		t.Errorf("other flags and back: %x, want %x", got, row)
	}
	if !sameRow(row, older) || flagsOf(row) != k.flags || flagsOf(older) != 0 {
		t.Errorf("flags make another row: %x", row)
	}
	var again known
	if err := again.parse(row); err != nil || again.flags != k.flags || again.revisions != 7 {
		t.Errorf("%+v, %v", again, err)
	}
	for _, c := range []struct {
		name string
		row  []byte
	}{
		{"flags of a newer program", []byte{rowFlagged, 0, allFlags + 1, 1, 1}},
		{"no flags in the form that has them", []byte{rowFlagged, 0, 0, 1, 1}},
		{"cut", []byte{rowFlagged, 0, rowFailed, 1}},
		{"a group", group{outcome: cdr.Busy}.append(nil)},
	} {
		if err := new(known).parse(c.row); err == nil {
			t.Errorf("%s: read", c.name)
		}
	}
	for _, c := range []struct {
		name string
		row  []byte
	}{
		{"a record", row},
		{"cut", []byte{rowGroup, 1}},
		{"an outcome of a newer program", []byte{rowGroup, byte(len(cdr.Outcomes())), 0}},
		{"a flag of a newer program", []byte{rowGroup, 1, 2}},
	} {
		if _, err := parseGroup(c.row); err == nil {
			t.Errorf("as a group, %s: read", c.name)
		}
	}
}

// A damaged group stops the commit and says what to do; nothing is counted by guess.
func TestDamagedGroupIsRefused(t *testing.T) {
	r := newRig(t)
	r.live()
	r.records(call("a", inGroup("s-1")))
	if _, err := r.ledger.engine.exec(`UPDATE seen SET data = x'0509' WHERE hour < 0`); err != nil {
		t.Fatal(err)
	}
	for _, record := range []*cdr.Record{call("b", inGroup("s-1")), call("a", inGroup("s-1"), outcome(cdr.Busy))} {
		if _, err := r.feed.Commit(t.Context(), &Page{Records: []*cdr.Record{record}, ObservedAt: epoch}); err == nil {
			t.Errorf("%s: committed", record.ID)
		}
	}
	wantValues(t, r.values(), map[string]string{answered: "1"})
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	row, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return row
}
