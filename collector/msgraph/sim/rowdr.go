package sim

import (
	"strconv"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// newDirectRoutingRows writes directRoutingLogRow.
func newDirectRoutingRows(m *simulator.Mix) *rows {
	r := newRows(m)
	eachKind(m, func(k *simulator.Kind) { r.kinds[k] = byotKind(k) })
	for i := range m.Trunks {
		t := &m.Trunks[i]
		f := raw(nil, "mediaBypassEnabled", truth(t.Bypass))
		f = member(f, "mediaPathLocation", t.Media)
		r.trunks[t] = member(f, "signalingLocation", t.Signaling)
	}
	r.write = r.directRouting
	return r
}

// byotKind are the members that follow from the kind of call.
func byotKind(k *simulator.Kind) fragment {
	f := member(nil, "callType", k.Wire)
	f = raw(f, "successfulCall", truth(k.Success))
	f = raw(f, "finalSipCode", whole(k.SIPCode))
	f = raw(f, "callEndSubReason", whole(k.SubCode))
	return member(f, "finalSipCodePhrase", k.Phrase)
}

func truth(b cdr.Bool) string {
	if !b.Known() {
		return "null"
	}
	return b.String()
}

func whole(n cdr.Int) string {
	if !n.Known {
		return "null"
	}
	return strconv.FormatInt(n.Value, 10)
}

func (r *rows) directRouting(dst []byte, c *simulator.Call, v *simulator.Version) []byte {
	dst = appendID(append(dst, '{'), c)
	dst = append(c.CallID.Append(append(dst, `"correlationId":"`...)), `",`...)
	dst = r.appendUser(dst, c, v)
	dst = append(dst, `"inviteDateTime":`...)
	if c.Invite.IsZero() {
		dst = append(dst, `null,`...)
	} else {
		dst = append(appendTime(dst, c.Invite, c.Number), ',')
	}
	dst = appendStart(dst, c)
	dst = appendEnds(dst, c, v)
	dst = appendDuration(dst, c, v)
	dst = appendParties(dst, c, v)
	if v.Kind.NoMedia {
		dst = append(dst, `"mediaBypassEnabled":null,"mediaPathLocation":null,"signalingLocation":null,`...)
	} else {
		dst = append(dst, r.trunks[c.Trunk]...)
	}
	dst = append(dst, r.kinds[v.Kind]...)
	dst = append(append(dst, `"trunkFullyQualifiedDomainName":"`...), c.Trunk.Wire...)
	return append(dst, `"}`...)
}

// appendEnds appends when the call failed or ended; the other one isn't a time.
func appendEnds(dst []byte, c *simulator.Call, v *simulator.Version) []byte {
	none := sentinel
	if c.Number%8 == 0 {
		none = "null"
	}
	if v.Kind.Outcome.Connected() {
		dst = append(append(dst, `"failureDateTime":`...), none...)
		dst = appendTime(append(dst, `,"endDateTime":`...), c.End(v), c.Number)
		return append(dst, ',')
	}
	dst = appendTime(append(dst, `"failureDateTime":`...), c.End(v), c.Number)
	return append(append(append(dst, `,"endDateTime":`...), none...), ',')
}
