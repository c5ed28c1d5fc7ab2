package cdr

// Direction is where a call went, seen from the account.
type Direction uint8

// The directions (contract 3).
const (
	DirectionUnknown Direction = iota // that of a call type that isn't known: it is never guessed
	Inbound
	Outbound
	Internal // between two extensions or users without a number
)

var directionNames = [...]string{"unknown", "inbound", "outbound", "internal"}

// String is the label value.
func (d Direction) String() string { return directionNames[d] }
