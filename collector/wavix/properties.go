package wavix

import "github.com/cdr-exporter/cdr-exporter/internal/cdr"

// property is a property of a call detail record: an index into propertyNames.
type property int

// The properties of a record, of all generations and formats.
const (
	pDate property = iota
	pFrom
	pTo
	pDisposition
	pDuration
	pDestination
	pPerMinute
	pCharge
	pTrunk
	pForwardFee
	pUUID
	pCallID
	pParentUUID
	pParentCallID
	pAnsweredBy

	properties int = iota
	// unknownProperty is one that was new when this was written.
	unknownProperty property = -1
)

var propertyNames = [properties]string{
	pDate:         "date",
	pFrom:         "from",
	pTo:           "to",
	pDisposition:  "disposition",
	pDuration:     "duration",
	pDestination:  "destination",
	pPerMinute:    "per_minute",
	pCharge:       "charge",
	pTrunk:        "sip_trunk",
	pForwardFee:   "forward_fee",
	pUUID:         "uuid",
	pCallID:       "call_id",
	pParentUUID:   "parent_uuid",
	pParentCallID: "parent_call_id",
	pAnsweredBy:   "answered_by",
}

// maxNames bounds how many other spellings are remembered.
const maxNames = 256

// names finds properties by name: as the provider documents it, else in any spelling
// that has the same words (Call ID, callId, PER-MINUTE). It is for one goroutine.
type names struct{ known map[string]property }

func newNames() *names {
	n := &names{known: make(map[string]property, 2*properties)}
	for p, name := range propertyNames {
		n.known[name] = property(p)
	}
	return n
}

func (n *names) find(name []byte) property {
	if found, ok := n.known[string(name)]; ok {
		return found
	}
	return n.findOther(string(name))
}

// findOther remembers what it found, since the next row has the same names.
func (n *names) findOther(name string) property {
	found := unknownProperty
	snake := cdr.CallType(name) // the rules of call types are those of snake case
	for p, known := range propertyNames {
		if snake == known {
			found = property(p)
		}
	}
	if len(n.known) < maxNames {
		n.known[name] = found
	}
	return found
}
