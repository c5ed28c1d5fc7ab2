package ledger

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// fullRow is a row with everything: an inbound answered call, revised twice, with a charge and two fields.
func fullRow(t *testing.T) known {
	return known{
		head:         head{revisions: 2},
		ChargeLabels: metrics.ChargeLabels{Direction: cdr.Inbound, CallType: "byot_in", Country: "DE"},
		outcome:      cdr.Answered, version: 3, schema: fieldSchema,
		charges: []cdr.Charge{{Component: "usage", Currency: "USD", Amount: money(t, "0.25")}},
		fields:  []fieldHash{{key: 1, hash: 2}, {key: extraField + 1, hash: 3}},
	}
}

func TestRowIsRead(t *testing.T) {
	k := fullRow(t)
	k.span = span{trunk: 3, start: epoch.UnixMicro(), end: epoch.UnixMicro() + 60e6}
	row := k.append(nil)
	var again known
	if err := again.parse(row); err != nil || !reflect.DeepEqual(again, k) {
		t.Errorf("read as %+v, %v", again, err)
	}
}

func TestRowFlags(t *testing.T) {
	k := fullRow(t)
	first := k.append(nil)
	k.flags, k.revisions = rowFailed|rowFurther|rowSettled, 7
	row := k.append(nil)
	_, body := splitRow(row)
	if _, other := splitRow(first); body == nil || !bytes.Equal(body, other) || flagsOf(row) != k.flags || flagsOf(first) != 0 {
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
		{"flags that there aren't", append([]byte{rowRecord, 0, allFlags + 1}, first[3:]...)},
		{"cut", row[:len(row)-1]},
		{"only its head", row[:5]},
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
		{"an outcome that there isn't", []byte{rowGroup, byte(len(cdr.Outcomes())), 0}},
		{"a flag that there isn't", []byte{rowGroup, 1, 2}},
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
	for at := range r.remembered() {
		if byFact(at.bucket) {
			r.remember(at.bucket, at.key, []byte{rowGroup, 9})
		}
	}
	for _, record := range []*cdr.Record{call("b", inGroup("s-1")), call("a", inGroup("s-1"), outcome(cdr.Busy))} {
		if _, err := r.feed.Commit(t.Context(), &Page{Records: []*cdr.Record{record}, ObservedAt: epoch}); err == nil {
			t.Errorf("%s: committed", record.ID)
		}
	}
	wantValues(t, r.values(), map[string]string{answered: "1"})
}

// A record whose row was cut is damage that a commit reports, whatever its next version brings: the process goes on.
func TestCutRowIsReported(t *testing.T) {
	for name, next := range map[string]func(*cdr.Record){
		"settled":   settled,
		"emergency": func(r *cdr.Record) { r.Emergency = cdr.EmergencyReal },
	} {
		t.Run(name, func(t *testing.T) {
			r := newHourlessRig(t)
			r.records(call("a"))
			for at := range r.remembered() {
				r.remember(at.bucket, at.key, []byte{rowRecord})
			}
			if _, err := r.feed.Commit(t.Context(), &Page{ObservedAt: epoch, Records: []*cdr.Record{call("a", next)}}); !errors.Is(err, errRow) {
				t.Errorf("got %v", err)
			}
		})
	}
}
