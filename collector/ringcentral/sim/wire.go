package sim

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// wire is what a row of a kind says that means nothing to the totals.
type wire struct {
	// kind is the row's type, direction its direction: that of a call between two
	// extensions is either.
	kind, direction, internalType, transport string
	reason, description                      string
	legs                                     []legWire
	// message is the type of the linked message, link the member that names the other
	// session of a transfer.
	message, link string
	// bare leaves all but the name out of the user's party.
	bare bool
	// fresh marks values that are younger than RingCentral's published specification.
	fresh bool
}

// legWire is what a leg says that means nothing to the totals.
type legWire struct {
	action, direction, transport string
	master, user                 bool
}

func detailOf(v *simulator.Version) *wire { return v.Kind.Detail.(*wire) }

// detail changes the wire of a kind, which no other has.
func detail(k simulator.Kind, change func(*wire)) simulator.Kind {
	w := *k.Detail.(*wire)
	change(&w)
	k.Detail = &w
	return k
}

// leg is a leg with its wire.
type leg struct {
	simulator.Leg
	legWire
}

// in is a kind of inbound call, with the one leg that every such call has.
func in(weight int, outcome cdr.Outcome, result string) simulator.Kind {
	k := simulator.Kind{
		Weight: weight, Wire: "Phone Call", CallType: "phone_call", Direction: cdr.Inbound, Outcome: outcome, Phrase: result,
		NoMedia: true, NoInvite: true, List: voiceIn, Ring: time.Minute,
		Detail: &wire{kind: "Voice", direction: "Inbound", internalType: "LongDistance", transport: "PSTN"},
	}
	return legs(k, accept(result, outcome))
}

// out is a kind of outbound call, with the one leg that every such call has.
func out(weight int, outcome cdr.Outcome, result string) simulator.Kind {
	k := simulator.Kind{
		Weight: weight, Wire: "VoIP Call", CallType: "voip_call", Direction: cdr.Outbound, Outcome: outcome, Phrase: result,
		NoMedia: true, NoInvite: true, List: voiceOut, Ring: time.Minute,
		Detail: &wire{kind: "Voice", direction: "Outbound", internalType: "LongDistance", transport: "VoIP"},
	}
	return legs(k, metered(result, outcome))
}

// legs gives a kind these legs and no others; the first is the one that describes the
// whole.
func legs(k simulator.Kind, list ...leg) simulator.Kind {
	var meanings []simulator.Leg
	var wires []legWire
	for i, l := range list {
		l.master = i == 0
		meanings, wires = append(meanings, l.Leg), append(wires, l.legWire)
	}
	k.Legs = meanings
	return detail(k, func(w *wire) { w.legs = wires })
}

// newLeg is a leg: the type as RingCentral spells it and as the label has it.
func newLeg(kind, label, result string, outcome cdr.Outcome, w legWire) leg {
	return leg{simulator.Leg{Wire: kind, Type: label, Result: result, Outcome: outcome}, w}
}

func accept(result string, outcome cdr.Outcome) leg {
	return newLeg("Accept", "accept", result, outcome, legWire{action: "Phone Call", direction: "Inbound", transport: "PSTN", user: true})
}

func metered(result string, outcome cdr.Outcome) leg {
	return newLeg("SipToPstnMetered", "sip_to_pstn_metered", result, outcome,
		legWire{action: "VoIP Call", direction: "Outbound", transport: "VoIP", user: true})
}

func findMe(result string, outcome cdr.Outcome) leg {
	l := newLeg("FindMe", "find_me", result, outcome, legWire{action: "FindMe", direction: "Outbound", transport: "PSTN", user: true})
	l.After = 4 * time.Second
	return l
}

func colleague(result string, outcome cdr.Outcome) leg {
	return newLeg("ExtensionToExtension", "extension_to_extension", result, outcome,
		legWire{action: "VoIP Call", direction: "Outbound", transport: "VoIP", user: true})
}

func ringOut(kind, label, result string, outcome cdr.Outcome) leg {
	return newLeg(kind, label, result, outcome, legWire{action: "RingOut Web", direction: "Outbound", transport: "PSTN"})
}

// action gives a kind another action: as RingCentral spells it and as the label has it.
func action(k simulator.Kind, wire, label string) simulator.Kind {
	k.Wire, k.CallType = wire, label
	return k
}

func reason(k simulator.Kind, name, text string) simulator.Kind {
	return detail(k, func(w *wire) { w.reason, w.description = name, text })
}

func fresh(k simulator.Kind) simulator.Kind { return detail(k, func(w *wire) { w.fresh = true }) }

func message(k simulator.Kind) simulator.Kind {
	return detail(k, func(w *wire) { w.message = "VoiceMail" })
}

func priced(k simulator.Kind) simulator.Kind {
	k.Priced = true
	return k
}

func free(k simulator.Kind) simulator.Kind {
	k.Free = true
	return k
}

func party(k simulator.Kind, p simulator.Party) simulator.Kind {
	k.Party = p
	return k
}

func emergency(k simulator.Kind, p simulator.Party, e cdr.Emergency) simulator.Kind {
	k.Party, k.Emergency = p, e
	return k
}

// becomes is a kind whose outcome RingCentral corrects to another's.
func becomes(k, later simulator.Kind) simulator.Kind {
	k.Becomes = &later
	return k
}

// plain is a kind that is another to who isn't told its legs.
func plain(k, without simulator.Kind) simulator.Kind {
	k.Plain = &without
	return k
}

// internal is a call between two extensions, neither of which has a number.
func internal(k simulator.Kind) simulator.Kind {
	k.Direction, k.Party = cdr.Internal, simulator.Colleague
	return detail(k, func(w *wire) { w.internalType, w.transport = "Local", "VoIP" })
}

// ignored is a row that is no call, of a type.
func ignored(k simulator.Kind, kind string) simulator.Kind {
	k.Ignored, k.Outcome, k.Family, k.Legs = true, cdr.Unknown, noCalls, nil
	if kind != "Voice" {
		k.List += otherIn - voiceIn
	}
	return detail(k, func(w *wire) { w.kind, w.legs = kind, nil })
}
