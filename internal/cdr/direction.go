package cdr

// Direction is where a call went, seen from the account.
type Direction uint8

// The directions (contract 3).
const (
	// DirectionUnknown is the direction of a call type that isn't known: it is
	// never guessed.
	DirectionUnknown Direction = iota
	Inbound
	Outbound
	// Internal is a call between two extensions or users without a number.
	Internal
)

var directionNames = [...]string{"unknown", "inbound", "outbound", "internal"}

// String is the label value.
func (d Direction) String() string { return directionNames[d] }
