package cdr

// Direction is the direction of a call, seen from the account.
type Direction uint8

// The directions (docs/metrics.md).
const (
	DirectionUnknown Direction = iota // for an unknown call type: it is never guessed
	Inbound
	Outbound
	Internal // between two extensions or users without a number
)

var directionNames = [...]string{"unknown", "inbound", "outbound", "internal"}

// String is the label value.
func (d Direction) String() string { return directionNames[d] }
