package sim

import (
	"strconv"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// class is what kind of value a cell has.
type class uint8

const (
	absent class = iota
	null
	text
	// bare is JSON as it stands: a number, or what a flaw made of it.
	bare
)

// cell appends a row's value for a column.
func (l *look) cell(dst []byte, col column, r *row, v *version) ([]byte, class) {
	switch col {
	case colDate:
		return appendTime(dst, r.start), text
	case colFrom, colTo:
		return l.number(dst, col, r)
	case colDisposition:
		return optional(append(dst, v.disposition...), absent)
	case colDuration:
		return strconv.AppendInt(dst, int64(v.duration/time.Second), 10), bare
	case colDestination:
		return optional(r.appendDestination(dst), null)
	case colPerMinute:
		return l.amount(dst, perMinute(v))
	case colCharge:
		return l.amount(dst, v.charge)
	case colFee:
		return l.fee(dst, r, v)
	case colTrunk:
		return l.trunk(dst, r)
	case colUUID, colCallID:
		return l.id(dst, r.id, !r.noID)
	case colParentUUID, colParentCallID:
		return l.id(dst, r.parent, r.hasParent)
	default:
		return optional(r.appendAnsweredBy(dst, v), null)
	}
}

// optional is text, or a class of nothing if there is none.
func optional(value []byte, without class) ([]byte, class) {
	if len(value) == 0 {
		return value, without
	}
	return value, text
}

// none is how a value is told that isn't there.
func (l *look) none() class {
	if l.absent {
		return absent
	}
	return null
}

func (l *look) id(dst []byte, id simulator.UUID, has bool) ([]byte, class) {
	if !has {
		return dst, l.none()
	}
	return id.Append(dst), text
}

// trunk is that of placed calls.
func (l *look) trunk(dst []byte, r *row) ([]byte, class) {
	switch {
	case r.trunk != "":
		return append(dst, r.trunk...), text
	case r.side == received && !l.every:
		return dst, absent
	}
	return dst, null
}

func (l *look) amount(dst []byte, p simulator.Price) ([]byte, class) {
	if !p.Known {
		return dst, l.none()
	}
	dst = appendMoney(dst, p.Amount)
	if l.money {
		return dst, bare
	}
	return dst, text
}

// fee is that for forwarding, which the older generations leave out of calls that
// weren't forwarded, and 2026 gives as zero.
func (l *look) fee(dst []byte, r *row, v *version) ([]byte, class) {
	switch {
	case r.hasFee && !v.fee.Known:
		return dst, absent
	case r.hasFee:
		return l.amount(dst, v.fee)
	case l.every:
		return append(dst, "0.0"...), text
	}
	return dst, absent
}

// perMinute is a price that goes with the charge. Wavix's samples say that it can't be
// reckoned with: neither can this one.
func perMinute(v *version) simulator.Price {
	p := v.charge
	if minutes := int64((v.duration + time.Minute - 1) / time.Minute); minutes > 0 {
		p.Amount = max(p.Amount, -p.Amount) / simulator.Amount(minutes)
	}
	return p
}

// appendMoney appends hundred-thousandths of a dollar with no zeros that could be left
// out, but one behind the point.
func appendMoney(dst []byte, a simulator.Amount) []byte {
	n := int64(a)
	if n < 0 {
		dst, n = append(dst, '-'), -n
	}
	dst = append(strconv.AppendInt(dst, n/100_000, 10), '.')
	rest := n % 100_000
	for unit := int64(10_000); unit > 0; unit /= 10 {
		dst = append(dst, byte('0'+rest/unit))
		if rest %= unit; rest == 0 {
			break
		}
	}
	return dst
}

func (r *row) appendAnsweredBy(dst []byte, v *version) []byte {
	switch {
	case !v.outcome.Connected() || v.incomplete:
		return dst
	case r.answeredByMachine():
		return append(dst, "machine"...)
	}
	return append(dst, "human"...)
}

func (r *row) answeredByMachine() bool { return styleOf(r.id)>>40%10 == 0 }

// appendTime appends a UTC time with milliseconds.
func appendTime(dst []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(dst, "2006-01-02T15:04:05.000Z")
}
