package counting

import (
	"cmp"
	"encoding/binary"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/pack"
)

// fieldSchema numbers the list below. Raise it if a field gets another index or its value other bytes. The next version
// of each remembered record then replaces the hashes of all fields, and none of its fields is revised (counting.md 16).
const fieldSchema = 1

// fieldBytes is how many bytes of a record's row say which of the fields below it has, by a bit for each.
const fieldBytes = 3

// This doesn't compile if there are more fields than bits. More bits are another form of rows, and so another schema of
// the ledger.
var _ [8*fieldBytes - len(recordFields)]struct{}

// field is one whose change is a revision: its name in `cdr.changed`, and its value as bytes, empty
// if the record doesn't carry it.
type field struct {
	name  string
	value func(dst []byte, r *cdr.Record) []byte
}

// recordFields are the fields of a record; a row knows each by its index. Append new ones. They don't need another
// fieldSchema: a record that is remembered without a field isn't revised by the first version that has it. Outcome and
// charges are compared by value, not here.
var recordFields = [...]field{
	timeField("cdr.start_time", func(r *cdr.Record) time.Time { return r.Start }),
	timeField("cdr.invite_time", func(r *cdr.Record) time.Time { return r.Invite }),
	timeField("cdr.answer_time", func(r *cdr.Record) time.Time { return r.Answer }),
	timeField("cdr.end_time", func(r *cdr.Record) time.Time { return r.End }),
	intField("cdr.duration", func(r *cdr.Record) (int64, bool) { return int64(r.Duration), !r.NoDuration }),
	intField("cdr.direction", func(r *cdr.Record) (int64, bool) { return int64(r.Direction), true }),
	textField("cdr.call_type", func(r *cdr.Record) string { return r.CallType }),
	textField("cdr.trunk", func(r *cdr.Record) string { return r.Trunk }),
	intField("cdr.sip_code", func(r *cdr.Record) (int64, bool) { return r.SIPCode.Value, r.SIPCode.Known }),
	intField("cdr.sub_code", func(r *cdr.Record) (int64, bool) { return r.SubCode.Value, r.SubCode.Known }),
	textField("cdr.reason_phrase", func(r *cdr.Record) string { return r.ReasonPhrase }),
	textField("cdr.country", func(r *cdr.Record) string { return r.Country }),
	intField("cdr.media_bypass", func(r *cdr.Record) (int64, bool) {
		return int64(r.MediaBypass),
			r.MediaBypass.Known()
	}),
	textField("cdr.media_location", func(r *cdr.Record) string { return r.MediaLocation }),
	textField("cdr.signaling_location", func(r *cdr.Record) string { return r.SignalLocation }),
	textField("cdr.caller.number", func(r *cdr.Record) string { return r.CallerNumber }),
	textField("cdr.callee.number", func(r *cdr.Record) string { return r.CalleeNumber }),
	textField("cdr.user.id", func(r *cdr.Record) string { return r.UserID }),
	textField("cdr.user.name", func(r *cdr.Record) string { return r.UserName }),
	textField("cdr.user.principal", func(r *cdr.Record) string { return r.UserPrincipal }),
	textField("cdr.call.id", func(r *cdr.Record) string { return r.CallID }),
	{"cdr.leg", legField},
	{"cdr.second_trunk", secondField},
}

// secondField is the attempt on a second trunk. Its times are the record's own.
func secondField(dst []byte, r *cdr.Record) []byte {
	if r.Second == nil {
		return dst
	}
	dst = append(dst, byte(r.Second.Outcome), boolByte(r.Second.NoOutcome))
	return pack.AppendText(pack.AppendText(dst, r.Second.Trunk), r.Second.Channel)
}

// legField is what else a call needs of its leg, or of the legs that its record has in it; empty for a record that is
// a call of one leg.
func legField(dst []byte, r *cdr.Record) []byte {
	if r.CallKey == "" && r.Parent == "" {
		if times := timesOf(r); times != (callTimes{}) {
			dst = appendLength(appendLength(dst, times.connected), times.talk)
		}
		return dst
	}
	dst = append(dst, byte(r.Party), boolByte(r.NoOutcome), boolByte(r.Whole))
	for _, text := range [...]string{r.CallKey, r.Parent, r.Channel} {
		dst = pack.AppendText(dst, text)
	}
	return dst
}

func boolByte(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// fieldDuration is the index of the duration in recordFields.
const fieldDuration = 4

func textField(name string, get func(*cdr.Record) string) field {
	return field{name, func(dst []byte, r *cdr.Record) []byte { return append(dst, get(r)...) }}
}

func intField(name string, get func(*cdr.Record) (int64, bool)) field {
	return field{name, func(dst []byte, r *cdr.Record) []byte {
		n, known := get(r)
		if !known {
			return dst
		}
		return binary.LittleEndian.AppendUint64(dst, uint64(n))
	}}
}

func timeField(name string, get func(*cdr.Record) time.Time) field {
	return intField(name, func(r *cdr.Record) (int64, bool) { return get(r).UnixNano(), !get(r).IsZero() })
}

// fieldHash is a field that a record carries, and the keyed hash of its value.
type fieldHash struct {
	// key is the field's index in recordFields, or for a provider's own field extraField plus 23
	// bits of its name's hash.
	key  uint32
	hash uint32
}

// extraField marks keys of the provider's own fields.
const extraField = 0x800000

// fields appends the fields that a record carries, in a fixed order. It must see the record before redaction.
func (h *Hasher) fields(dst []fieldHash, r *cdr.Record) []fieldHash {
	for i := range recordFields {
		if h.buf = recordFields[i].value(h.buf[:0], r); len(h.buf) > 0 {
			dst = append(dst, fieldHash{key: uint32(i), hash: h.field(h.buf)})
		}
	}
	for i := range r.Extra {
		a := &r.Extra[i]
		h.buf = append(h.buf[:0], a.Key...)
		key := extraField | h.field(h.buf)&(extraField-1)
		h.buf = binary.LittleEndian.AppendUint64(h.buf[:0], uint64(a.Int))
		h.buf = append(h.buf, a.Str...)
		for _, s := range a.Strs {
			h.buf = append(append(h.buf, 0), s...)
		}
		dst = append(dst, fieldHash{key: key, hash: h.field(h.buf)})
	}
	return dst
}

// reviseFields merges the fields of a newer version into a record's fields: a field that the newer
// version doesn't carry keeps its hash. changed names the fields that both versions carry with
// different values (counting.md 16). extra are the provider's own fields, the last of now.
func reviseFields(provider string, old, now []fieldHash, extra []cdr.Attr) (merged []fieldHash, changed []string) {
	merged = slices.Clone(now)
	for _, o := range old {
		i := slices.IndexFunc(now, func(f fieldHash) bool { return f.key == o.key })
		switch {
		case i < 0:
			merged = append(merged, o)
		case now[i].hash == o.hash:
		case o.key&extraField == 0:
			changed = append(changed, recordFields[o.key].name)
		default:
			changed = append(changed, "cdr."+provider+"."+extra[i-len(now)+len(extra)].Key)
		}
	}
	slices.SortStableFunc(merged, func(a, b fieldHash) int { return cmp.Compare(a.key, b.key) })
	return merged, changed
}
