package ledger

import (
	"cmp"
	"encoding/binary"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// fieldSchema numbers the list below. A row remembered under another number is
// rewritten silently: an upgrade revises nothing (counting.md 16).
const fieldSchema = 1

// fieldNames are the fields whose change is a revision, as `cdr.changed` names
// them. Outcome and charges are compared by value, not here.
var fieldNames = [...]string{
	"cdr.start_time", "cdr.invite_time", "cdr.answer_time", "cdr.end_time", "cdr.duration", "cdr.direction", "cdr.call_type",
	"cdr.trunk", "cdr.sip_code", "cdr.sub_code", "cdr.reason_phrase", "cdr.country", "cdr.media_bypass", "cdr.media_location",
	"cdr.signaling_location", "cdr.caller.number", "cdr.callee.number", "cdr.user.id", "cdr.user.name", "cdr.user.principal", "cdr.call.id",
}

// fieldHash is one field of a record: which, and the keyed hash of its value, 0
// if the record doesn't carry it.
type fieldHash struct {
	// key is the field's index in fieldNames, or for a provider's own field
	// extraField plus 23 bits of its name's hash.
	key  uint32
	hash uint32
}

// extraField marks keys of the provider's own fields; fieldNames has at most 24.
const extraField = 0x800000

// fields lists the fields that a record carries, in a fixed order, appended to
// dst. It must see the record before redaction.
func (h *hasher) fields(dst []fieldHash, r *cdr.Record) []fieldHash {
	f := fieldList{h: h, list: dst}
	f.time(0, r.Start)
	f.time(1, r.Invite)
	f.time(2, r.Answer)
	f.time(3, r.End)
	f.int(4, int64(r.Duration), !r.NoDuration)
	f.int(5, int64(r.Direction), true)
	f.text(6, r.CallType)
	f.text(7, r.Trunk)
	f.int(8, r.SIPCode.Value, r.SIPCode.Known)
	f.int(9, r.SubCode.Value, r.SubCode.Known)
	f.text(10, r.ReasonPhrase)
	f.text(11, r.Country)
	f.int(12, int64(r.MediaBypass), r.MediaBypass.Known())
	f.text(13, r.MediaLocation)
	f.text(14, r.SignalLocation)
	f.text(15, r.CallerNumber)
	f.text(16, r.CalleeNumber)
	f.text(17, r.UserID)
	f.text(18, r.UserName)
	f.text(19, r.UserPrincipal)
	f.text(20, r.CallID)
	for i := range r.Extra {
		f.extra(&r.Extra[i])
	}
	return f.list
}

// fieldList gathers field hashes.
type fieldList struct {
	h    *hasher
	list []fieldHash
}

func (f *fieldList) add(key uint32, value []byte) {
	f.list = append(f.list, fieldHash{key: key, hash: f.h.field(value)})
}

func (f *fieldList) text(key uint32, value string) {
	if value != "" {
		f.h.buf = append(f.h.buf[:0], value...)
		f.add(key, f.h.buf)
	}
}

func (f *fieldList) int(key uint32, value int64, known bool) {
	if known {
		f.h.buf = binary.LittleEndian.AppendUint64(f.h.buf[:0], uint64(value))
		f.add(key, f.h.buf)
	}
}

func (f *fieldList) time(key uint32, at time.Time) { f.int(key, at.UnixNano(), !at.IsZero()) }

func (f *fieldList) extra(a *cdr.Attr) {
	f.h.buf = append(f.h.buf[:0], a.Key...)
	key := extraField | f.h.field(f.h.buf)&(extraField-1)
	f.h.buf = binary.LittleEndian.AppendUint64(f.h.buf[:0], uint64(a.Int))
	f.h.buf = append(f.h.buf, a.Str...)
	for _, s := range a.Strs {
		f.h.buf = append(append(f.h.buf, 0), s...)
	}
	f.add(key, f.h.buf)
}

// changedFields are the names of the fields that both versions carry with another
// value (counting.md 16); the provider's own are named by the new record.
func changedFields(provider string, old, now []fieldHash, r *cdr.Record) []string {
	var names []string
	extra := len(now) - len(r.Extra)
	for i, f := range now {
		for _, o := range old {
			if o.key != f.key || o.hash == f.hash {
				continue
			}
			if f.key&extraField == 0 {
				names = append(names, fieldNames[f.key])
			} else {
				names = append(names, "cdr."+provider+"."+r.Extra[i-extra].Key)
			}
			break
		}
	}
	return names
}

// mergeFields is what is known of a record after its newer version: a field that
// the newer one doesn't carry keeps its hash.
func mergeFields(old, now []fieldHash) []fieldHash {
	merged := append([]fieldHash(nil), now...)
	for _, o := range old {
		if !hasField(now, o.key) {
			merged = append(merged, o)
		}
	}
	slices.SortStableFunc(merged, func(a, b fieldHash) int { return cmp.Compare(a.key, b.key) })
	return merged
}

func hasField(list []fieldHash, key uint32) bool {
	for _, f := range list {
		if f.key == key {
			return true
		}
	}
	return false
}
