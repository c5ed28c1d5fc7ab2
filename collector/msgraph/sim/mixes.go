package sim

import (
	_ "embed" // of the tables
	"fmt"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// The tables of mixes.
var (
	//go:embed mixes/places.yaml
	placesTable string
	//go:embed mixes/pstn.yaml
	pstnTable string
	//go:embed mixes/directrouting.yaml
	directRoutingTable string
	//go:embed mixes/callrecords.yaml
	callRecordsTable string
)

func newMix[D any](endpoint, table string, complete func(*simulator.Kind, *D)) *simulator.Mix {
	m := simulator.ReadMix(complete, placesTable, table)
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

// PSTNMix is traffic of getPstnCalls.
func PSTNMix() *simulator.Mix {
	return newMix[struct{}](EndpointPSTN, pstnTable, nil)
}

// DirectRoutingMix is traffic of getDirectRoutingCalls.
func DirectRoutingMix() *simulator.Mix {
	type detail struct{ Unsaid bool } // no successfulCall
	return newMix(EndpointDirectRouting, directRoutingTable, func(k *simulator.Kind, d *detail) {
		if !d.Unsaid {
			k.Success = cdr.KnownBool(k.Outcome == cdr.Answered)
		}
	})
}

// CallRecordsMix is traffic of call records.
func CallRecordsMix() *simulator.Mix {
	return newMix(EndpointCallRecords, callRecordsTable, complete)
}

// shape is what makes a call record of a kind of call.
type shape struct {
	// People are how many take part in a group call, at least and at most; none in a call of two.
	People []int
	// Phones is how many of them are telephones: those that come first.
	Phones int
	// Role is the service that takes a call of two, instead of a user.
	Role string
	// Failed is how the session of a call of two failed, by the name in failures; empty: it didn't.
	Failed string
	// Segments is how many segments a session has at most.
	Segments int
	// Test marks calls to the test service, Never records that never have a session.
	Test, Never bool

	group bool
	// phone says that the other party of a call of two is a telephone.
	phone bool
}

// complete adds what makes a call record of a call.
func complete(k *simulator.Kind, s *shape) {
	if k.Direction == cdr.Internal {
		k.Party = simulator.Colleague
	}
	s.Segments, s.group = max(s.Segments, 1), s.People != nil
	s.phone = !s.group && k.Direction != cdr.Internal
}

// The roles of services that callers visit.
const (
	attendant = "skypeForBusinessAutoAttendant"
	callQueue = "skypeForBusinessCallQueues"
)

// routedShape makes a record of a call of Direct Routing.
func routedShape(c *simulator.Call, kind *simulator.Kind) *shape {
	s := &shape{phone: true, Segments: 3}
	if c.User == nil {
		s.Role = attendant
	}
	if !kind.Outcome.Connected() {
		s.Failed = "routed"
	}
	return s
}
