package counting

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
	"github.com/cdr-exporter/cdr-exporter/internal/core/pack"
)

// The formats of an id row.
const (
	rowAlias  = 1 // another key of a record: bucket and hash of its first key
	rowRecord = 2
	rowFact   = 3 // a fact that is only counted, such as a recording: that it is known is all
	rowCall   = 4 // a call of several records that was counted
	rowLink   = 5 // the call key that another one leads to
)

// The flags of a record's row: what has been counted of it.
const (
	// rowLeg: it is a leg of a call that counts when it is whole.
	rowLeg = 1 << iota
	// rowSettled: what counts when it has settled is counted.
	rowSettled
	// rowEmergency: it is counted as a call to emergency services.
	rowEmergency
	// rowTimed: it is a call whose duration is counted.
	rowTimed
	// rowLabelled: it was counted with labels of the operator's.
	rowLabelled
	// rowVisit: the record is only a visit to a queue, not a call.
	rowVisit
	// rowUntraced: its spans are wanted and weren't made yet.
	rowUntraced
	// rowLate: it was late when it was first seen.
	rowLate
)

// head is what stands in front of a record's body: all that isn't of its last version.
type head struct {
	revisions int64 // how often it changed, as far as six bits count
	flags     byte
	// earlier is what versions after the first changed, in the form of earlier.append; empty: nothing.
	earlier []byte
	// connection is when the call was connected, so that a later version can change it.
	connection connection
	// times are the counted ones of a call whose legs are in its record, which later versions can add to.
	times callTimes
	// labels are the operator's labels of the first version.
	labels cdr.Labels
	// call is the key of the leg's call.
	call Hash
}

// callTimes are how long a call was counted as connected, and its talk time if that was observed.
type callTimes struct{ connected, talk cdr.Length }

const (
	// flagsAt is where the flags stand in a record's row.
	flagsAt = 2
	// hasEarlier and hasTimes mark the number of revisions where head.earlier and head.times stand in the row.
	hasEarlier, hasTimes = 0x80, 0x40
	mostRevisions        = hasTimes - 1
	// secondShift is where the number of a second trunk stands in the one that has both.
	secondShift = 32
)

func (h *head) append(dst []byte) []byte {
	at := len(dst) + 1
	dst = append(dst, rowRecord, byte(min(h.revisions, mostRevisions)), h.flags)
	if len(h.earlier) > 0 {
		dst[at] |= hasEarlier
		dst = pack.AppendText(dst, h.earlier)
	}
	if h.times != (callTimes{}) {
		dst[at] |= hasTimes
		dst = appendLength(appendLength(dst, h.times.connected), h.times.talk)
	}
	dst = binary.AppendUvarint(dst, uint64(h.connection.trunk|h.connection.second<<secondShift))
	if h.connection.trunk != 0 {
		dst = binary.AppendVarint(dst, h.connection.start)
		dst = binary.AppendUvarint(dst, uint64(h.connection.end-h.connection.start))
	}
	if h.flags&rowLabelled != 0 {
		dst = pack.AppendText(dst, string(h.labels))
	}
	if h.flags&rowLeg != 0 {
		dst = binary.BigEndian.AppendUint64(dst, uint64(h.call))
	}
	return dst
}

// appendLength appends a length in microseconds, as one more, and 0 if it isn't known.
func appendLength(dst []byte, l cdr.Length) []byte {
	if !l.Known {
		return append(dst, 0)
	}
	return binary.AppendUvarint(dst, uint64(l.Value.Microseconds())+1)
}

func readLength(r *pack.Reader) cdr.Length {
	n := r.Uvarint()
	if n == 0 {
		return cdr.Length{}
	}
	return cdr.KnownLength(time.Duration(n-1) * time.Microsecond) //nolint:gosec // as many as were appended
}

// splitRow splits a record's row into its head and its body. The body is nil if it isn't a record's row.
func splitRow(row []byte) (h head, body []byte) {
	if len(row) < 4 || row[0] != rowRecord {
		return head{}, nil
	}
	r := pack.Reader{Data: row[3:]}
	h = head{revisions: int64(row[1] & mostRevisions), flags: row[flagsAt]}
	if row[1]&hasEarlier != 0 {
		h.earlier = r.Bytes(r.Uvarint())
	}
	if row[1]&hasTimes != 0 {
		h.times = callTimes{readLength(&r), readLength(&r)}
	}
	trunks := r.Uvarint()
	h.connection.trunk, h.connection.second = int64(trunks&(1<<secondShift-1)), int64(trunks>>secondShift)
	if h.connection.trunk != 0 {
		h.connection.start = r.Varint()
		h.connection.end = h.connection.start + int64(r.Uvarint())
	}
	if h.flags&rowLabelled != 0 {
		h.labels = cdr.Labels(r.Text())
	}
	if h.flags&rowLeg != 0 {
		h.call = Hash(r.Number(8))
	}
	c := &h.connection
	if r.Bad || len(r.Data) == 0 || c.trunk == 0 && c.second != 0 || c.end < c.start {
		return head{}, nil
	}
	return h, r.Data
}

func flagsOf(row []byte) byte {
	if len(row) > flagsAt && row[0] == rowRecord {
		return row[flagsAt]
	}
	return 0
}

// rememberedRecord is what is remembered of a record that was counted.
type rememberedRecord struct {
	head
	facts.ChargeLabels // of the first version: corrections carry them

	outcome cdr.Outcome
	// start is the first version's, in seconds since 1970, in a feed whose records are found anywhere
	// (Rules.FoundAnywhere); else 0.
	start   int64
	version int64 // the provider's, 0 if it has none
	schema  uint64
	charges []cdr.Charge // the last amount known of each component
	fields  []fieldHash
}

// ErrRow says that what is stored is damaged.
var ErrRow = errors.New("an id row of the ledger is damaged: restore a backup")

// append appends the stored form, with the head in front, so that a row is the same as its record's
// first version behind it.
func (c *rememberedRecord) append(dst []byte) []byte { return c.appendBody(c.head.append(dst)) }

func (c *rememberedRecord) appendBody(dst []byte) []byte {
	dst = binary.AppendVarint(append(dst, byte(c.outcome), byte(c.Direction)), c.start)
	dst = pack.AppendText(dst, c.CallType)
	dst = pack.AppendText(dst, c.Country)
	dst = binary.AppendVarint(dst, c.version)
	dst = binary.AppendUvarint(dst, uint64(len(c.charges)))
	for i := range c.charges {
		charge := &c.charges[i]
		dst = pack.AppendText(dst, charge.Component)
		dst = pack.AppendText(dst, charge.Currency)
		at := len(dst)
		dst = charge.Amount.Append(append(dst, 0))
		dst[at] = byte(len(dst) - at - 1) // 34 digits, 34 places, a sign and a point: one byte as uvarint
	}
	dst = binary.AppendUvarint(dst, c.schema)
	return appendFields(dst, c.fields)
}

// appendFields appends which of recordFields there are, as bits, their hashes in the list's order,
// and the provider's own with their keys.
func appendFields(dst []byte, fields []fieldHash) []byte {
	at := len(dst)
	dst = append(dst, make([]byte, fieldBytes)...)
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

// startOf is the start in a record's row, and whether it is one.
func startOf(row []byte) (start int64, is bool) {
	_, body := splitRow(row)
	if len(body) < 2 {
		return 0, false
	}
	r := pack.Reader{Data: body[2:]}
	start = r.Varint()
	return start, !r.Bad
}

// parse reads the stored form into c and keeps c's memory.
func (c *rememberedRecord) parse(data []byte) error {
	h, body := splitRow(data)
	if len(body) < 2 {
		return ErrRow
	}
	c.head = h
	c.Labels = h.labels
	c.outcome, c.Direction = cdr.Outcome(body[0]), cdr.Direction(body[1])
	if int(c.outcome) >= len(cdr.Outcomes()) {
		return ErrRow
	}
	r := pack.Reader{Data: body[2:]}
	c.start, c.CallType, c.Country = r.Varint(), r.Text(), r.Text()
	c.version = r.Varint()
	c.charges = c.charges[:0]
	for left := r.Uvarint(); left > 0; left-- { // the row's length bounds them, as many as append wrote
		charge := cdr.Charge{Component: r.Text(), Currency: r.Text()}
		var err error
		if charge.Amount, err = cdr.ParseMoneySum(r.Text()); err != nil {
			return ErrRow
		}
		c.charges = append(c.charges, charge)
	}
	c.schema = r.Uvarint()
	c.fields = readFields(&r, c.fields[:0])
	if r.Bad || len(r.Data) > 0 {
		return ErrRow
	}
	return nil
}

func readFields(r *pack.Reader, list []fieldHash) []fieldHash {
	bits := r.Bytes(fieldBytes)
	for key := range uint32(8 * len(bits)) {
		if bits[key/8]&(1<<(key%8)) != 0 {
			list = append(list, fieldHash{key: key, hash: uint32(r.Number(3))})
		}
	}
	for len(r.Data) > 0 && !r.Bad {
		f := fieldHash{key: uint32(r.Number(3)), hash: uint32(r.Number(3))}
		if f.key&extraField == 0 {
			r.Bad = true
			break
		}
		list = append(list, f)
	}
	return list
}

// appendAlias is the stored form of a further key of a record.
func appendAlias(dst []byte, of Place) []byte {
	return binary.BigEndian.AppendUint64(binary.AppendVarint(append(dst, rowAlias), of.Bucket), uint64(of.Hash))
}

// Alias says where the record lies that a further key belongs to, and whether it is one.
func (s Stored) Alias() (of Place, ok bool) {
	if len(s.Data) == 0 || s.Data[0] != rowAlias {
		return Place{}, false
	}
	r := pack.Reader{Data: s.Data[1:]}
	of = Place{r.Varint(), Hash(r.Number(8))}
	return of, !r.Bad && len(r.Data) == 0
}

// IsCall says whether it is a call that was counted: a record, or one of several.
func (s Stored) IsCall() bool {
	if s.Data[0] == rowCall {
		return s.Data[1]&callIgnored == 0
	}
	return s.Data[0] == rowRecord && flagsOf(s.Data)&(rowLeg|rowVisit) == 0
}

// IsRecord says whether it is a record, whether or not it is a call by itself.
func (s Stored) IsRecord() bool { return s.Data[0] == rowRecord }

// Check returns ErrRow if it has none of the stored forms.
func (s Stored) Check() error {
	if len(s.Data) == 0 {
		return ErrRow
	}
	switch s.Data[0] {
	case rowFact:
		return nil
	case rowAlias:
		if _, ok := s.Alias(); ok {
			return nil
		}
	case rowRecord:
		var counted rememberedRecord
		err := counted.parse(s.Data)
		if err == nil {
			_, err = parseEarlier(counted.earlier)
		}
		return err
	case rowCall:
		return new(rememberedCall).parse(s.Data)
	case rowLink:
		_, err := parseLink(s.Data)
		return err
	}
	return ErrRow
}
