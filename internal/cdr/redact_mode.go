package cdr

import "slices"

// Mode is what redaction does with a value. A smaller one shows less.
type Mode uint8

// The modes. Drop is the zero value, so that a value without a decision isn't shown.
const (
	Drop Mode = iota // removes the value
	// Hash replaces it by a keyed hash, equal for equal values: HMAC-SHA-256, the first 32 hex
	// digits. It hashes a number's digits only, and any other text in lower case.
	Hash
	// Mask hides a part: the last four digits of a number, all but the first character of a user,
	// all but the network of an address.
	Mask
	Keep // keeps it unchanged
)

var modeNames = [...]string{"drop", "hash", "mask", "keep"}

// String is the value in the configuration.
func (m Mode) String() string { return modeNames[m] }

// ParseMode is the mode for a value in the configuration, and whether it exists.
func ParseMode(s string) (Mode, bool) {
	i := slices.Index(modeNames[:], s)
	return Mode(max(i, 0)), i >= 0
}
