package sim

import (
	"cmp"
	"embed"
	"fmt"
	"strconv"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

//go:embed mixes
var mixes embed.FS

func newMix(endpoint, table string, complete func(*simulator.Kind, simulator.Options)) *simulator.Mix {
	var text []byte
	for _, name := range []string{"places", table} {
		part, err := mixes.ReadFile("mixes/" + name + ".txt")
		if err != nil {
			panic(err)
		}
		text = append(text, part...)
	}
	m := simulator.ReadMix(string(text), complete)
	m.Name, m.NoCurrency = endpoint, "XXX"
	m.Users = simulator.Users([]string{"Alex", "Robin", "Kim", "Sam", "Jo", "Chris", "Toni", "Dana"},
		[]string{"Example", "Sample", "Muster", "Placeholder", "Specimen"}, func(i, j int, first, last string) simulator.User {
			return simulator.User{
				ID:        fmt.Sprintf("5a5a0000-0000-4000-8000-%012d", 100*i+j),
				Principal: fmt.Sprintf("%s.%s@contoso.example", first, last), Name: first + " " + last,
			}
		})
	return m
}

// operatorConnect is the family of PSTN trunks that aren't calling plans.
const operatorConnect = 1

// PSTNMix is traffic of getPstnCalls.
func PSTNMix() *simulator.Mix {
	return newMix(EndpointPSTN, "pstn", func(*simulator.Kind, simulator.Options) {})
}

// DirectRoutingMix is traffic of getDirectRoutingCalls.
func DirectRoutingMix() *simulator.Mix {
	return newMix(EndpointDirectRouting, "directrouting", func(k *simulator.Kind, o simulator.Options) {
		if _, unsaid := o.Take("unsaid"); !unsaid {
			k.Success = cdr.KnownBool(k.Outcome == cdr.Answered)
		}
	})
}

// CallRecordsMix is traffic of call records.
func CallRecordsMix() *simulator.Mix {
	return newMix(EndpointCallRecords, "callrecords", completeShape)
}

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

// completeShape adds what makes a call record of a call.
func completeShape(k *simulator.Kind, o simulator.Options) {
	s := &shape{segments: cmp.Or(o.Number("segments"), 1), phones: o.Number("phones")}
	k.Detail = s
	if k.Direction == cdr.Internal {
		k.Party = simulator.Colleague
	}
	people, _ := o.Take("people")
	least, most, group := strings.Cut(people, "-")
	s.least, _ = strconv.Atoi(least)
	s.most, _ = strconv.Atoi(most)
	s.group, s.phone = group, !group && k.Direction != cdr.Internal
	s.role, _ = o.Take("role")
	_, s.test = o.Take("test")
	_, s.never = o.Take("never")
	switch failed, _ := o.Take("failed"); failed {
	case "setup":
		s.failed = setupFailures
	case "dropped":
		s.failed = droppedSessions
	}
}

// routedShape makes a record of a call of Direct Routing.
func routedShape(c *simulator.Call, kind *simulator.Kind) *shape {
	s := &shape{phone: true, segments: 3}
	if c.User == nil {
		s.role = "skypeForBusinessAutoAttendant"
	}
	if !kind.Outcome.Connected() {
		s.failed = []failure{{Weight: 1, stage: stageSetup}}
	}
	return s
}

// failure is a way in which a session fails.
type failure struct {
	simulator.Weight
	stage failureStage
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

var setupFailures = []failure{
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

var droppedSessions = []failure{
	{6, stageMidcall, "", ""},
	{2, stageMidcall, "Network connectivity was lost", "network"},
	{1, stageMidcall, "Media path lost", "media"},
}
