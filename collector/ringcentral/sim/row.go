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

// scope is the company's call log, or that of one extension.
type scope struct {
	world *simulator.World
	// account and uri are the addresses of the account and of the log's owner.
	account, uri string
	// number tells the ids of the two scopes apart.
	number int64
}

// The members of rows that are objects.
type (
	partyRow struct {
		PhoneNumber     string    `json:"phoneNumber,omitempty"`
		ExtensionNumber string    `json:"extensionNumber,omitempty"`
		ExtensionID     string    `json:"extensionId,omitempty"`
		Device          *resource `json:"device,omitempty"`
		Name            string    `json:"name,omitempty"`
		Location        string    `json:"location,omitempty"`
	}
	resource struct {
		URI        string `json:"uri"`
		ID         any    `json:"id"`
		Type       string `json:"type,omitempty"`
		ContentURI string `json:"contentUri,omitempty"`
	}
	otherSession struct {
		ID string `json:"telephonySessionId"`
	}
	billing struct {
		Included  json.Number `json:"costIncluded"`
		Purchased json.Number `json:"costPurchased"`
	}
)

// part is what rows and their legs have in common. Members of type any can be spoilt by a flaw.
type part struct {
	StartTime         any       `json:"startTime"`
	Duration          any       `json:"duration,omitempty"`
	DurationMs        int64     `json:"durationMs,omitempty"`
	Type              string    `json:"type"`
	InternalType      string    `json:"internalType,omitempty"`
	Direction         string    `json:"direction"`
	Action            any       `json:"action"`
	Result            string    `json:"result,omitempty"`
	Reason            string    `json:"reason,omitempty"`
	ReasonDescription string    `json:"reasonDescription,omitempty"`
	From              *partyRow `json:"from,omitempty"`
	To                *partyRow `json:"to,omitempty"`
	Extension         *resource `json:"extension,omitempty"`
	Transport         string    `json:"transport,omitempty"`
	LegType           string    `json:"legType,omitempty"`
	Master            bool      `json:"master,omitempty"`
	Recording         *resource `json:"recording,omitempty"`
}

type row struct {
	URI                string `json:"uri"`
	ID                 any    `json:"id"`
	SessionID          string `json:"sessionId"`
	TelephonySessionID string `json:"telephonySessionId,omitempty"`
	PartyID            string `json:"partyId,omitempty"`
	part
	Message          *resource     `json:"message,omitempty"`
	TransferTarget   *otherSession `json:"transferTarget,omitempty"`
	Transferee       *otherSession `json:"transferee,omitempty"`
	Legs             []part        `json:"legs,omitempty"`
	Billing          *billing      `json:"billing,omitempty"`
	LastModifiedTime string        `json:"lastModifiedTime,omitempty"`
}

// row is a version of a call as the API shows it, whole or with a flaw.
func (sc *scope) row(c *simulator.Call, v *simulator.Version, detailed bool) any {
	id, w := makeID(c.Place(), sc.number), detailOf(v)
	switch c.Flaw {
	case simulator.NotAnObject:
		return "row " + id
	case simulator.Truncated:
		return map[string]string{"id": id, "type": "Voice"}
	default:
	}
	r := row{URI: sc.uri + "/call-log/" + id + "?view=Simple", ID: id, SessionID: sessionID(c)}
	if c.CallID[15]%50 != 0 { // some rows lack it
		r.TelephonySessionID, r.PartyID = "s-"+hexOf(c.CallID), "p-"+hexOf(c.CallID)+"-1"
	}
	r.part = part{
		StartTime: startText(c), Type: w.kind, InternalType: w.internalType, Direction: w.direction, Action: v.Kind.Wire, Transport: w.transport,
	}
	milliseconds := v.Duration.Milliseconds()
	if seconds := (milliseconds + 500) / 1000; v.State == simulator.Final || v.State == simulator.InProgress && v.Duration != 0 {
		r.Duration = seconds
		if milliseconds%1000 != 0 || c.Number%3 == 0 {
			r.DurationMs = milliseconds
		}
	}
	switch v.State {
	case simulator.InProgress:
		r.Result = "In Progress"
	case simulator.Final:
		r.Result, r.Reason, r.ReasonDescription = v.Kind.Phrase, w.reason, w.description
		sc.addLinks(&r, c, w)
	default:
	}
	r.From, r.To = sc.own(c, v, w), sc.other(c)
	if w.direction == "Inbound" {
		r.From, r.To = r.To, r.From
	}
	r.Extension = sc.extension(c.User)
	if v.Recorded {
		r.Recording = sc.recording(c)
	}
	if detailed {
		r.URI = sc.uri + "/call-log/" + id + "?view=Detailed"
		r.Legs, r.LastModifiedTime = sc.legs(&r.part, c, v), timeText(v.Published)
		if v.Usage.Known && v.State == simulator.Final {
			r.Billing = &billing{javaNumber(v.Usage.Amount), javaNumber(v.Connection.Amount)}
		}
	}
	r.spoil(c)
	return r
}

// spoil puts the call's flaw into a row.
func (r *row) spoil(c *simulator.Call) {
	switch c.Flaw {
	case simulator.NumericID:
		r.ID = c.Place()
	case simulator.BadTime:
		r.StartTime = "yesterday"
	case simulator.ImpossibleTime:
		r.StartTime = "2026-02-30T25:61:00.000Z"
	case simulator.NullStart:
		r.StartTime = nil
	case simulator.WrongType:
		r.Duration, r.DurationMs = "54", 0
	case simulator.NegativeDuration:
		r.Duration, r.DurationMs = -5, 0
	case simulator.ObjectForString:
		r.Action = map[string]string{"name": "hidden"}
	default:
	}
}

func timeText(t time.Time) string { return t.UTC().Format(milliseconds) }

// startText is when a call started: some whole seconds are written without a fraction.
func startText(c *simulator.Call) string {
	if c.Number%4 == 2 && c.Start.Nanosecond() == 0 {
		return c.Start.Format(time.RFC3339)
	}
	return timeText(c.Start)
}

func (sc *scope) extension(u *simulator.User) *resource {
	if u == nil {
		return nil
	}
	return &resource{URI: sc.account + "/extension/" + u.ID, ID: json.Number(u.ID)}
}

// user is a user as caller or callee.
func (sc *scope) user(u *simulator.User) *partyRow {
	device := "8026366" + u.Principal
	return &partyRow{ExtensionNumber: u.Principal, ExtensionID: u.ID, Name: u.Name, Device: &resource{URI: sc.account + "/device/" + device, ID: device}}
}

// own is the account's party.
func (sc *scope) own(c *simulator.Call, v *simulator.Version, w *wire) *partyRow {
	if w.bare {
		return &partyRow{Name: c.User.Name}
	}
	p := sc.user(c.User)
	if c.Peer == nil {
		p.PhoneNumber = c.Own.String()
	}
	if v.Incomplete {
		p.Name = ""
	}
	return p
}

// other is the other party: a colleague, a number or a name. Names are padded as networks do.
func (sc *scope) other(c *simulator.Call) *partyRow {
	if c.Peer != nil {
		return sc.user(c.Peer)
	}
	text := c.Other.String()
	if text == "" {
		return &partyRow{Name: "Unavailable"}
	}
	p := &partyRow{PhoneNumber: text}
	if !strings.ContainsAny(text[:1], "+0123456789(") && text != "anonymous" {
		p = &partyRow{Name: text}
	}
	if c.Prefix != nil && c.Prefix.Place != "" {
		city, region, _ := strings.Cut(c.Prefix.Place, ", ")
		p.Name, p.Location = strings.TrimRight(fmt.Sprintf("%-13s%s", strings.ToUpper(city), region), " "), c.Prefix.Place
	}
	return p
}

// addLinks adds the message, and the other session of a transfer.
func (sc *scope) addLinks(r *row, c *simulator.Call, w *wire) {
	if w.message != "" {
		id := strconv.FormatUint(400_000_000_000+c.Place()%1_000_000_000, 10)
		r.Message = &resource{URI: sc.account + "/extension/" + userID + "/message-store/" + id, ID: id, Type: w.message}
	}
	switch other := (&otherSession{"s-" + hexOf(c.Partner)}); w.link {
	case "transferTarget":
		r.TransferTarget = other
	case "transferee":
		r.Transferee = other
	}
}

func (sc *scope) recording(c *simulator.Call) *resource {
	id := strconv.FormatUint(c.RecordingPlace()*2+uint64(sc.number), 10)
	return &resource{URI: sc.account + "/recording/" + id, ID: id, Type: c.Recording.Wire, ContentURI: sc.contentURI(id)}
}

// contentURI is where a recording's sound would be, at another host.
func (sc *scope) contentURI(id string) string {
	_, path, _ := strings.Cut(sc.account, "/restapi/")
	return "https://media.ringcentral.com/restapi/" + path + "/recording/" + id + "/content"
}

// maxLegRing is the longest duration of a leg that wasn't answered.
const maxLegRing = 12 * time.Second

// legs are the row's legs, between its parties. A call in progress has one; a row without a result has none.
func (sc *scope) legs(r *part, c *simulator.Call, v *simulator.Version) (list []part) {
	if v.State == simulator.NoResult {
		return nil
	}
	users := sc.world.Mix().Users
	for i := range v.Kind.Legs {
		l, w := &v.Kind.Legs[i], detailOf(v).legs[i]
		p := part{
			StartTime: timeText(c.Start.Add(l.After)), Type: r.Type, Direction: w.direction, Action: w.action, Result: l.Result,
			From: r.From, To: r.To, Transport: w.transport, LegType: l.Wire, Master: w.master,
		}
		if v.Recorded && w.master {
			p.Recording = r.Recording
		}
		if w.user {
			// The agents of a queue are different ones.
			agent := max(0, i-1)
			for n := range users {
				if &users[n] == c.User {
					agent += n
				}
			}
			p.Extension = sc.extension(&users[agent%len(users)])
		}
		if v.State == simulator.InProgress {
			p.Result = "In Progress"
			return append(list, p)
		}
		lasted := max(0, v.Duration-l.After)
		if !l.Outcome.Connected() {
			lasted = min(lasted, maxLegRing)
		}
		p.Duration = (lasted.Milliseconds() + 500) / 1000
		list = append(list, p)
	}
	return list
}

// javaNumber is an amount as Java writes a number with a fraction: with an exponent if it is less than a thousandth.
func javaNumber(a simulator.Amount) json.Number {
	if -10 < a && a < 10 && a != 0 {
		return json.Number(strconv.FormatInt(int64(a), 10) + ".0E-4")
	}
	return json.Number(a.String())
}

// makeID is the id of the row at a place, which parseID finds again; -1 is no row's.
func makeID(place uint64, scope int64) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d/%d", place, scope))
}

func parseID(id string, scope int64) int64 {
	raw, err := base64.RawURLEncoding.DecodeString(id)
	place, is, _ := strings.Cut(string(raw), "/")
	n, wrong := strconv.ParseInt(place, 10, 63)
	if err != nil || wrong != nil || is != strconv.FormatInt(scope, 10) {
		return -1
	}
	return n
}

// sessionID is a session's id: that of the second session of a call in two is greater by 1000.
func sessionID(c *simulator.Call) string {
	id, further := c.CallID, uint64(0)
	if c.Second && c.Partner != (simulator.UUID{}) {
		id, further = c.Partner, 1000
	}
	return strconv.FormatUint(binary.BigEndian.Uint64(id[8:])%900_000_000_000+100_000_000_000+further, 10)
}

func hexOf(id simulator.UUID) string { return hex.EncodeToString(id[:]) }
