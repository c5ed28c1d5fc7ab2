package sim

import (
	"bytes"
	"slices"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// digits are the random digits that are drawn for a row.
type digits uint64

func (d *digits) next() byte {
	n := byte('0' + *d%10)
	*d /= 10
	return n
}

// number is a row's `from` or `to`: digits without a plus, as Wavix writes them, but
// for what isn't a number, and for looks.
func (l *look) number(dst []byte, col column, r *row) ([]byte, class) {
	begin := len(dst)
	dst, known := r.appendParty(dst, col, l.plus)
	switch {
	case !known:
		return dst, null
	case l.numbers && isInteger(dst[begin:]):
		return dst, bare
	}
	return dst, text
}

// appendParty appends a party's number; false if the row has null.
func (r *row) appendParty(dst []byte, col column, plus bool) ([]byte, bool) {
	other := (col == colFrom) == (r.side == received)
	random := digits(styleOf(r.call.ID) >> 4)
	switch s := scenarioOf(r.call); {
	case s == ownNumber && col == colTo:
		dst = sign(dst, plus)
		dst = append(dst, "120655501"...)
		return append(dst, random.next(), random.next()), true
	case s == ownNumber:
		other = false
	case s.isForwarded() && r.part == linkedPart && col == colTo:
		return r.appendTarget(dst, plus), true
	case s.isForwarded() && r.part == linkedPart:
		other = true
	}
	if !other {
		return appendNumber(dst, &r.call.Own, nil, random, plus), true
	}
	switch r.call.Versions()[0].Kind.Party {
	case simulator.Null:
		return dst, false
	case simulator.Label:
		return append(dst, labels[uint64(random)%uint64(len(labels))]...), true
	case simulator.Geographic:
		return appendNumber(dst, &r.call.Other, r.call.Prefix, random, plus), true
	default:
		// What is dialled in an emergency is written as it is dialled.
		return r.call.Other.Append(dst), true
	}
}

// appendTarget appends the number that a call was forwarded to.
func (r *row) appendTarget(dst []byte, plus bool) []byte {
	random := digits(styleOf(r.call.CallID) >> 4)
	dst = append(sign(dst, plus), targetPrefix[1:]...)
	return append(dst, random.next(), random.next())
}

// appendDestination appends where a call went: for a placed one the place, if it is
// known, for a received one a trunk, a SIP URI or the number that it was forwarded to.
func (r *row) appendDestination(dst []byte) []byte {
	s := scenarioOf(r.call)
	switch {
	case r.side == placed && s.isForwarded():
		return append(dst, targetPlace...)
	case s == ownNumber && r.side == received:
		return append(dst, "My trunk"...)
	case s == ownNumber:
		return append(dst, "United States"...)
	case r.side == received && s.isForwarded():
		return r.appendTarget(dst, false)
	case r.side == received:
		return append(dst, r.call.Trunk.Wire...)
	case r.emergency != cdr.NoEmergency:
		return append(dst, "Emergency"...)
	case r.call.Prefix != nil:
		return append(dst, r.call.Prefix.Place...)
	case r.call.Versions()[0].Kind.Party == simulator.Label:
		return append(dst, "SIP"...)
	}
	return dst
}

// appendNumber appends a number, without its plus unless it shall have one. Wavix masks
// no digits: where the world has, all random ones are drawn anew.
func appendNumber(dst []byte, n *simulator.Number, from *simulator.Prefix, random digits, plus bool) []byte {
	dst = sign(dst, plus)
	begin := len(dst)
	dst = n.Append(dst)
	if bytes.IndexByte(dst[begin:], '*') >= 0 {
		dst = append(dst[:begin], from.Digits...)
		for range from.Random {
			dst = append(dst, random.next())
		}
	}
	if begin < len(dst) && dst[begin] == '+' {
		dst = slices.Delete(dst, begin, begin+1)
	}
	return dst
}

func sign(dst []byte, plus bool) []byte {
	if plus {
		return append(dst, '+')
	}
	return dst
}

// isInteger says whether a text can be written as a JSON number without a change.
func isInteger(s []byte) bool {
	if len(s) == 0 || s[0] == '0' {
		return false
	}
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
