package sim

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// scope is the company's call log, or the log of one extension.
type scope struct {
	world *simulator.World
	// account and uri are the addresses of the account and of the log's owner.
	account, uri string
	// number distinguishes the ids of the two scopes.
	number int64
}

// part has the members that rows and legs share, except those that a leg replaces.
type part struct {
	duration                    any
	milliseconds                int64
	start, action               string
	kind, internal, direction   string
	result, reason, description string
	transport                   string
	from, to                    simulator.Object
	extension, recording        simulator.Object
}

func (p *part) add(o *simulator.Object) {
	o.Set("startTime", p.start)
	o.SetKnown("duration", p.duration)
	if p.milliseconds != 0 {
		o.Set("durationMs", p.milliseconds)
	}
	o.SetKnown(
		"type", p.kind, "internalType", p.internal, "direction", p.direction, "action", p.action, "result", p.result,
		"reason", p.reason, "reasonDescription", p.description, "transport", p.transport,
		"from", p.from, "to", p.to, "extension", p.extension, "recording", p.recording,
	)
}

// row is a version of a call as the API shows it, whole or with a flaw.
func (sc *scope) row(c *simulator.Call, v *simulator.Version, detailed bool) any {
	id, w, view := makeID(c.Place(), sc.number), detailOf(v), "Simple"
	switch c.Flaw {
	case simulator.NotAnObject:
		return "row " + id
	case simulator.Truncated:
		return simulator.NewObject("id", id, "type", "Voice")
	default:
	}
	p := part{
		start: c.Started(startText(c)), kind: "Voice", internal: w.internalType, direction: w.direction,
		action: v.Kind.Wire, transport: w.transport,
		from: sc.own(c, v, w), to: sc.other(c), extension: sc.extension(c.User),
	}
	milliseconds := v.Duration.Milliseconds()
	if !v.InProgress || v.Duration != 0 {
		p.duration = (milliseconds + 500) / 1000
		if milliseconds%1000 != 0 || c.Number%3 == 0 {
			p.milliseconds = milliseconds
		}
	}
	p.result, p.reason, p.description = v.Kind.Phrase, w.Reason, w.Description
	if v.InProgress {
		p.result, p.reason, p.description = "In Progress", "", ""
	}
	if w.direction == "Inbound" {
		p.from, p.to = p.to, p.from
	}
	if v.Recorded {
		p.recording = sc.recording(c)
	}
	var legs []simulator.Object
	if detailed {
		view, legs = "Detailed", sc.legs(&p, c, v)
	}
	o := simulator.NewObject("uri", sc.uri+"/call-log/"+id+"?view="+view, "id", id, "sessionId", sessionID(c))
	if c.CallID[15]%50 != 0 { // some rows lack it
		o.Set("telephonySessionId", "s-"+hexOf(c.CallID), "partyId", "p-"+hexOf(c.CallID)+"-1")
	}
	p.add(&o)
	if w.Message != "" && !v.InProgress {
		id := strconv.FormatUint(400_000_000_000+c.Place()%1_000_000_000, 10)
		o.Set("message", simulator.NewObject("uri", sc.account+"/extension/"+userID+"/message-store/"+id, "id", id,
			"type", w.Message))
	}
	if len(legs) > 0 {
		o.Set("legs", legs)
	}
	if detailed && v.Usage.Known && !v.InProgress {
		o.Set("billing", simulator.NewObject("costIncluded", javaNumber(v.Usage.Amount), "costPurchased",
			javaNumber(v.Connection.Amount)))
	}
	if detailed {
		o.Set("lastModifiedTime", timeText(v.Published))
	}
	return o
}

func timeText(t time.Time) string { return t.UTC().Format(milliseconds) }

// startText is when a call started; some whole seconds have no fraction.
func startText(c *simulator.Call) string {
	if c.Number%4 == 2 && c.Start.Nanosecond() == 0 {
		return c.Start.Format(time.RFC3339)
	}
	return timeText(c.Start)
}

func (sc *scope) extension(u *simulator.User) simulator.Object {
	if u == nil {
		return nil
	}
	return simulator.NewObject("uri", sc.account+"/extension/"+u.ID, "id", json.Number(u.ID))
}

// user is a user as caller or callee; the number and the name may be empty.
func (sc *scope) user(u *simulator.User, number, name string) simulator.Object {
	device := "8026366" + u.Principal
	o := simulator.NewObject("extensionNumber", u.Principal, "extensionId", u.ID,
		"device", simulator.NewObject("uri", sc.account+"/device/"+device, "id", device))
	o.SetKnown("phoneNumber", number, "name", name)
	return o
}

func (sc *scope) own(c *simulator.Call, v *simulator.Version, w *wire) simulator.Object {
	number, name := c.Own, c.User.Name
	switch {
	case w.Bare:
		return simulator.NewObject("name", name)
	case c.Peer != nil:
		number = ""
	}
	if v.Incomplete {
		name = ""
	}
	return sc.user(c.User, number, name)
}

// other is the other party: a colleague, a number or a name. Names are padded as networks do.
func (sc *scope) other(c *simulator.Call) simulator.Object {
	if c.Peer != nil {
		return sc.user(c.Peer, "", c.Peer.Name)
	}
	text := c.Other
	if text == "" {
		return simulator.NewObject("name", "Unavailable")
	}
	if !strings.ContainsAny(text[:1], "+0123456789(") && text != "anonymous" {
		return simulator.NewObject("name", text)
	}
	o := simulator.NewObject("phoneNumber", text)
	if c.Prefix != nil && c.Prefix.Place != "" {
		city, region, _ := strings.Cut(c.Prefix.Place, ", ")
		o.Set("name", strings.TrimRight(fmt.Sprintf("%-13s%s", strings.ToUpper(city), region), " "), "location",
			c.Prefix.Place)
	}
	return o
}

func (sc *scope) recording(c *simulator.Call) simulator.Object {
	id := strconv.FormatUint(c.Place()*2+uint64(sc.number), 10)
	return simulator.NewObject("uri", sc.account+"/recording/"+id, "id", id, "type", c.Recording.Wire, "contentUri",
		sc.contentURI(id))
}

// contentURI is the address of a recording's sound, at another host.
func (sc *scope) contentURI(id string) string {
	_, path, _ := strings.Cut(sc.account, "/restapi/")
	return "https://media.ringcentral.com/restapi/" + path + "/recording/" + id + "/content"
}

// maxLegRing is the longest duration of an unanswered leg.
const maxLegRing = 12 * time.Second

// legs are the row's legs, between its parties. A call in progress has one leg.
func (sc *scope) legs(row *part, c *simulator.Call, v *simulator.Version) (list []simulator.Object) {
	users := sc.world.Mix().Users
	for i := range v.Kind.Legs {
		l := &v.Kind.Legs[i]
		p := part{
			start: timeText(c.Start.Add(l.After)), kind: row.kind, direction: l.Direction, action: l.Action,
			result: l.Result,
			from:   row.from, to: row.to, transport: l.Transport,
		}
		if i == 0 {
			p.recording = row.recording
		}
		if l.User {
			// Each leg of a queue has a different agent.
			agent := max(0, i-1)
			for n := range users {
				if &users[n] == c.User {
					agent += n
				}
			}
			p.extension = sc.extension(&users[agent%len(users)])
		}
		if w := detailOf(v); w.Legs != nil && w.Legs[i].Queue > 0 {
			p.extension = sc.extension(queueOf(c, w.Legs[i].Queue))
		}
		if p.duration = int64(lasted(l, v) / time.Second); v.InProgress {
			p.result, p.duration = "In Progress", nil
		}
		o := simulator.NewObject("legType", l.Wire)
		if i == 0 {
			o.Set("master", true)
		}
		p.add(&o)
		if list = append(list, o); v.InProgress {
			break
		}
	}
	return list
}

// lasted is a leg's duration in the list, in whole seconds.
func lasted(l *simulator.Leg, v *simulator.Version) time.Duration {
	d := max(0, v.Duration-l.After)
	if !l.Outcome.Connected() {
		d = min(d, maxLegRing)
	}
	return d.Round(time.Second)
}

// javaNumber writes an amount as Java writes a number with a fraction: with an exponent if it is
// less than a thousandth.
func javaNumber(a simulator.Amount) json.Number {
	if -10 < a && a < 10 && a != 0 {
		return json.Number(strconv.FormatInt(int64(a), 10) + ".0E-4")
	}
	return json.Number(a.String())
}

// makeID is the id of the row at a place.
func makeID(place uint64, scope int64) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d/%d", place, scope))
}

func sessionID(c *simulator.Call) string {
	return strconv.FormatUint(binary.BigEndian.Uint64(c.CallID[8:])%900_000_000_000+100_000_000_000, 10)
}

func hexOf(id simulator.UUID) string { return hex.EncodeToString(id[:]) }
