package sim

import (
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// rows writes the rows of a scope. What is the same in many is written beforehand: a
// page of a thousand rows takes a few milliseconds.
type rows struct {
	uri, account string
	ids          ids
	kinds        map[*simulator.Kind]fragments
	users        map[*simulator.User]userFragments
	agents       []*simulator.User
	places       map[*simulator.Prefix]fragment
}

// fragment is a part of a row: members of a JSON object with a comma behind.
type fragment []byte

// fragments are those of a kind.
type fragments struct {
	// head is type and action, ended the result, live that of a call in progress.
	head, ended, live, transport fragment
	legs                         []fragment
	// liveLeg is the one leg of a call in progress.
	liveLeg fragment
}

// userFragments are those of a user: party the user as caller or callee, and extension
// as whose row it is.
type userFragments struct {
	number                 int
	party, name, extension fragment
}

func newRows(m *simulator.Mix, uri string, numbers ids) *rows {
	account := uri
	r := &rows{
		uri: uri, ids: numbers,
		kinds: map[*simulator.Kind]fragments{}, users: map[*simulator.User]userFragments{}, places: map[*simulator.Prefix]fragment{},
	}
	if base, _, found := cutExtension(uri); found {
		account = base
	}
	r.account = account
	eachKind(m, func(k *simulator.Kind) { r.kinds[k] = newFragments(k) })
	for i := range m.Users {
		u := &m.Users[i]
		party := member(member(nil, "extensionNumber", u.Principal), "extensionId", u.ID)
		party = append(party, `"device":{"id":"8026366`+u.Principal+`","uri":"`+account+`/device/8026366`+u.Principal+`"},`...)
		r.agents = append(r.agents, u)
		r.users[u] = userFragments{
			number: i, party: party, name: member(nil, "name", u.Name),
			extension: fragment(`"extension":{"uri":"` + account + `/extension/` + u.ID + `","id":` + u.ID + `},`),
		}
	}
	for i := range m.Prefixes {
		r.places[&m.Prefixes[i]] = place(m.Prefixes[i].Place)
	}
	return r
}

// eachKind is every kind that a row can be of.
func eachKind(m *simulator.Mix, f func(*simulator.Kind)) {
	for _, list := range [][]simulator.Kind{m.Kinds, m.Incident} {
		for i := range list {
			for _, k := range []*simulator.Kind{&list[i], list[i].Becomes, list[i].Second} {
				if k != nil {
					f(k)
				}
			}
		}
	}
}

func newFragments(k *simulator.Kind) fragments {
	w := k.Detail.(*wire)
	f := fragments{
		head: member(member(member(nil, "type", w.kind), "internalType", w.internalType), "direction", w.direction),
		live: member(nil, "result", "In Progress"), transport: member(nil, "transport", w.transport),
	}
	f.ended = member(member(member(nil, "result", k.Phrase), "reason", w.reason), "reasonDescription", w.description)
	for i := range k.Legs {
		l, lw := &k.Legs[i], &w.legs[i]
		part := member(member(member(nil, "type", w.kind), "direction", lw.direction), "action", lw.action)
		tail := member(member(nil, "transport", lw.transport), "legType", l.Wire)
		if lw.master {
			tail = append(tail, `"master":true,`...)
			f.liveLeg = append(append(slices.Clip(part), `"result":"In Progress",`...), tail...)
		}
		f.legs = append(f.legs, append(member(part, "result", l.Result), tail...))
	}
	return f
}

// row appends a row, whole or spoilt.
func (r *rows) row(dst []byte, c *simulator.Call, v *simulator.Version, detailed bool) []byte {
	switch c.Flaw {
	case simulator.NotAnObject:
		return append(r.ids.append(append(dst, `"row `...), c), '"')
	case simulator.Truncated:
		return append(r.ids.append(append(dst, `{"id":"`...), c), `","type":"Voice"}`...)
	default:
		return r.write(dst, c, v, detailed)
	}
}

func (r *rows) write(dst []byte, c *simulator.Call, v *simulator.Version, detailed bool) []byte {
	f, w := r.kinds[v.Kind], detailOf(v)
	dst = append(append(append(dst, `{"uri":"`...), r.uri...), `/call-log/`...)
	dst = r.ids.append(dst, c)
	if detailed {
		dst = append(dst, `?view=Detailed",`...)
	} else {
		dst = append(dst, `?view=Simple",`...)
	}
	dst = r.appendID(dst, c)
	dst = append(appendSession(append(dst, `"sessionId":"`...), c), `",`...)
	if hasTelephony(c.CallID) {
		dst = append(appendTelephony(append(dst, `"telephonySessionId":"`...), c.CallID), `",`...)
		dst = append(hex.AppendEncode(append(dst, `"partyId":"p-`...), c.CallID[:]), `-1",`...)
	}
	dst = appendStart(dst, c)
	dst = appendDuration(dst, c, v)
	dst = append(dst, f.head...)
	dst = appendAction(dst, c, v.Kind)
	dst = append(dst, f.result(v)...)
	begin := len(dst)
	dst = r.appendParties(dst, c, v, w)
	end := len(dst)
	if c.User != nil {
		dst = append(dst, r.users[c.User].extension...)
	}
	dst = append(dst, f.transport...)
	if v.State == simulator.Final {
		dst = r.appendLinks(dst, c, w)
	}
	if v.Recorded {
		dst = r.appendRecording(dst, c)
	}
	if !detailed {
		return append(dst[:len(dst)-1], '}')
	}
	dst = r.appendLegs(dst, c, v, begin, end)
	dst = appendBilling(dst, v)
	dst = append(dst, `"lastModifiedTime":`...)
	return append(appendTime(dst, v.Published), '}')
}

// result are the members that say how a call ended.
func (f *fragments) result(v *simulator.Version) fragment {
	switch v.State {
	case simulator.InProgress:
		return f.live
	case simulator.NoResult:
		return nil
	default:
		return f.ended
	}
}

func (r *rows) appendID(dst []byte, c *simulator.Call) []byte {
	if c.Flaw == simulator.NumericID {
		return append(strconv.AppendUint(append(dst, `"id":`...), c.Place(), 10), ',')
	}
	return append(r.ids.append(append(dst, `"id":"`...), c), `",`...)
}

// appendStart appends the start, which a flaw may spoil. Some whole seconds are
// written without a fraction.
func appendStart(dst []byte, c *simulator.Call) []byte {
	dst = append(dst, `"startTime":`...)
	switch {
	case c.Flaw == simulator.BadTime:
		return append(dst, `"yesterday",`...)
	case c.Flaw == simulator.ImpossibleTime:
		return append(dst, `"2026-02-30T25:61:00.000Z",`...)
	case c.Flaw == simulator.NullStart:
		return append(dst, `null,`...)
	case c.Number%4 == 2 && c.Start.Nanosecond() == 0:
		return append(c.Start.AppendFormat(append(dst, '"'), time.RFC3339), `",`...)
	default:
		return append(appendTime(dst, c.Start), ',')
	}
}

// appendDuration appends the duration, which a flaw may spoil. Those with a fraction of
// a second come in milliseconds too, and the seconds are the nearest.
func appendDuration(dst []byte, c *simulator.Call, v *simulator.Version) []byte {
	ms := v.Duration.Milliseconds()
	seconds := (ms + 500) / 1000
	switch {
	case c.Flaw == simulator.WrongType:
		return append(strconv.AppendInt(append(dst, `"duration":"`...), seconds, 10), `",`...)
	case c.Flaw == simulator.NegativeDuration:
		return append(dst, `"duration":-5,`...)
	case v.State == simulator.NoResult, v.State == simulator.InProgress && v.Duration == 0:
		return dst
	}
	dst = append(strconv.AppendInt(append(dst, `"duration":`...), seconds, 10), ',')
	if ms%1000 != 0 || c.Number%3 == 0 {
		dst = append(strconv.AppendInt(append(dst, `"durationMs":`...), ms, 10), ',')
	}
	return dst
}

func appendAction(dst []byte, c *simulator.Call, k *simulator.Kind) []byte {
	if c.Flaw == simulator.ObjectForString {
		return append(dst, `"action":{"name":"hidden"},`...)
	}
	return append(append(append(dst, `"action":"`...), k.Wire...), `",`...)
}

// member appends a member with a string, unless it is empty.
func member(dst fragment, name, value string) fragment {
	if value == "" {
		return dst
	}
	quoted, err := json.Marshal(value)
	if err != nil {
		// A string always has a JSON form.
		panic(err)
	}
	dst = append(append(append(dst, '"'), name...), `":`...)
	return append(append(dst, quoted...), ',')
}
