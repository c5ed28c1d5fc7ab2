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
	failed []failure
	// segments is how many segments a session has at most.
	segments int
	// test marks calls to the test service, never records that never have a session.
	test, never bool
}

// The types of records.
const (
	groupCall  = "groupCall"
	peerToPeer = "peerToPeer"
)

// CallRecordsMix is traffic of call records: calls of two, with telephones and services, and meetings of a few and of many, of which some fail.
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
	setDefault(&s.segments, 1)
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
		setDefault(&s.segments, 2)
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
		s.failed = []failure{{weight: 1, stage: stageSetup}}
	}
	return s
}

// failure is a way in which a session fails.
type failure struct {
	weight int
	stage  failureStage
	// reason is Graph's text, slug the label: both empty for most.
	reason, slug string
}

// failureStage is when a session failed: Graph's word, the label, and what it means.
type failureStage struct {
	wire, label string
	result      cdr.SessionResult
}

var (
	stageSetup   = failureStage{"callSetup", "call_setup", cdr.SessionSetupFailed}
	stageMidcall = failureStage{"midcall", "midcall", cdr.SessionDropped}
	// stageUnknown doesn't say when: it counts as a failure of setting up.
	stageUnknown = failureStage{"unknown", "unknown", cdr.SessionSetupFailed}
)

func setupFailures() []failure {
	return []failure{
		{60, stageSetup, "", ""},
		{4, stageSetup, "Media connectivity could not be established", "media"},
		{4, stageSetup, "ICE checks failed", "ice"},
		{4, stageSetup, "Call setup timeout", "timeout"},
		{2, stageSetup, "The request timed out", "timeout"},
		{5, stageSetup, "User is busy", "busy"},
		{4, stageSetup, "Declined by the callee", "declined"},
		{2, stageSetup, "The call was rejected", "declined"},
		{5, stageSetup, "Cancelled by the caller", "cancelled"},
		{2, stageSetup, "User not found", "not_found"},
		{2, stageSetup, "Forbidden", "forbidden"},
		{1, stageSetup, "Not authorized to join", "forbidden"},
		{2, stageSetup, "Service unavailable", "unavailable"}, // "Service" has the letters of ICE in it
		{2, stageSetup, "Blocked by a calling policy", "policy"},
		{1, stageSetup, "Hologram jammed", "other"},
		{8, stageUnknown, "", ""},
	}
}

func droppedSessions() []failure {
	return []failure{
		{6, stageMidcall, "", ""},
		{2, stageMidcall, "Network connectivity was lost", "network"},
		{1, stageMidcall, "Media path lost", "media"},
	}
}
