package sim

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// shape is what makes a call record of a kind of call.
type shape struct {
	group bool
	// least and most are how many take part in a group call.
	least, most int
	// phones is how many of them are telephones: those that come first.
	phones int
	// phone says that the other party of a call of two is a telephone.
	phone bool
	// role is the service that takes a call of two, instead of a user.
	role string
	// failed is how the session of a call of two ended; nil: it didn't fail.
	failed []failing
	// stages are how long a session is: in how many segments it comes at most.
	segments int
	// test marks calls to the test service; never those of which no session is told.
	test, never bool
}

// The types of records.
const (
	groupCall  = "groupCall"
	peerToPeer = "peerToPeer"
)

// CallRecordsMix is traffic of call records: calls of two, with telephones and services,
// and meetings of a few and of many, of which some fail.
func CallRecordsMix() *simulator.Mix {
	kinds := append(callsOfTwo(), phoneCalls()...)
	return &simulator.Mix{
		Name:   EndpointCallRecords,
		Kinds:  append(kinds, meetings()...),
		Trunks: []simulator.Trunk{{Weight: 1}},
		Users:  users(), Prefixes: places(), Own: own(), NoCurrency: "XXX",
	}
}

// ofTwo is a kind of call of two.
func ofTwo(weight int, direction cdr.Direction, outcome cdr.Outcome, p simulator.Party, s shape) simulator.Kind {
	set(&s.segments, 1)
	return simulator.Kind{
		Weight: weight, Wire: peerToPeer, CallType: "peer_to_peer", Direction: direction, Outcome: outcome,
		Party: p, Ring: time.Minute, Detail: &s,
	}
}

func callsOfTwo() []simulator.Kind {
	between := func(weight int, outcome cdr.Outcome, s shape) simulator.Kind {
		return ofTwo(weight, cdr.Internal, outcome, simulator.Colleague, s)
	}
	return []simulator.Kind{
		between(380, cdr.Answered, shape{segments: 2}),
		between(70, cdr.NotConnected, shape{failed: setupFailures()}),
		between(25, cdr.Answered, shape{failed: droppedSessions()}),
		between(20, cdr.Answered, shape{role: "voicemail"}),
		between(4, cdr.Answered, shape{role: "customBot", test: true}),
		between(3, cdr.Answered, shape{segments: 45}),
		between(5, cdr.NotConnected, shape{never: true}),
	}
}

func phoneCalls() []simulator.Kind {
	outbound := func(weight int, outcome cdr.Outcome, s shape) simulator.Kind {
		s.phone = true
		return ofTwo(weight, cdr.Outbound, outcome, simulator.Geographic, s)
	}
	inbound := func(weight int, outcome cdr.Outcome, s shape) simulator.Kind {
		s.phone = true
		return ofTwo(weight, cdr.Inbound, outcome, simulator.Geographic, s)
	}
	return []simulator.Kind{
		outbound(80, cdr.Answered, shape{segments: 4}),
		inbound(80, cdr.Answered, shape{segments: 4}),
		party(inbound(5, cdr.Answered, shape{}), simulator.Anonymous),
		inbound(25, cdr.Answered, shape{role: "skypeForBusinessAutoAttendant", segments: 3}),
		inbound(10, cdr.Answered, shape{role: "skypeForBusinessCallQueues", segments: 3}),
		outbound(20, cdr.NotConnected, shape{failed: setupFailures()}),
		inbound(12, cdr.NotConnected, shape{failed: setupFailures()}),
		outbound(8, cdr.Answered, shape{failed: droppedSessions(), segments: 2}),
		emergency(outbound(3, cdr.Answered, shape{}), simulator.Dial911, cdr.EmergencyReal),
		emergency(outbound(2, cdr.Answered, shape{}), simulator.Dial933, cdr.EmergencyTest),
		emergency(outbound(1, cdr.NotConnected, shape{failed: setupFailures()}), simulator.Dial112, cdr.EmergencyReal),
	}
}

func meetings() []simulator.Kind {
	group := func(weight int, direction cdr.Direction, p simulator.Party, s shape) simulator.Kind {
		s.group = true
		set(&s.segments, 2)
		return simulator.Kind{
			Weight: weight, Wire: groupCall, CallType: "group_call", Direction: direction, Outcome: cdr.Answered,
			Party: p, Detail: &s,
		}
	}
	return []simulator.Kind{
		group(110, cdr.Internal, simulator.Colleague, shape{least: 2, most: 8}),
		group(25, cdr.Internal, simulator.Colleague, shape{least: 9, most: 30}),
		group(20, cdr.Inbound, simulator.Geographic, shape{least: 3, most: 8, phones: 2}),
		group(10, cdr.Outbound, simulator.Geographic, shape{least: 3, most: 6, phones: 1}),
		group(4, cdr.Internal, simulator.Colleague, shape{least: 61, most: 100}),
		group(2, cdr.Internal, simulator.Colleague, shape{least: 131, most: 160}),
	}
}

// routedShape makes a record of a call of Direct Routing.
func routedShape(c *simulator.Call, kind *simulator.Kind) *shape {
	s := &shape{phone: true, segments: 3}
	if c.User == nil {
		s.role = "skypeForBusinessAutoAttendant"
	}
	if !kind.Outcome.Connected() {
		s.failed = []failing{{weight: 1, stage: stageSetup}}
	}
	return s
}
