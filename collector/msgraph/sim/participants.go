package sim

import (
	"fmt"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// participant is one end of a session.
type participant struct {
	kind participantKind
	user simulator.User
	// number is a telephone's number, role a service's role.
	number, role string
	device       device
	network      network
	// rating is the user's rating in Graph's word, or empty.
	rating string
	// noAgent says that the end has no user agent, missing that it is null.
	noAgent, missing bool
	// style varies how the end is written.
	style int
}

type participantKind uint8

const (
	userEnd participantKind = iota
	guestEnd
	phoneEnd
	serviceEnd
)

// platform is the label of an end's platform.
func (e *participant) platform() string {
	switch {
	case e.missing || e.noAgent:
		return "unknown"
	case e.role != "":
		return "service"
	}
	return e.device.Label
}

func drawUser(user simulator.User, d *simulator.Draws) participant {
	e := participant{
		user: user, style: d.Below(4), noAgent: d.Below(60) == 0,
		device: *simulator.Pick(d, sessionParts().Devices), network: *simulator.Pick(d, sessionParts().Networks),
	}
	if d.Below(8) == 0 {
		e.rating = [...]string{"bad", "poor", "fair", "good", "good", "good", "excellent", "excellent"}[d.Below(8)]
	}
	return e
}

// drawTelephone draws the end of a telephone, behind a gateway.
func drawTelephone(number string, d *simulator.Draws) participant {
	e := participant{
		kind: phoneEnd, number: number, style: d.Below(4), device: device{
			Wire: "unknown", Label: "unknown",
			Family: "unknown",
		}, network: *simulator.Pick(d, sessionParts().ServiceNetworks),
	}
	if d.Below(2) == 0 {
		e.role = [...]string{"mediationServer", "gateway"}[d.Below(2)]
	}
	return e
}

func drawService(role string, d *simulator.Draws) participant {
	return participant{
		kind: serviceEnd, role: role, style: d.Below(4),
		network: *simulator.Pick(d, sessionParts().ServiceNetworks),
	}
}

// attendee draws a participant of a meeting: a user or a guest.
func (p *recordPlan) attendee(index int) participant {
	d := p.source.world.Draws(p.place, drawSession|1<<19|uint64(index))
	all := p.source.world.Mix().Users
	if index == 0 && p.call.User != nil {
		return drawUser(*p.call.User, &d)
	}
	switch n := d.Below(30); {
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

func (e *participant) endpoint(rated bool) any {
	const namespace = "#microsoft.graph.callRecords."
	if e.missing {
		return nil
	}
	var agent any
	switch {
	case e.noAgent:
	case e.role != "":
		agent = simulator.NewObject("@odata.type", namespace+"serviceUserAgent", "headerValue", nil,
			"applicationVersion", nil, "role", e.role)
	default:
		agent = simulator.NewObject(
			"@odata.type", namespace+"clientUserAgent", "headerValue",
			"CallSignalingAgent (27/1.0.0;release/simulated)", "applicationVersion", "1.0.0",
			"platform", e.device.Wire, "productFamily", e.device.Family,
		)
	}
	if e.kind == serviceEnd {
		return simulator.NewObject("@odata.type", namespace+"serviceEndpoint", "userAgent", agent)
	}
	// A user is written under the old name, the new one or both; all others only under the old one.
	var old, associated any
	if e.kind != userEnd || e.style != 1 {
		old = e.identitySet()
	}
	if e.kind == userEnd && e.style != 2 {
		associated = e.identity()
	}
	o := simulator.NewObject(
		"@odata.type", namespace+"participantEndpoint", "userAgent", agent, "identity", old, "associatedIdentity",
		associated, "name", "machineName_2",
		"cpuName", nil, "cpuCoresCount", nil,
	)
	switch {
	case e.rating != "" && rated:
		tokens := simulator.NewObject("NoSound", false, "Echo", e.rating == "bad")
		o.Set("feedback", simulator.NewObject("rating", e.rating, "text", nil, "tokens", tokens))
	case e.style == 0:
		o.Set("feedback", simulator.NewObject("rating", "notRated", "text", nil))
	case e.style == 1:
		o.Set("feedback", nil)
	}
	return o
}

func (e *participant) identity() simulator.Object {
	if e.kind == phoneEnd {
		return simulator.NewObject("id", e.number, "displayName", nil, "tenantId", nil)
	}
	return simulator.NewObject(
		"id", e.user.ID, "displayName", e.user.Name, "tenantId", TenantID, "userPrincipalName",
		simulator.OrNull(e.user.Principal))
}

// identitySet has the end's identity under the name of its kind; other names are null or missing.
func (e *participant) identitySet() simulator.Object {
	switch e.kind {
	case phoneEnd:
		return simulator.NewObject("user", nil, "phone", e.identity())
	case guestEnd:
		return simulator.NewObject("user", nil, "guest", e.identity())
	case serviceEnd:
		return simulator.NewObject("applicationInstance", simulator.NewObject("id", TenantID, "displayName", e.role))
	default:
		return simulator.NewObject("user", e.identity(), "phone", nil)
	}
}

// listed renders a participant or the organizer.
func (e *participant) listed() simulator.Object {
	id := e.user.ID
	switch e.kind {
	case phoneEnd:
		id = e.number
	case serviceEnd:
		id = ""
	default:
	}
	return simulator.NewObject("id", id, "identity", e.identitySet(), "administrativeUnitInfos", []any{})
}

func renderNetwork(kind string) simulator.Object {
	address, subnet := "192.0.2.10", "192.0.2.0"
	if kind == "wifi" {
		address, subnet = "192.0.2.70", "192.0.2.64"
	}
	return simulator.NewObject("connectionType", kind, "networkTransportProtocol", "udp", "ipAddress", address,
		"subnet", subnet, "reflexiveIPAddress", "198.51.100.7", "traceRouteHops", []any{})
}

// addNetwork adds how an end was connected; what isn't known is null, or missing in the odd styles.
func (e *participant) addNetwork(o *simulator.Object, name string) {
	if e.network.Wire != "" {
		o.Set(name, renderNetwork(e.network.Wire))
	} else if e.style%2 == 0 {
		o.Set(name, nil)
	}
}
