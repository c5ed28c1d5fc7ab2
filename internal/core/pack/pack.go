// Package pack reads and writes the small binary forms that the ledger stores: numbers as varints,
// texts behind their length.
package pack

import "encoding/binary"

// AppendText appends a text behind its length.
func AppendText[T string | []byte](dst []byte, text T) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}

// Reader reads what was appended. Once something doesn't fit it is Bad, has no more data, and gives zeros.
type Reader struct {
	Data []byte
	Bad  bool
}

// Uvarint reads a number.
func (r *Reader) Uvarint() uint64 {
	v, n := binary.Uvarint(r.Data)
	r.skip(n)
	return v
}

// Varint reads a number that may be negative.
func (r *Reader) Varint() int64 {
	v, n := binary.Varint(r.Data)
	r.skip(n)
	return v
}

// skip goes past a varint of n bytes, which wasn't there if n isn't above 0.
func (r *Reader) skip(n int) {
	if n <= 0 {
		r.Bad, r.Data = true, nil
		return
	}
	r.Data = r.Data[n:]
}

// Number reads n bytes, the highest first.
func (r *Reader) Number(n uint64) (v uint64) {
	for _, b := range r.Bytes(n) {
		v = v<<8 | uint64(b)
	}
	return v
}

// Text reads a text behind its length.
func (r *Reader) Text() string { return string(r.Bytes(r.Uvarint())) }

// Bytes reads n bytes, or none if there are fewer.
func (r *Reader) Bytes(n uint64) []byte {
	if n > uint64(len(r.Data)) {
		r.Bad, r.Data = true, nil
		return nil
	}
	b := r.Data[:n]
	r.Data = r.Data[n:]
	return b
}
