package sim

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// sentinel is the time that stands for none (directRoutingLogRow).
const sentinel = `"0001-01-01T00:00:00Z"`

// rows writes one feed's rows. What is the same in many is written beforehand:
// a page of a thousand rows takes about a millisecond.
type rows struct {
	// write appends a row that is valid, but for a flaw in one of its fields.
	write  func(dst []byte, c *simulator.Call, v *simulator.Version) []byte
	kinds  map[*simulator.Kind]fragment
	trunks map[*simulator.Trunk]fragment
	users  map[*simulator.User]fragment
	places map[*simulator.Prefix]fragment
}

// fragment is a part of a row: members of a JSON object with a comma behind.
type fragment []byte

func newRows(m *simulator.Mix) *rows {
	r := &rows{
		kinds: map[*simulator.Kind]fragment{}, trunks: map[*simulator.Trunk]fragment{},
		users: map[*simulator.User]fragment{}, places: map[*simulator.Prefix]fragment{},
	}
	for i := range m.Users {
		u := &m.Users[i]
		r.users[u] = member(member(nil, "userPrincipalName", u.Principal), "userDisplayName", u.Name)
	}
	for i := range m.Prefixes {
		r.places[&m.Prefixes[i]] = member(nil, "destinationName", m.Prefixes[i].Place)
	}
	return r
}

// eachKind is every kind that a row can be of.
func eachKind(m *simulator.Mix, f func(*simulator.Kind)) {
	for _, list := range [][]simulator.Kind{m.Kinds, m.Incident} {
		for i := range list {
			f(&list[i])
			if list[i].Becomes != nil {
				f(list[i].Becomes)
			}
		}
	}
}

// row appends a row, whole or spoilt.
func (r *rows) row(dst []byte, c *simulator.Call, v *simulator.Version) []byte {
	switch c.Flaw {
	case simulator.NotAnObject:
		return append(c.ID.Append(append(dst, `"row `...)), '"')
	case simulator.Truncated:
		dst = append(c.ID.Append(append(dst, `{"id":"`...)), `","callType":"`...)
		return append(append(dst, v.Kind.Wire...), `"}`...)
	default:
		return r.write(dst, c, v)
	}
}

// appendID appends the id's member, or null for a row without.
func appendID(dst []byte, c *simulator.Call) []byte {
	switch {
	case c.NoID:
		return append(dst, `"id":null,`...)
	case c.Flaw == simulator.NumericID:
		dst = append(dst, `"id":`...)
		return append(strconv.AppendUint(dst, uint64(c.ID[0])<<8|uint64(c.ID[1]), 10), ',')
	}
	return append(c.ID.Append(append(dst, `"id":"`...)), `",`...)
}

// appendUser appends the user's members. Names may come late; a voice
// application's user is null or empty.
func (r *rows) appendUser(dst []byte, c *simulator.Call, v *simulator.Version) []byte {
	const nobody = `"userId":null,"userPrincipalName":null,"userDisplayName":null,`
	const empty = `"userId":"","userPrincipalName":"","userDisplayName":"",`
	switch {
	case c.User == nil && c.Number%2 == 0:
		return append(dst, nobody...)
	case c.User == nil:
		return append(dst, empty...)
	}
	dst = append(append(append(dst, `"userId":"`...), c.User.ID...), `",`...)
	if v.Incomplete {
		return append(dst, `"userPrincipalName":null,"userDisplayName":null,`...)
	}
	return append(dst, r.users[c.User]...)
}

// appendStart appends the start, which a flaw may spoil.
func appendStart(dst []byte, c *simulator.Call) []byte {
	dst = append(dst, `"startDateTime":`...)
	switch c.Flaw {
	case simulator.BadTime:
		return append(dst, `"yesterday",`...)
	case simulator.ImpossibleTime:
		return append(dst, `"2026-02-30T25:61:00Z",`...)
	case simulator.NullStart:
		return append(dst, `null,`...)
	default:
		return append(appendTime(dst, c.Start, c.Number), ',')
	}
}

// appendDuration appends the duration, which a flaw may spoil.
func appendDuration(dst []byte, c *simulator.Call, v *simulator.Version) []byte {
	seconds := int64(v.Duration / time.Second)
	dst = append(dst, `"duration":`...)
	switch c.Flaw {
	case simulator.WrongType:
		return append(strconv.AppendInt(append(dst, '"'), seconds, 10), `",`...)
	case simulator.NegativeDuration:
		return append(dst, `-5,`...)
	default:
		return append(strconv.AppendInt(dst, seconds, 10), ',')
	}
}

// appendParties appends caller and callee: the other party calls on inbound.
func appendParties(dst []byte, c *simulator.Call, v *simulator.Version) []byte {
	caller, callee := &c.Own, &c.Other
	if v.Kind.Direction == cdr.Inbound {
		caller, callee = callee, caller
	}
	if v.Kind.Direction == cdr.DirectionUnknown {
		caller = &c.Other
	}
	dst = append(dst, `"callerNumber":`...)
	if c.Flaw == simulator.ObjectForString {
		dst = append(dst, `{"number":"hidden"}`...)
	} else {
		dst = appendNumber(dst, caller)
	}
	dst = appendNumber(append(dst, `,"calleeNumber":`...), callee)
	return append(dst, ',')
}

func appendNumber(dst []byte, n *simulator.Number) []byte {
	if n.Null {
		return append(dst, "null"...)
	}
	return append(n.Append(append(dst, '"')), '"')
}

// member appends a member with a string, or null for an empty one.
func member(dst []byte, name, value string) []byte {
	if value == "" {
		return raw(dst, name, "null")
	}
	quoted, err := json.Marshal(value)
	if err != nil {
		// A string always has a JSON form.
		panic(err)
	}
	return raw(dst, name, string(quoted))
}

// raw appends a member whose value is JSON already.
func raw(dst []byte, name, value string) []byte {
	dst = append(append(append(dst, '"'), name...), `":`...)
	return append(append(dst, value...), ',')
}
