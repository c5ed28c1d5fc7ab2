package sim

import (
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// answeredIn are inbound calls that a person or voicemail answered.
func answeredIn() []simulator.Kind {
	accepted := func(weight int, options ...option) simulator.Kind {
		return in(weight, cdr.Answered, "Accepted", append([]option{free}, options...)...)
	}
	voicemail := func(weight int, result string, options ...option) simulator.Kind {
		return in(weight, cdr.Voicemail, result,
			append(options, message("VoiceMail"), legs(accept(result, cdr.Voicemail), findMe("No Answer", cdr.NoAnswer)))...)
	}
	yes, stopped := accept("Accepted", cdr.Answered), findMe("Stopped", cdr.Cancelled)
	return []simulator.Kind{
		accepted(160),
		accepted(60, legs(yes, yes)),
		accepted(40, legs(yes, yes, findMe("Accepted", cdr.Answered))),
		// A queue.
		accepted(40, legs(yes, stopped, findMe("Accepted", cdr.Answered), stopped)),
		// A person did talk: the row says Missed, a leg Accepted.
		in(12, cdr.Answered, "Missed", legs(accept("Missed", cdr.NoAnswer), findMe("Accepted", cdr.Answered)), plain(in(12, cdr.NoAnswer, "Missed"))),
		// No result, but a leg that was accepted.
		in(5, cdr.Answered, "", legs(yes), plain(in(5, cdr.Unknown, "", unfinished))),
		accepted(10, party(simulator.Anonymous)),
		accepted(5, party(simulator.Label)),
		accepted(5, party(simulator.Null)),
		accepted(8, party(simulator.NoPlus)),
		accepted(4, party(simulator.National)),
		accepted(20, action("Transfer", "transfer")),
		accepted(10, action("Call Return", "call_return")),
		accepted(5, action("FindMe", "find_me")),
		accepted(3, action("Accept Call", "accept_call")),
		// Compared without case, and trimmed.
		in(4, cdr.Answered, "ACCEPTED", free, fresh),
		in(3, cdr.Answered, " accepted ", free, fresh),
		in(4, cdr.Answered, "Answered Elsewhere", fresh),
		voicemail(60, "Voicemail"),
		voicemail(6, "Sent to Voicemail", fresh),
		voicemail(3, "Callback requested", fresh),
	}
}

// answeredOut are outbound calls that were answered, and emergency calls.
func answeredOut() []simulator.Kind {
	connected := func(weight int, options ...option) simulator.Kind {
		return out(weight, cdr.Answered, "Call connected", append([]option{priced}, options...)...)
	}
	return []simulator.Kind{
		connected(200),
		connected(20, bare),
		out(15, cdr.Answered, "Call connected"),
		connected(30, reason("Connected", "The call connected.")),
		// An inbound call on a softphone, as RingCentral shows some of them.
		out(10, cdr.Answered, "Accepted"),
		connected(10, action("RingOut PC", "ringout_pc")),
		connected(10, action("RingOut Mobile", "ringout_mobile")),
		connected(4, action("Conference Call", "conference_call")),
		connected(3, action("CallOut-CallMe", "call_out_call_me")),
		connected(2, action("RC Meetings", "rc_meetings")),
		connected(2, action("FreeSPDL", "free_spdl"), fresh),
		connected(3, action("VoiceChat Call", "voice_chat_call"), fresh),
		connected(8, party(simulator.NoPlus)),
		out(4, cdr.Answered, "Call connected", party(simulator.Short)),
		out(2, cdr.Answered, "Call connected", emergency(simulator.Dial911, cdr.EmergencyReal)),
		out(2, cdr.Answered, "Call connected", action("Emergency", "emergency"), emergency(simulator.Dial911, cdr.EmergencyReal)),
		out(2, cdr.Answered, "911", emergency(simulator.Dial911, cdr.EmergencyReal), fresh),
		out(2, cdr.Answered, "933", emergency(simulator.Dial933, cdr.EmergencyTest), fresh),
		out(1, cdr.Failed, "Call Failed", emergency(simulator.Dial112, cdr.EmergencyReal)),
	}
}

// pairs are calls of two rows.
func pairs() []simulator.Kind {
	const connected = "Call connected"
	web, caller := action("RingOut Web", "ringout_web"), ringOut("RingOutWebToCaller", "ringout_web_to_caller")
	return []simulator.Kind{
		out(40, cdr.Answered, connected, free, internal, legs(colleague(connected, cdr.Answered)),
			second(in(1, cdr.Answered, "Accepted", free, internal))),
		out(10, cdr.NoAnswer, "No Answer", internal, legs(colleague("No Answer", cdr.NoAnswer)),
			second(in(1, cdr.NoAnswer, "Missed", internal))),
		out(20, cdr.Answered, connected, priced, web, legs(ringOut("RingOutWebToSubscriber", "ringout_web_to_subscriber"), caller),
			second(out(20, cdr.Answered, connected, priced, web, legs(caller), ownCall))),
		// A warm transfer is two sessions of one contact.
		in(12, cdr.Answered, "Accepted", free, transfer("transferTarget"),
			second(out(1, cdr.Answered, connected, priced, transfer("transferee"), ownCall))),
	}
}

// views are sessions that an extension's log lists once for each part that the extension had in them.
func views() []simulator.Kind {
	list := []simulator.Kind{
		in(120, cdr.Answered, "Accepted", free),
		in(40, cdr.Answered, "Accepted", priced, legs(accept("Accepted", cdr.Answered), findMe("Accepted", cdr.Answered))),
		in(40, cdr.NoAnswer, "Missed"),
		out(80, cdr.Answered, "Call connected", priced),
		out(20, cdr.Busy, "Busy"),
	}
	for i := range list {
		again := list[i]
		again.View = true
		list[i].Second = &again
	}
	return list
}

// unanswered are calls that weren't answered for reasons of the two parties.
func unanswered() []simulator.Kind {
	missed := findMe("Missed", cdr.NoAnswer)
	return []simulator.Kind{
		in(60, cdr.NoAnswer, "Missed", becomes(in(1, cdr.Voicemail, "Voicemail", message("VoiceMail")))),
		in(20, cdr.NoAnswer, "Missed", legs(accept("Missed", cdr.NoAnswer), missed, missed)),
		in(8, cdr.NoAnswer, "No Answer"),
		in(6, cdr.NoAnswer, "Answered Not Accepted"),
		in(15, cdr.Cancelled, "Hang Up", reason("Hang Up", "The caller hung up.")),
		in(6, cdr.Cancelled, "Abandoned"),
		in(3, cdr.Cancelled, "Stopped"),
		in(8, cdr.Busy, "Busy"),
		in(6, cdr.Rejected, "Rejected"),
		in(5, cdr.Rejected, "Declined"),
		in(4, cdr.Rejected, "Reply"),
		in(8, cdr.Rejected, "Blocked"),
		out(30, cdr.NoAnswer, "No Answer", becomes(out(1, cdr.Answered, "Call connected", priced)), reason("Not Answered", "Nobody answered.")),
		out(25, cdr.Busy, "Busy", reason("line Busy", "The line was busy.")),
		out(25, cdr.Cancelled, "Hang Up"),
		out(5, cdr.Rejected, "Rejected"),
		out(4, cdr.Rejected, "Declined"),
	}
}

// refused are calls to numbers that don't exist or aren't allowed.
func refused() []simulator.Kind {
	return []simulator.Kind{
		out(12, cdr.InvalidNumber, "Wrong Number", reason("Wrong Number", "The number is wrong.")),
		out(5, cdr.NotAllowed, "Not Allowed", fresh),
		out(4, cdr.NotAllowed, "Restricted Number"),
		out(5, cdr.NotAllowed, "International Disabled", reason("International Disabled", "International calls are off.")),
		out(4, cdr.NotAllowed, "International Restricted"),
		out(3, cdr.NotAllowed, "No Calling Credit"),
		out(2, cdr.NotAllowed, "Suspended account"),
	}
}

// failures are calls that network, carrier or service lost.
func failures() []simulator.Kind {
	return []simulator.Kind{
		out(8, cdr.Failed, "Call Failed"),
		out(3, cdr.Failed, "Call Failed", reason("Failed Try Again", "Try again later.")),
		out(3, cdr.Failed, "Call Failure"),
		out(3, cdr.Failed, "Internal Error"),
		out(4, cdr.Failed, "Carrier is not active", reason("Carrier is not active", ""), fresh),
		out(2, cdr.Failed, "EDGE trunk misconfigured", fresh),
		in(6, cdr.Failed, "IP Phone Offline"),
		in(3, cdr.Failed, "Internal Error", reason("Internal Error", "An internal error.")),
	}
}

// incidents are what calls turn into while the carrier fails.
func incidents() []simulator.Kind {
	return []simulator.Kind{
		out(5, cdr.Failed, "Carrier is not active", fresh),
		out(3, cdr.Failed, "Call Failed", reason("Resource Error", "The call could not be completed.")),
		in(2, cdr.Failed, "Call Failed", reason("Internal Error", "The call could not be completed.")),
		in(2, cdr.Failed, "EDGE trunk misconfigured", fresh),
	}
}

// odd are rows that are difficult to read.
func odd() []simulator.Kind {
	strange := newLeg("HologramToPstn", "hologram_to_pstn", "Accepted", cdr.Answered, legWire{"Phone Call", "Inbound", "PSTN", false, false})
	return []simulator.Kind{
		// Neither result nor duration, and a user's name alone.
		out(6, cdr.Unknown, "", legs(), bare, unfinished),
		in(3, cdr.Unknown, "Unknown"),
		in(3, cdr.Unknown, "Teleported", fresh),
		in(3, cdr.Answered, "Accepted", action("Hologram Call", "hologram_call"), fresh),
		in(3, cdr.Answered, "Accepted", legs(accept("Accepted", cdr.Answered), strange), fresh),
		out(3, cdr.Failed, "Call Failed", reason("Wormhole Collapsed", ""), fresh),
	}
}

// ignoredRows are rows that aren't calls.
func ignoredRows() []simulator.Kind {
	sent, received := action("Outgoing Fax", "outgoing_fax"), action("Incoming Fax", "incoming_fax")
	fax, voice := func(k *simulator.Kind, w *wire) { ignored("Fax")(k, w); w.message = "Fax" }, ignored("Voice")
	return []simulator.Kind{
		in(15, cdr.Unknown, "Received", received, fax),
		in(5, cdr.Unknown, "Receive Error", received, fax),
		in(4, cdr.Unknown, "Partial Receive", received, fax),
		out(12, cdr.Unknown, "Sent", sent, fax),
		out(4, cdr.Unknown, "Send Error", sent, fax),
		out(3, cdr.Unknown, "Accepted", action("E911 Update", "e911_update"), voice),
		out(5, cdr.Unknown, "Accepted", action("Monitoring", "monitoring"), voice),
		out(3, cdr.Unknown, "Accepted", action("Barge In Call", "barge_in_call"), voice, fresh),
		out(4, cdr.Unknown, "Accepted", action("Paging", "paging"), voice),
		out(2, cdr.Unknown, "Accepted", action("Text Relay", "text_relay"), voice),
		out(6, cdr.Unknown, "Accepted", action("Phone Login", "phone_login"), voice),
		// An unknown type.
		in(2, cdr.Unknown, "Accepted", action("RC Meetings", "rc_meetings"), ignored("Video"), fresh),
	}
}
