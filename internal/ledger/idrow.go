package ledger

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// The formats of an id row.
const (
	rowAlias  = 1 // another key of a record: bucket and hash of its first key
	rowRecord = 2
	rowFact   = 3 // a fact that is only counted, such as a recording: that it is known is all
	rowGroup  = 4 // a session: outcome, whether another record connected it
)

// The flags of a record's row: how it was first counted, and what of it is since.
const (
	// rowFailed: it did not connect, in a feed whose records have parents.
	rowFailed = 1 << iota
	// rowFurther: it is a further record of a group and no call of its own.
	rowFurther
	// rowSettled: what counts when it has settled is counted.
	rowSettled
	// rowEmergency: it is counted as a call to emergency services.
	rowEmergency

	allFlags = rowFailed | rowFurther | rowSettled | rowEmergency
)

// head is what stands in front of a record's body: all that isn't of its last version.
type head struct {
	revisions int64 // how often it changed, as far as a byte counts
	flags     byte
	// span is when the call was connected, so that a later version can change it.
	span span
}

// flagsAt is where the flags stand in a record's row.
const flagsAt = 2

func (h *head) append(dst []byte) []byte {
	dst = append(dst, rowRecord, byte(min(h.revisions, math.MaxUint8)), h.flags)
	dst = binary.AppendUvarint(dst, uint64(h.span.trunk))
	if h.span.trunk != 0 {
		dst = binary.AppendVarint(dst, h.span.start)
		dst = binary.AppendUvarint(dst, uint64(h.span.end-h.span.start))
	}
	return dst
}

// splitRow is a record's row as its head and the body behind it, nil if it is no such row.
func splitRow(row []byte) (h head, body []byte) {
	if len(row) < 4 || row[0] != rowRecord {
		return head{}, nil
	}
	r := reader{data: row[3:]}
	h = head{revisions: int64(row[1]), flags: row[flagsAt], span: span{trunk: int64(r.uvarint())}}
	if h.span.trunk != 0 {
		h.span.start = r.varint()
		h.span.end = h.span.start + int64(r.uvarint())
	}
	if r.bad || len(r.data) == 0 || h.span.trunk < 0 || h.span.end < h.span.start {
		return head{}, nil
	}
	return h, r.data
}

func flagsOf(row []byte) byte {
	if len(row) > flagsAt && row[0] == rowRecord {
		return row[flagsAt]
	}
	return 0
}

// known is what the ledger remembers of a counted record.
type known struct {
	head
	metrics.ChargeLabels // of the first version: corrections carry them

	outcome cdr.Outcome
	version int64 // the provider's, 0 if it has none
	schema  uint64
	charges []cdr.Charge // the last amount known of each component
	fields  []fieldHash
}

var errRow = errors.New("an id row of the ledger is damaged: restore a backup")

// append appends the stored form, with the head in front, so that a row is the same as its record's first version behind it.
func (k *known) append(dst []byte) []byte { return k.appendBody(k.head.append(dst)) }

func (k *known) appendBody(dst []byte) []byte {
	dst = append(dst, byte(k.outcome), byte(k.Direction))
	dst = appendText(dst, k.CallType)
	dst = appendText(dst, k.Country)
	dst = binary.AppendVarint(dst, k.version)
	dst = binary.AppendUvarint(dst, uint64(len(k.charges)))
	for i := range k.charges {
		c := &k.charges[i]
		dst = appendText(dst, c.Component)
		dst = appendText(dst, c.Currency)
		at := len(dst)
		dst = c.Amount.Append(append(dst, 0))
		dst[at] = byte(len(dst) - at - 1) // 34 digits, 18 zeros, a sign and a point: one byte as uvarint
	}
	dst = binary.AppendUvarint(dst, k.schema)
	return appendFields(dst, k.fields)
}

// appendFields appends which of recordFields there are, as bits, their hashes in the list's order, and the provider's own with their keys.
func appendFields(dst []byte, fields []fieldHash) []byte {
	at := len(dst)
	dst = append(dst, 0, 0, 0)
	for _, f := range fields {
		if f.key&extraField == 0 {
			dst[at+int(f.key/8)] |= 1 << (f.key % 8)
		} else {
			dst = append24(dst, f.key)
		}
		dst = append24(dst, f.hash)
	}
	return dst
}

func append24(dst []byte, v uint32) []byte { return append(dst, byte(v>>16), byte(v>>8), byte(v)) }

// appendText appends a text behind its length.
func appendText[T string | []byte](dst []byte, text T) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}

// parse reads the stored form into k and keeps k's memory.
func (k *known) parse(data []byte) error {
	h, body := splitRow(data)
	if len(body) < 2 {
		return errRow
	}
	k.head = h
	k.outcome, k.Direction = cdr.Outcome(body[0]), cdr.Direction(body[1])
	if int(k.outcome) >= len(cdr.Outcomes()) || k.flags&^allFlags != 0 {
		return errRow
	}
	r := reader{data: body[2:]}
	k.CallType, k.Country = r.text(), r.text()
	k.version = r.varint()
	k.charges = k.charges[:0]
	for range min(r.uvarint(), 64) {
		c := cdr.Charge{Component: r.text(), Currency: r.text()}
		var err error
		if c.Amount, err = cdr.ParseMoneySum(r.text()); err != nil {
			return errRow
		}
		k.charges = append(k.charges, c)
	}
	k.schema = r.uvarint()
	k.fields = r.fields(k.fields[:0])
	if r.bad || len(r.data) > 0 {
		return errRow
	}
	return nil
}

func (r *reader) fields(list []fieldHash) []fieldHash {
	bits := r.bytes(3)
	for key := range uint32(8 * len(bits)) {
		if bits[key/8]&(1<<(key%8)) != 0 {
			list = append(list, fieldHash{key: key, hash: uint32(r.number(3))})
		}
	}
	for len(r.data) > 0 && !r.bad {
		f := fieldHash{key: uint32(r.number(3)), hash: uint32(r.number(3))}
		if f.key&extraField == 0 {
			r.bad = true
			break
		}
		list = append(list, f)
	}
	return list
}

// appendAlias is the stored form of a further key of a record.
func appendAlias(dst []byte, bucket int64, of hash) []byte {
	return binary.BigEndian.AppendUint64(binary.AppendVarint(append(dst, rowAlias), bucket), uint64(of))
}

// parseAlias says which record a further key belongs to, and whether it is one.
func parseAlias(data []byte) (bucket int64, of hash, ok bool) {
	if len(data) == 0 || data[0] != rowAlias {
		return 0, of, false
	}
	r := reader{data: data[1:]}
	bucket, of = r.varint(), hash(r.number(8))
	return bucket, of, !r.bad && len(r.data) == 0
}

func checkState(data []byte) error {
	if len(data) == 0 {
		return errRow
	}
	switch data[0] {
	case rowFact:
		return nil
	case rowAlias:
		if _, _, ok := parseAlias(data); ok {
			return nil
		}
	case rowRecord:
		return new(known).parse(data)
	case rowGroup:
		_, err := parseGroup(data)
		return err
	}
	return errRow
}

// reader reads what append wrote; bad once something doesn't fit.
type reader struct {
	data []byte
	bad  bool
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.data)
	r.skip(n)
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.data)
	r.skip(n)
	return v
}

// skip goes past a varint of n bytes; without any there was none, and its value is 0.
func (r *reader) skip(n int) {
	if n <= 0 {
		r.bad, r.data = true, nil
		return
	}
	r.data = r.data[n:]
}

// number reads n bytes, the highest first.
func (r *reader) number(n uint64) (v uint64) {
	for _, b := range r.bytes(n) {
		v = v<<8 | uint64(b)
	}
	return v
}

func (r *reader) text() string { return string(r.bytes(r.uvarint())) }

// bytes takes n bytes, or none and goes bad.
func (r *reader) bytes(n uint64) []byte {
	if n > uint64(len(r.data)) {
		r.bad, r.data = true, nil
		return nil
	}
	b := r.data[:n]
	r.data = r.data[n:]
	return b
}
