package sim

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// object is a JSON object that nothing but its rendering needs.
type object map[string]any

// session is microsoft.graph.callRecords.session. What has no tag is how it was drawn.
type session struct {
	ID           string     `json:"id"`
	Modalities   []string   `json:"modalities"`
	Start        string     `json:"startDateTime"`
	End          string     `json:"endDateTime"`
	IsTest       bool       `json:"isTest"`
	Failure      object     `json:"failureInfo"`
	Caller       any        `json:"caller"`
	Callee       any        `json:"callee"`
	Segments     []*segment `json:"segments,omitzero"`
	SegmentsNext string     `json:"segments@odata.nextLink,omitempty"`

	caller, callee participant
	start, end     time.Time
	failure        *failure
	content        *content
}

// segment is microsoft.graph.callRecords.segment.
type segment struct {
	ID      string    `json:"id"`
	Start   string    `json:"startDateTime"`
	End     string    `json:"endDateTime"`
	Failure object    `json:"failureInfo"`
	Caller  any       `json:"caller"`
	Callee  any       `json:"callee"`
	Media   []*medium `json:"media"`

	start, end time.Time
}

// medium is microsoft.graph.callRecords.media.
type medium struct {
	Label         string          `json:"label"`
	CallerNetwork json.RawMessage `json:"callerNetwork,omitempty"`
	CalleeNetwork json.RawMessage `json:"calleeNetwork,omitempty"`
	Streams       []*stream       `json:"streams"`
}

// record renders a record in one of its versions, for the list or by itself.
func (p *recordPlan) record(version int, listed bool) object {
	v, modalities := &p.all[version], []string{}
	for i := range min(v.sessions, 3) {
		for _, m := range p.outline(i).content.modalities {
			if !slices.Contains(modalities, m) {
				modalities = append(modalities, m)
			}
		}
	}
	o := object{
		"id": p.id.String(), "version": v.number, "type": peerToPeer, "modalities": modalities, "lastModifiedDateTime": formatTime(v.at, p.call.Number),
		"startDateTime": formatTime(v.start, p.call.Number), "endDateTime": formatTime(p.end, p.call.Number), "joinWebUrl": nil, "organizer_v2": nil,
	}
	if p.shape.group {
		o["type"], o["joinWebUrl"] = groupCall, "https://teams.microsoft.com/l/meetup-join/19%3ameeting_"+p.id.String()+"%40thread.v2/0"
	}
	if listed && p.call.Number%8 == 0 {
		o["type"] = "unknown"
	}
	if organizer := p.attendee(p.shape.phones); v.sessions > 0 && p.shape.group {
		o["organizer_v2"] = organizer.listed()
	} else if v.sessions > 0 {
		o["organizer_v2"] = p.outline(0).caller.listed()
	}
	if listed != isListFlaw(p.flaw) {
		return o
	}
	switch p.flaw {
	case simulator.NumericID:
		o["id"] = v.number
	case simulator.NegativeDuration:
		o["id"] = "../" + p.id.String()
	case simulator.WrongType:
		o["version"] = strconv.FormatInt(v.number, 10)
	case simulator.ObjectForString:
		o["type"] = object{"name": "hidden"}
	default:
		if spoilt, ok := spoiltStart(p.flaw); ok {
			o["startDateTime"] = spoilt
		}
	}
	return o
}

// row renders a record as a row of the list.
func (l *listedRecord) row() any {
	v := &l.all[l.version]
	switch l.flaw {
	case simulator.NotAnObject:
		return "record " + l.id.String()
	case simulator.Truncated:
		return object{"version": v.number, "lastModifiedDateTime": formatTime(v.at, 0)} // no two rows are alike
	default:
		return l.record(l.version, true)
	}
}

// isListFlaw says whether a flaw is in the list: then nothing but the list has the record. The other flaws are in the record itself.
func isListFlaw(f simulator.Flaw) bool {
	switch f {
	case simulator.NumericID, simulator.NotAnObject, simulator.Truncated, simulator.NegativeDuration, simulator.WrongType:
		return true
	default:
		return false
	}
}

// participants are those who are known to have taken part in a version, each once.
func (p *recordPlan) participants(version int) []object {
	all := []object{}
	for i := range min(p.all[version].sessions, p.people) {
		s := p.outline(i)
		for _, e := range []*participant{&s.caller, &s.callee} {
			if e.kind != serviceEnd {
				all = append(all, e.listed())
			}
		}
	}
	return all
}

// renderSessions renders the sessions of a version with all their segments.
func (p *recordPlan) renderSessions(version int) []*session {
	v := &p.all[version]
	all := make([]*session, v.sessions)
	for i := range all {
		all[i] = p.session(i, v)
	}
	return all
}

// session renders one session in a version.
func (p *recordPlan) session(index int, v *recordVersion) *session {
	s := p.outline(index)
	s.Start, s.End = formatTime(later(s.start, v.start), index), formatTime(s.end, index)
	s.Caller, s.Callee = s.caller.endpoint(v.rated), s.callee.endpoint(v.rated)
	s.Failure = s.failure.info(v)
	media := index < v.media
	for _, part := range s.Segments {
		part.Start, part.End = formatTime(later(part.start, v.start), s.caller.style), formatTime(later(part.end, v.start.Add(time.Millisecond)), s.callee.style)
		part.Caller, part.Callee = s.Caller, s.Callee
		if media || s.caller.style != 0 {
			part.Media = []*medium{}
		}
	}
	s.Segments[len(s.Segments)-1].Failure = s.Failure
	if media {
		p.drawMedia(s, index, v.remeasured)
	}
	return s
}

// info is the failure as Graph says it; null while it isn't known.
func (f *failure) info(v *recordVersion) object {
	if f == nil || !v.explained {
		return nil
	}
	return object{"stage": f.stage.wire, "reason": f.reason}
}

// outline draws a session without what a version adds to it.
func (p *recordPlan) outline(index int) *session {
	d := p.source.world.Draws(p.place, drawSession|uint64(index))
	s := &session{ID: d.UUID().String(), IsTest: p.shape.test, start: p.start, end: p.end}
	if !p.shape.group {
		s.ID = p.id.String() // as in the documentation's sample
	}
	// The first session begins and ends with the call.
	if length := p.end.Sub(p.start); index > 0 && length >= 2*time.Second {
		s.start = p.start.Add(d.Duration(0, length/2))
		s.end = s.start.Add(d.Duration(time.Second, p.end.Sub(s.start)))
	}
	p.drawEnds(s, index, &d)
	s.failure = p.drawFailure(index, &d)
	s.content = &contents[0]
	if s.caller.kind != phoneEnd && s.callee.kind != phoneEnd && (s.callee.kind != serviceEnd || p.shape.group) {
		s.content = pick(contents, &d)
	}
	s.Modalities = s.content.modalities
	p.drawSegments(s, &d)
	return s
}

// drawEnds draws who a session was between. In meetings each session is between somebody and the service; those of people who joined again
// come last.
func (p *recordPlan) drawEnds(s *session, index int, d *simulator.Draws) {
	c := &p.call
	user := func(user *simulator.User) participant {
		if p.shape.role != "" || user == nil {
			return drawService(p.shape.role, d)
		}
		return drawUser(*user, d)
	}
	switch {
	case p.shape.group:
		index %= p.people
		s.caller, s.callee = p.attendee(index), drawService("mediaController", d)
		if index < p.shape.phones {
			number := c.Other.String()
			if index > 0 {
				number = fmt.Sprintf("+1425555%04d", 100+index)
			}
			s.caller = drawTelephone(number, d)
			s.callee.role = "conferencingAttendant"
		}
		if index < p.shape.phones && p.kind.Direction == cdr.Outbound {
			s.caller, s.callee = s.callee, s.caller
		}
		return
	case p.shape.phone && p.kind.Direction == cdr.Inbound:
		s.caller, s.callee = drawTelephone(c.Other.String(), d), user(c.User)
	case p.shape.phone:
		s.caller, s.callee = user(c.User), drawTelephone(c.Other.String(), d)
	default:
		s.caller, s.callee = drawUser(*c.User, d), user(c.Peer)
	}
	switch d.Below(200) {
	case 0:
		s.caller.missing = s.caller.kind == userEnd
	case 1:
		s.callee.missing = s.callee.kind == userEnd
	}
}

// drawFailure draws how a session failed. One in a meeting seldom does, the first somewhat more often: then the call isn't known to have
// succeeded until another is published.
func (p *recordPlan) drawFailure(index int, d *simulator.Draws) *failure {
	ways := p.shape.failed
	if p.shape.group {
		switch n := d.Below(200); {
		case n < 2 || n < 6 && index == 0:
			ways = setupFailures()
		case n < 10:
			ways = droppedSessions()
		}
	}
	return pick(ways, d)
}

// drawSegments draws the segments of a session: most have one, those with telephones some.
func (p *recordPlan) drawSegments(s *session, d *simulator.Draws) {
	most, n := p.shape.segments, 1
	switch {
	case most > 20:
		n = d.Between(21, most)
	case p.shape.phone || d.Below(6) == 0:
		n = d.Between(1, most)
	}
	length := s.end.Sub(s.start) / time.Duration(n)
	for i := range n {
		part := &segment{ID: d.UUID().String(), start: s.start.Add(time.Duration(i) * length)}
		part.end = part.start.Add(length)
		if !p.shape.group && i == 0 {
			part.ID = s.ID
		}
		s.Segments = append(s.Segments, part)
	}
	s.Segments[n-1].end = s.end
}

// weighted is a choice in a table.
type weighted interface{ share() int }

func (f failure) share() int { return f.weight }
func (c content) share() int { return c.weight }
func (c class) share() int   { return c.weight }
func (d device) share() int  { return d.weight }
func (n network) share() int { return n.weight }

// pick draws one of some weighted choices; nil from none.
func pick[T weighted](list []T, d *simulator.Draws) *T {
	sum := 0
	for i := range list {
		sum += list[i].share()
	}
	n := d.Below(sum)
	for i := range list {
		if n -= list[i].share(); n < 0 {
			return &list[i]
		}
	}
	return nil
}

// participant is one end of a session.
type participant struct {
	kind participantKind
	user simulator.User
	// number is a telephone's, role a service's.
	number, role string
	device       device
	network      network
	// rating is the user's: Graph's word, empty for none.
	rating string
	// noAgent says that the end comes without a user agent, missing that it comes as null.
	noAgent, missing bool
	// style varies how it is written.
	style int
}

type participantKind uint8

const (
	userEnd participantKind = iota
	guestEnd
	acsEnd // of Azure Communication Services
	phoneEnd
	serviceEnd
)

// device is a client's platform, in Graph's spelling and in the label's.
type device struct {
	weight      int
	wire, label string
	family      string
}

var devices = []device{
	{40, "windows", "windows", "teams"},
	{15, "macOS", "macos", "teams"},
	{12, "iOS", "ios", "teams"},
	{10, "android", "android", "teams"},
	{10, "web", "web", "teams"},
	{5, "ipPhone", "ip_phone", "teams"},
	{4, "roomSystem", "room_system", "teams"},
	{1, "surfaceHub", "surface_hub", "teams"},
	{2, "windows", "windows", "skypeForBusiness"},
	{2, "unknown", "unknown", "unknown"},
}

// network is how an end was connected; without a type the network comes as null.
type network struct {
	weight int
	wire   string
}

func (n network) label() string { return cmp.Or(n.wire, "unknown") }

var (
	networks        = []network{{45, "wired"}, {38, "wifi"}, {8, "mobile"}, {3, "tunnel"}, {4, "unknown"}, {2, ""}}
	serviceNetworks = []network{{4, "wired"}, {3, "unknown"}, {3, ""}}
)

// platform is the label of an end's platform.
func (e *participant) platform() string {
	switch {
	case e.missing || e.noAgent:
		return "unknown"
	case e.role != "":
		return "service"
	}
	return e.device.label
}

func drawUser(user simulator.User, d *simulator.Draws) participant {
	e := participant{user: user, style: d.Below(4), noAgent: d.Below(60) == 0, device: *pick(devices, d), network: *pick(networks, d)}
	if d.Below(8) == 0 {
		e.rating = [...]string{"bad", "poor", "fair", "good", "good", "good", "excellent", "excellent"}[d.Below(8)]
	}
	return e
}

// drawTelephone draws the end of a telephone, behind a gateway.
func drawTelephone(number string, d *simulator.Draws) participant {
	e := participant{
		kind: phoneEnd, number: number, style: d.Below(4), device: device{1, "unknown", "unknown", "unknown"}, network: *pick(serviceNetworks, d),
	}
	if d.Below(2) == 0 {
		e.role = [...]string{"mediationServer", "gateway"}[d.Below(2)]
	}
	return e
}

func drawService(role string, d *simulator.Draws) participant {
	return participant{kind: serviceEnd, role: role, style: d.Below(4), network: *pick(serviceNetworks, d)}
}

// attendee draws who takes part in a meeting: a user, a guest, or somebody from Azure Communication Services.
func (p *recordPlan) attendee(index int) participant {
	d := p.source.world.Draws(p.place, drawSession|1<<19|uint64(index))
	all := p.source.world.Mix().Users
	if index == 0 && p.call.User != nil {
		return drawUser(*p.call.User, &d)
	}
	switch n := d.Below(30); {
	case n == 0:
		e := drawUser(simulator.User{ID: d.UUID().String(), Name: "Guest"}, &d)
		e.kind, e.device = acsEnd, device{1, "web", "web", "azureCommunicationServices"}
		return e
	case n <= 2:
		e := drawUser(simulator.User{ID: d.UUID().String(), Name: fmt.Sprintf("Visitor %d", index)}, &d)
		e.kind = guestEnd
		return e
	case index < len(all):
		return drawUser(all[(index+d.Below(2))%len(all)], &d)
	}
	return drawUser(simulator.User{
		ID:        fmt.Sprintf("5a5a0000-0000-4000-8001-%012d", index),
		Principal: fmt.Sprintf("member%d@contoso.example", index), Name: fmt.Sprintf("Member %d", index),
	}, &d)
}

// endpoint renders an end of a session or segment.
func (e *participant) endpoint(rated bool) any {
	const namespace = "#microsoft.graph.callRecords."
	if e.missing {
		return nil
	}
	var agent any
	switch {
	case e.noAgent:
	case e.role != "":
		agent = object{"@odata.type": namespace + "serviceUserAgent", "headerValue": nil, "applicationVersion": nil, "role": e.role}
	default:
		agent = object{
			"@odata.type": namespace + "clientUserAgent", "headerValue": "CallSignalingAgent (27/1.0.0;release/simulated)", "applicationVersion": "1.0.0",
			"platform": e.device.wire, "productFamily": e.device.family,
		}
	}
	if e.kind == serviceEnd {
		return object{"@odata.type": namespace + "serviceEndpoint", "userAgent": agent}
	}
	o := object{
		"@odata.type": namespace + "participantEndpoint", "userAgent": agent, "identity": nil, "associatedIdentity": nil, "name": "machineName_2",
		"cpuName": nil, "cpuCoresCount": nil,
	}
	// A user comes under the old name, the new one or both; all others only under the old one.
	if e.kind != userEnd || e.style != 1 {
		o["identity"] = e.identitySet()
	}
	if e.kind == userEnd && e.style != 2 {
		o["associatedIdentity"] = e.identity()
	}
	switch {
	case e.rating != "" && rated:
		o["feedback"] = object{"rating": e.rating, "text": nil, "tokens": object{"NoSound": false, "Echo": e.rating == "bad"}}
	case e.style == 0:
		o["feedback"] = object{"rating": "notRated", "text": nil}
	case e.style == 1:
		o["feedback"] = nil
	}
	return o
}

func (e *participant) identity() object {
	if e.kind == phoneEnd {
		return object{"id": e.number, "displayName": nil, "tenantId": nil}
	}
	return object{"id": e.user.ID, "displayName": e.user.Name, "tenantId": defaultTenant, "userPrincipalName": orNull(e.user.Principal)}
}

// identitySet has the end's identity under the name of its kind; other names are null or missing.
func (e *participant) identitySet() object {
	switch e.kind {
	case phoneEnd:
		return object{"user": nil, "phone": e.identity()}
	case guestEnd:
		return object{"user": nil, "guest": e.identity()}
	case acsEnd:
		return object{"azureCommunicationServicesUser": e.identity()}
	default:
		return object{"user": e.identity(), "phone": nil}
	}
}

// listed renders somebody who took part, or the organizer.
func (e *participant) listed() object {
	identity := e.identitySet()
	id := e.identity()["id"]
	if e.kind == serviceEnd {
		id, identity = "", object{"applicationInstance": object{"id": defaultTenant, "displayName": e.role}}
	}
	return object{"id": id, "identity": identity, "administrativeUnitInfos": []any{}}
}

// networkInfo renders how an end was connected; what isn't known is null, or missing in the odd styles.
func (e *participant) networkInfo() json.RawMessage {
	if e.network.wire == "" && e.style%2 == 0 {
		return json.RawMessage("null")
	}
	return networkInfos[e.network.wire]
}

// networkInfos are the renderings of the networks by their types.
var networkInfos = map[string]json.RawMessage{
	"wired": renderNetwork("wired"), "wifi": renderNetwork("wifi"), "mobile": renderNetwork("mobile"), "tunnel": renderNetwork("tunnel"),
	"unknown": renderNetwork("unknown"),
}

func renderNetwork(kind string) json.RawMessage {
	o := object{
		"connectionType": kind, "networkTransportProtocol": "udp", "ipAddress": "192.0.2.10", "subnet": "192.0.2.0", "port": 50_011,
		"reflexiveIPAddress": "198.51.100.7", "macAddress": "02-00-00-00-00-00", "dnsSuffix": nil, "linkSpeed": 1_000_000_000,
		"wifiBand": "unknown", "wifiRadioType": "unknown", "wifiSignalStrength": nil, "bandwidthLowEventRatio": 0, "traceRouteHops": []any{},
	}
	if kind == "wifi" {
		o["wifiBand"], o["wifiRadioType"], o["wifiSignalStrength"] = "frequency50GHz", "wifi80211ac", 71
	}
	return encode(o)
}
