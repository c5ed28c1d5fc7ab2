package sim

import (
	"fmt"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// end is one end of a session.
type end struct {
	kind endKind
	user simulator.User
	// number is a telephone's, role a service's.
	number, role string
	device       device
	access       connection
	// rating is what the user said: Graph's word, empty for nothing.
	rating string
	// bare says that the end comes without a user agent, gone that it comes as null.
	bare, gone bool
	// style varies how it is written.
	style int
}

// endKind says what an end is.
type endKind uint8

const (
	userEnd endKind = iota
	guestEnd
	acsEnd
	phoneEnd
	serviceEnd
)

// device is a client's platform: as Graph spells it and as the label has it.
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

// acsDevice is that of a caller of Azure Communication Services, whose family is known to
// those who ask for members after unknownFutureValue.
var acsDevice = device{1, "web", "web", "azureCommunicationServices"}

// connection is how an end was connected.
type connection struct {
	weight      int
	wire, label string
	// missing says that nothing is told of it: the network is null.
	missing bool
}

var connections = []connection{
	{45, "wired", "wired", false},
	{38, "wifi", "wifi", false},
	{8, "mobile", "mobile", false},
	{3, "tunnel", "tunnel", false},
	{4, "unknown", "unknown", false},
	{2, "", "unknown", true},
}

// serviceConnections is a service's.
var serviceConnections = []connection{{4, "wired", "wired", false}, {3, "unknown", "unknown", false}, {3, "", "unknown", true}}

// platform is the label of an end's platform.
func (e *end) platform() string {
	switch {
	case e.gone || e.bare:
		return "unknown"
	case e.role != "":
		return "service"
	}
	return e.device.label
}

// choose draws one of some weighted things.
func choose[T any](list []T, weight func(*T) int, d *simulator.Draws) T {
	sum := 0
	for i := range list {
		sum += weight(&list[i])
	}
	n := d.Below(sum)
	for i := range list {
		if n -= weight(&list[i]); n < 0 {
			return list[i]
		}
	}
	return list[0]
}

// person draws the end of a user.
func person(user simulator.User, d *simulator.Draws) end {
	e := end{
		user: user, style: d.Below(4), bare: d.Below(60) == 0,
		device: choose(devices, func(x *device) int { return x.weight }, d),
		access: choose(connections, func(x *connection) int { return x.weight }, d),
	}
	if d.Below(8) == 0 {
		e.rating = [...]string{"bad", "poor", "fair", "good", "good", "good", "excellent", "excellent"}[d.Below(8)]
	}
	return e
}

// telephone draws the end of a telephone, behind a gateway.
func telephone(number string, d *simulator.Draws) end {
	e := end{
		kind: phoneEnd, number: number, style: d.Below(4), device: device{1, "unknown", "unknown", "unknown"},
		access: choose(serviceConnections, func(x *connection) int { return x.weight }, d),
	}
	if d.Below(2) == 0 {
		e.role = [...]string{"mediationServer", "gateway"}[d.Below(2)]
	}
	return e
}

// service draws the end of a service.
func service(role string, d *simulator.Draws) end {
	return end{
		kind: serviceEnd, role: role, style: d.Below(4),
		access: choose(serviceConnections, func(x *connection) int { return x.weight }, d),
	}
}

// attendee is who takes part in a meeting: a user, a guest, or somebody from Azure
// Communication Services.
func (p *plan) attendee(index int) end {
	d := p.source.world.Draws(p.place, drawSession|1<<19|uint64(index))
	all := p.source.world.Mix().Users
	if index == 0 && p.call.User != nil {
		return person(*p.call.User, &d)
	}
	switch n := d.Below(30); {
	case n == 0:
		e := person(simulator.User{ID: d.UUID().String(), Name: "Guest"}, &d)
		e.kind, e.device = acsEnd, acsDevice
		return e
	case n <= 2:
		e := person(simulator.User{ID: d.UUID().String(), Name: fmt.Sprintf("Visitor %d", index)}, &d)
		e.kind = guestEnd
		return e
	case index < len(all):
		return person(all[(index+d.Below(2))%len(all)], &d)
	}
	return person(simulator.User{
		ID:        fmt.Sprintf("5a5a0000-0000-4000-8001-%012d", index),
		Principal: fmt.Sprintf("member%d@contoso.example", index), Name: fmt.Sprintf("Member %d", index),
	}, &d)
}
