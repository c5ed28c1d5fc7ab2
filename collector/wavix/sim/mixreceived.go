package sim

import (
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// ReceivedMix is traffic of type received. It has no trunk: what a trunk's Wire holds is the destination, which is never a label.
func ReceivedMix() *simulator.Mix {
	m := mix(Received)
	m.Kinds = append(append(receivedKinds(), forwardedKinds()...), oddReceivedKinds()...)
	m.Incident = []simulator.Kind{free(inbound(3, "failed", cdr.Failed)), free(inbound(1, "noanswer", cdr.NoAnswer))}
	m.Trunks = []simulator.Trunk{
		{Weight: 3, Wire: "My trunk"},
		{Weight: 2, Wire: "sip:36465@sip.example.com"},
		{Weight: 1, Wire: `Front "desk", 1st floor`},
	}
	// The connection is the fee for forwarding, for those that are forwarded.
	m.Tariffs = []simulator.Tariff{
		{Weight: 6, PerMinute: 590, Connection: 1200},
		{Weight: 4, PerMinute: 325, Connection: 5}, // 0.00005
	}
	return m
}

func inbound(weight int, disposition string, outcome cdr.Outcome) simulator.Kind {
	return kind(weight, Received, cdr.Inbound, disposition, outcome)
}

func receivedKinds() []simulator.Kind {
	answered := inbound(320, "answered", cdr.Answered)
	return []simulator.Kind{
		answered,
		party(inbound(20, "answered", cdr.Answered), simulator.Label),
		party(inbound(10, "answered", cdr.Answered), simulator.Empty),
		becomes(free(inbound(80, "noanswer", cdr.NoAnswer)), answered),
		free(inbound(20, "busy", cdr.Busy)),
		free(inbound(12, "failed", cdr.Failed)),
		in(inbound(8, "answered", cdr.Answered), selfParent),
	}
}

// forwardedKinds are parents. Their outcome doesn't change: what it was when a leg was counted decides whether the leg's failure counts
// (guarantee 3).
func forwardedKinds() []simulator.Kind {
	return []simulator.Kind{
		in(inbound(40, "answered", cdr.Answered), forwarded),
		in(inbound(15, "answered", cdr.Answered), forwardedInVain),
		in(free(inbound(15, "noanswer", cdr.NoAnswer)), forwardedInVain),
		in(free(inbound(10, "failed", cdr.Failed)), forwardedInVain),
		in(free(inbound(8, "noanswer", cdr.NoAnswer)), forwarded),
	}
}

// oddReceivedKinds aren't in Wavix's document of 2026.
func oddReceivedKinds() []simulator.Kind {
	return []simulator.Kind{
		inbound(10, "ANSWERED", cdr.Answered),
		party(inbound(15, "answered", cdr.Answered), simulator.Null),
		free(inbound(5, "rejected", cdr.Rejected)),
		unpriced(inbound(5, "Failed", cdr.Failed)),
		free(inbound(3, "voicemail_full", cdr.Unknown)),
		inbound(6, "", cdr.Answered),
		unpriced(inbound(3, "", cdr.Unknown)),
	}
}
