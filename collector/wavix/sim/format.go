package sim

// column is a member of a row, or a column of CSV.
type column uint8

const (
	colDate column = iota
	colFrom
	colTo
	colDisposition
	colDuration
	colDestination
	colPerMinute
	colCharge
	colTrunk
	colFee
	colUUID
	colCallID
	colParentUUID
	colParentCallID
	colAnsweredBy
)

// names are the columns' names on the wire.
var names = [...]string{
	colDate: "date", colFrom: "from", colTo: "to", colDisposition: "disposition", colDuration: "duration",
	colDestination: "destination", colPerMinute: "per_minute", colCharge: "charge", colTrunk: "sip_trunk",
	colFee: "forward_fee", colUUID: "uuid", colCallID: "call_id", colParentUUID: "parent_uuid",
	colParentCallID: "parent_call_id", colAnsweredBy: "answered_by",
}

// format is how rows of a generation look.
type format struct {
	generation Generation
	columns    []column
}

// formatOf is the list's. Columns are in the order of Wavix's samples, which isn't the
// same in any two generations.
func formatOf(g Generation) format {
	f := format{generation: g}
	switch g {
	case GenerationA:
		f.columns = []column{
			colDate, colFrom, colTo, colDuration, colCharge, colDestination, colTrunk, colPerMinute, colFee,
			colDisposition, colUUID, colParentUUID,
		}
	case GenerationB:
		f.columns = []column{
			colDate, colFrom, colTo, colDisposition, colDuration, colDestination, colPerMinute, colCharge, colTrunk,
			colFee, colUUID, colParentUUID, colAnsweredBy,
		}
	case GenerationD:
		f.columns = []column{
			colCallID, colParentCallID, colDate, colFrom, colTo, colDisposition, colDuration, colDestination, colPerMinute,
			colCharge, colTrunk, colFee, colAnsweredBy,
		}
	default:
		f.columns = []column{
			colDate, colFrom, colTo, colDisposition, colDuration, colDestination, colPerMinute, colCharge, colTrunk,
			colFee, colUUID, colCallID, colParentUUID, colParentCallID, colAnsweredBy,
		}
	}
	return f
}

// exportOf is the stream's, whose members the samples have by the alphabet.
func exportOf(g Generation, fewer bool) format {
	f := format{generation: g, columns: []column{
		colCharge, colDate, colDestination, colDisposition, colDuration, colFee, colFrom, colPerMinute, colTo,
	}}
	switch {
	case g == GenerationD:
		f.columns = append(f.columns, colCallID)
	case g == GenerationC && !fewer:
		f.columns = append(f.columns, colUUID, colCallID)
	default:
		f.columns = append(f.columns, colUUID)
	}
	if fewer {
		return f
	}
	f.columns = append(f.columns, colTrunk)
	if g < GenerationD {
		f.columns = append(f.columns, colParentUUID)
	}
	if g >= GenerationC {
		f.columns = append(f.columns, colParentCallID)
	}
	if g >= GenerationB {
		f.columns = append(f.columns, colAnsweredBy)
	}
	return f
}

// The least of every how many rows of generation B look so: Wavix's older samples and
// its tables of types disagree.
const (
	looks       = 16
	plusNumbers = 1
	bareNumbers = 2
	bareMoney   = 3
)

// look is how a row's values are written.
type look struct {
	// numbers writes phone numbers as JSON numbers, plus with their plus, money as JSON
	// numbers.
	numbers, plus, money bool
	// absent leaves out what has no value, which is null else.
	absent bool
	// every says that each member is there, as the document of 2026 wants it.
	every bool
}

func (f *format) look(style uint64) look {
	switch f.generation {
	case GenerationA:
		return look{numbers: style%4 != 0, plus: style%4 == 0 && style>>2%2 == 0, money: true, absent: style>>3%2 == 0}
	case GenerationB:
		n := style % looks
		return look{numbers: n == bareNumbers, plus: n == plusNumbers, money: n == bareMoney, absent: style>>4%2 == 0}
	default:
		return look{every: true}
	}
}
