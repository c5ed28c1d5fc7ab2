package simulator

import "encoding/hex"

// UUID is a version 4 UUID, RFC 9562.
type UUID [16]byte

// newUUID sets the version and the variant of 128 bits.
func newUUID(hi, lo uint64) UUID {
	hi = hi&^0xf000 | 0x4000
	lo = lo&^(3<<62) | 2<<62
	var u UUID
	for i := range 8 {
		u[i] = byte(hi >> (56 - 8*i))
		u[8+i] = byte(lo >> (56 - 8*i))
	}
	return u
}

// Append appends the text form.
func (u UUID) Append(dst []byte) []byte {
	dst = append(hex.AppendEncode(dst, u[0:4]), '-')
	dst = append(hex.AppendEncode(dst, u[4:6]), '-')
	dst = append(hex.AppendEncode(dst, u[6:8]), '-')
	dst = append(hex.AppendEncode(dst, u[8:10]), '-')
	return hex.AppendEncode(dst, u[10:16])
}

// String is the text form.
func (u UUID) String() string { return string(u.Append(nil)) }
