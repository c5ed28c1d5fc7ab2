package simulator

import (
	"encoding/binary"
	"encoding/hex"
)

// UUID is a version 4 UUID, RFC 9562.
type UUID [16]byte

// newUUID sets the version and the variant of 128 bits.
func newUUID(hi, lo uint64) (u UUID) {
	binary.BigEndian.PutUint64(u[:], hi&^0xf000|0x4000)
	binary.BigEndian.PutUint64(u[8:], lo&^(3<<62)|2<<62)
	return u
}

// Append appends the text form.
func (u UUID) Append(dst []byte) []byte {
	dst = append(hex.AppendEncode(dst, u[0:4]), '-')
	for i := 4; i < 10; i += 2 {
		dst = append(hex.AppendEncode(dst, u[i:i+2]), '-')
	}
	return hex.AppendEncode(dst, u[10:16])
}

// String is the text form.
func (u UUID) String() string { return string(u.Append(nil)) }

// IsZero says that it is none.
func (u UUID) IsZero() bool { return u == UUID{} }
