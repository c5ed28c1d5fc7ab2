package sim

import (
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// cutExtension cuts an extension's address into the account's and its own part.
func cutExtension(uri string) (account, extension string, found bool) {
	return strings.Cut(uri, "/extension/")
}

// place is a caller's name, padded as networks do, and location.
func place(text string) fragment {
	city, region, _ := strings.Cut(text, ", ")
	name := strings.ToUpper(city) + strings.Repeat(" ", max(1, 13-len(city))) + region
	return member(member(nil, "name", strings.TrimRight(name, " ")), "location", text)
}

// appendParties appends caller and callee: the other party calls on inbound.
func (r *rows) appendParties(dst []byte, c *simulator.Call, v *simulator.Version, w *wire) []byte {
	own, other := `"from":`, `,"to":`
	if w.direction == "Inbound" {
		own, other = `"to":`, `,"from":`
	}
	dst = r.appendOwn(append(dst, own...), c, v, w)
	dst = r.appendOther(append(dst, other...), c)
	return append(dst, ',')
}

// appendOwn appends the account's own party.
func (r *rows) appendOwn(dst []byte, c *simulator.Call, v *simulator.Version, w *wire) []byte {
	u := r.users[c.User]
	if w.bare {
		return closed(append(append(dst, '{'), u.name...))
	}
	dst = append(dst, '{')
	if c.Peer == nil {
		dst = append(c.Own.Append(append(dst, `"phoneNumber":"`...)), `",`...)
	}
	dst = append(dst, u.party...)
	if !v.Incomplete {
		dst = append(dst, u.name...)
	}
	return closed(dst)
}

// appendOther appends the other party: a colleague, a number, or a name.
func (r *rows) appendOther(dst []byte, c *simulator.Call) []byte {
	dst = append(dst, '{')
	if c.Peer != nil {
		u := r.users[c.Peer]
		return closed(append(append(dst, u.party...), u.name...))
	}
	text := c.Other.String()
	switch {
	case text == "":
		return closed(append(dst, `"name":"Unavailable",`...))
	case strings.ContainsAny(text[:1], "+0123456789(") || text == "anonymous":
		dst = append(append(append(dst, `"phoneNumber":"`...), text...), `",`...)
	default:
		dst = append(append(append(dst, `"name":"`...), text...), `",`...)
	}
	if c.Prefix != nil {
		dst = append(dst, r.places[c.Prefix]...)
	}
	return closed(dst)
}

// closed ends an object whose last member has a comma behind it.
func closed(dst []byte) []byte {
	if dst[len(dst)-1] == ',' {
		dst = dst[:len(dst)-1]
	}
	return append(dst, '}')
}

// appendLinks appends the message and the other session of a transfer.
func (r *rows) appendLinks(dst []byte, c *simulator.Call, w *wire) []byte {
	if w.message != "" {
		id := strconv.FormatUint(400_000_000_000+c.Place()%1_000_000_000, 10)
		dst = append(dst, `"message":{"uri":"`+r.account+`/extension/`+userID+`/message-store/`+id+`","id":"`+id+`","type":"`+w.message+`"},`...)
	}
	if w.link != "" {
		dst = append(append(append(dst, '"'), w.link...), `":{"telephonySessionId":"`...)
		dst = append(appendTelephony(dst, c.Partner), `"},`...)
	}
	return dst
}

func (r *rows) appendRecording(dst []byte, c *simulator.Call) []byte {
	id := string(r.ids.appendRecording(nil, c))
	dst = append(append(append(dst, `"recording":{"uri":"`...), r.account...), `/recording/`...)
	dst = append(append(append(dst, id...), `","id":"`...), id...)
	dst = append(append(append(dst, `","type":"`...), c.Recording.Wire...), `","contentUri":"`...)
	return append(append(dst, contentURI(r.account, id)...), `"},`...)
}

// longestRing is how long a leg lasts at most that nobody took.
const longestRing = 12 * time.Second

// appendLegs appends the legs, whose parties are the row's from begin to end. A call in
// progress has one; a row without a result has none.
func (r *rows) appendLegs(dst []byte, c *simulator.Call, v *simulator.Version, begin, end int) []byte {
	f, w := r.kinds[v.Kind], detailOf(v)
	if len(f.legs) == 0 || v.State == simulator.NoResult {
		return dst
	}
	dst = append(dst, `"legs":[`...)
	for i := range f.legs {
		l := &v.Kind.Legs[i]
		part := f.legs[i]
		dst = append(appendTime(append(dst, `{"startTime":`...), c.Start.Add(l.After)), ',')
		if v.State == simulator.InProgress {
			part = f.liveLeg
		} else {
			lasted := max(0, v.Duration-l.After)
			if !l.Outcome.Connected() {
				lasted = min(lasted, longestRing)
			}
			dst = append(strconv.AppendInt(append(dst, `"duration":`...), (lasted.Milliseconds()+500)/1000, 10), ',')
		}
		dst = append(append(dst, part...), dst[begin:end]...)
		if w.legs[i].user {
			// The agents of a queue are different ones.
			agent := r.agents[(r.users[c.User].number+max(0, i-1))%len(r.agents)]
			dst = append(dst, r.users[agent].extension...)
		}
		if v.Recorded && w.legs[i].master {
			dst = r.appendRecording(dst, c)
		}
		dst = append(closed(dst), ',')
		if v.State == simulator.InProgress {
			break
		}
	}
	return append(dst[:len(dst)-1], `],`...)
}

// appendBilling appends what a call cost, if it is known.
func appendBilling(dst []byte, v *simulator.Version) []byte {
	if !v.Usage.Known || v.State != simulator.Final {
		return dst
	}
	dst = appendAmount(append(dst, `"billing":{"costIncluded":`...), v.Usage.Amount)
	dst = appendAmount(append(dst, `,"costPurchased":`...), v.Connection.Amount)
	return append(dst, `},`...)
}

// appendAmount appends an amount as Java writes a number with a fraction: with an
// exponent if it is less than a thousandth.
func appendAmount(dst []byte, a simulator.Amount) []byte {
	if -10 < a && a < 10 && a != 0 {
		return append(strconv.AppendInt(dst, int64(a), 10), `.0E-4`...)
	}
	return a.Append(dst)
}
