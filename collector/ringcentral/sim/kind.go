package sim

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// wire is what the API says about a kind of row and what the totals don't depend on.
type wire struct {
	// kind is the row's type, direction its direction: that of a call between two extensions is either.
	kind, direction, internalType, transport string
	reason, description                      string
	legs                                     []legWire
	// message is the type of the linked message, link the member that names the other session of a transfer.
	message, link string
	// bare leaves all but the name out of the user's party.
	bare bool
	// fresh marks values that are younger than RingCentral's published specification, or that it doesn't have at all.
	fresh bool
}

// legWire is the same for a leg.
type legWire struct {
	action, direction, transport string
	master, user                 bool
}

func detailOf(v *simulator.Version) *wire { return v.Kind.Detail.(*wire) }

// option changes a kind while it is made.
type option func(*simulator.Kind, *wire)

// in is a kind of inbound call, with the one leg that every such call has.
func in(weight int, outcome cdr.Outcome, result string, options ...option) simulator.Kind {
	k := simulator.Kind{Weight: weight, Wire: "Phone Call", CallType: "phone_call", Direction: cdr.Inbound, List: voiceIn}
	return newKind(k, &wire{direction: "Inbound", transport: "PSTN"}, outcome, result, accept(result, outcome), options)
}

// out is a kind of outbound call, with the one leg that every such call has.
func out(weight int, outcome cdr.Outcome, result string, options ...option) simulator.Kind {
	k := simulator.Kind{Weight: weight, Wire: "VoIP Call", CallType: "voip_call", Direction: cdr.Outbound, List: voiceOut}
	metered := newLeg("SipToPstnMetered", "sip_to_pstn_metered", result, outcome, legWire{"VoIP Call", "Outbound", "VoIP", false, true})
	return newKind(k, &wire{direction: "Outbound", transport: "VoIP"}, outcome, result, metered, options)
}

func newKind(k simulator.Kind, w *wire, outcome cdr.Outcome, result string, l leg, options []option) simulator.Kind {
	k.Outcome, k.Phrase, k.NoMedia, k.NoInvite, k.Ring, k.Detail = outcome, result, true, true, time.Minute, w
	w.kind, w.internalType = "Voice", "LongDistance"
	legs(l)(&k, w)
	for _, change := range options {
		change(&k, w)
	}
	return k
}

// leg is a leg with what the API says about it.
type leg struct {
	simulator.Leg
	legWire
}

func newLeg(kind, label, result string, outcome cdr.Outcome, w legWire) leg {
	return leg{simulator.Leg{Wire: kind, Type: label, Result: result, Outcome: outcome}, w}
}

func accept(result string, outcome cdr.Outcome) leg {
	return newLeg("Accept", "accept", result, outcome, legWire{"Phone Call", "Inbound", "PSTN", false, true})
}

func findMe(result string, outcome cdr.Outcome) leg {
	l := newLeg("FindMe", "find_me", result, outcome, legWire{"FindMe", "Outbound", "PSTN", false, true})
	l.After = 4 * time.Second
	return l
}

func colleague(result string, outcome cdr.Outcome) leg {
	return newLeg("ExtensionToExtension", "extension_to_extension", result, outcome, legWire{"VoIP Call", "Outbound", "VoIP", false, true})
}

func ringOut(kind, label string) leg {
	return newLeg(kind, label, "Call connected", cdr.Answered, legWire{"RingOut Web", "Outbound", "PSTN", false, false})
}

// legs replaces a kind's legs; the first is the one that describes the whole.
func legs(list ...leg) option {
	return func(k *simulator.Kind, w *wire) {
		k.Legs, w.legs = nil, nil
		for i, l := range list {
			l.master = i == 0
			k.Legs, w.legs = append(k.Legs, l.Leg), append(w.legs, l.legWire)
		}
	}
}

// action is another action: as RingCentral spells it and as the label has it.
func action(name, label string) option {
	return func(k *simulator.Kind, _ *wire) { k.Wire, k.CallType = name, label }
}

func reason(name, text string) option {
	return func(_ *simulator.Kind, w *wire) { w.reason, w.description = name, text }
}

func message(kind string) option { return func(_ *simulator.Kind, w *wire) { w.message = kind } }

func transfer(member string) option { return func(_ *simulator.Kind, w *wire) { w.link = member } }

func party(p simulator.Party) option { return func(k *simulator.Kind, _ *wire) { k.Party = p } }

func emergency(p simulator.Party, e cdr.Emergency) option {
	return func(k *simulator.Kind, _ *wire) { k.Party, k.Emergency = p, e }
}

// becomes is what RingCentral corrects the kind to.
func becomes(later simulator.Kind) option {
	return func(k *simulator.Kind, _ *wire) { k.Becomes = &later }
}

// plain is what the kind is to a reader that doesn't see its legs.
func plain(without simulator.Kind) option {
	return func(k *simulator.Kind, _ *wire) { k.Plain = &without }
}

// second is the row that follows, from the other side of the call.
func second(other simulator.Kind) option {
	return func(k *simulator.Kind, _ *wire) { k.Second = &other }
}

func priced(k *simulator.Kind, _ *wire)     { k.Priced = true }
func free(k *simulator.Kind, _ *wire)       { k.Free = true }
func ownCall(k *simulator.Kind, _ *wire)    { k.OwnCall = true }
func unfinished(k *simulator.Kind, _ *wire) { k.Unfinished = true }
func fresh(_ *simulator.Kind, w *wire)      { w.fresh = true }
func bare(_ *simulator.Kind, w *wire)       { w.bare = true }

// internal is a call between two extensions, neither of which has a number.
func internal(k *simulator.Kind, w *wire) {
	k.Direction, k.Party, w.internalType, w.transport = cdr.Internal, simulator.Colleague, "Local", "VoIP"
}

// ignored is a row of a type that is no call.
func ignored(kind string) option {
	return func(k *simulator.Kind, w *wire) {
		k.Ignored, k.Outcome, k.Family = true, cdr.Unknown, noCalls
		if kind != "Voice" {
			k.List += otherIn - voiceIn
		}
		w.kind = kind
		legs()(k, w)
	}
}
