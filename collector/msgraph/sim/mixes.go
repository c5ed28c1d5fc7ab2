package sim

import (
	_ "embed" // embeds the tables
	"fmt"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// The tables of traffic mixes.
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
		[]string{"Example", "Sample", "Muster", "Placeholder", "Specimen"},
		func(i, j int, first, last string) simulator.User {
			return simulator.User{
				ID:        fmt.Sprintf("5a5a0000-0000-4000-8000-%012d", 100*i+j),
				Principal: fmt.Sprintf("%s.%s@contoso.example", first, last), Name: first + " " + last,
			}
		})
	return m
}

// PSTNMix is the traffic mix of getPstnCalls.
func PSTNMix() *simulator.Mix {
	return newMix[struct{}](EndpointPSTN, pstnTable, nil)
}

// DirectRoutingMix is the traffic mix of getDirectRoutingCalls.
func DirectRoutingMix() *simulator.Mix {
	type detail struct{ Unsaid bool } // the row has no successfulCall
	return newMix(EndpointDirectRouting, directRoutingTable, func(k *simulator.Kind, d *detail) {
		if !d.Unsaid {
			k.Success = cdr.KnownBool(k.Outcome == cdr.Answered)
		}
	})
}

// CallRecordsMix is the traffic mix of call records.
func CallRecordsMix() *simulator.Mix {
	return newMix(EndpointCallRecords, callRecordsTable, complete)
}

// shape describes the call record of a kind of call.
type shape struct {
	// People are the minimum and maximum number of participants of a group call; zero for a call of
	// two.
	People []int
	// Phones is how many of the participants are telephones; they come first.
	Phones int
	// Role is the service that answers a call of two, in place of a user.
	Role string
	// Failed is how the session of a call of two failed, by its name in failures; empty if it
	// didn't fail.
	Failed string
	// Segments is the maximum number of segments of a session.
	Segments int
	// Test marks calls to the test service, Never records that never have a session.
	Test, Never bool

	group bool
	// phone says that the other party of a call of two is a telephone.
	phone bool
}

// complete adds to a call what its call record needs.
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

// routedShape describes the record of a Direct Routing call.
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
