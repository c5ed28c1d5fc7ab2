package sim

import (
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// unanswered are calls that nobody took, for reasons of the two parties.
func unanswered() []simulator.Kind {
	queue := legs(in(20, cdr.NoAnswer, "Missed"), accept("Missed", cdr.NoAnswer),
		findMe("Missed", cdr.NoAnswer), findMe("Missed", cdr.NoAnswer))
	return []simulator.Kind{
		becomes(in(60, cdr.NoAnswer, "Missed"), message(in(1, cdr.Voicemail, "Voicemail"))),
		queue,
		in(8, cdr.NoAnswer, "No Answer"),
		in(6, cdr.NoAnswer, "Answered Not Accepted"),
		reason(in(15, cdr.Cancelled, "Hang Up"), "Hang Up", "The caller hung up."),
		in(6, cdr.Cancelled, "Abandoned"),
		in(3, cdr.Cancelled, "Stopped"),
		in(8, cdr.Busy, "Busy"),
		in(6, cdr.Rejected, "Rejected"),
		in(5, cdr.Rejected, "Declined"),
		in(4, cdr.Rejected, "Reply"),
		in(8, cdr.Rejected, "Blocked"),
		reason(becomes(out(30, cdr.NoAnswer, "No Answer"), priced(out(1, cdr.Answered, "Call connected"))), "Not Answered", "Nobody answered."),
		reason(out(25, cdr.Busy, "Busy"), "line Busy", "The line was busy."),
		out(25, cdr.Cancelled, "Hang Up"),
		out(5, cdr.Rejected, "Rejected"),
		out(4, cdr.Rejected, "Declined"),
	}
}

// refused are calls to numbers that don't exist or aren't allowed.
func refused() []simulator.Kind {
	return []simulator.Kind{
		reason(out(12, cdr.InvalidNumber, "Wrong Number"), "Wrong Number", "The number is wrong."),
		fresh(out(5, cdr.NotAllowed, "Not Allowed")),
		out(4, cdr.NotAllowed, "Restricted Number"),
		reason(out(5, cdr.NotAllowed, "International Disabled"), "International Disabled", "International calls are off."),
		out(4, cdr.NotAllowed, "International Restricted"),
		out(3, cdr.NotAllowed, "No Calling Credit"),
		out(2, cdr.NotAllowed, "Suspended account"),
	}
}

// failures are calls that network, carrier or service lost.
func failures() []simulator.Kind {
	return []simulator.Kind{
		out(8, cdr.Failed, "Call Failed"),
		reason(out(3, cdr.Failed, "Call Failed"), "Failed Try Again", "Try again later."),
		out(3, cdr.Failed, "Call Failure"),
		out(3, cdr.Failed, "Internal Error"),
		fresh(reason(out(4, cdr.Failed, "Carrier is not active"), "Carrier is not active", "")),
		fresh(out(2, cdr.Failed, "EDGE trunk misconfigured")),
		in(6, cdr.Failed, "IP Phone Offline"),
		reason(in(3, cdr.Failed, "Internal Error"), "Internal Error", "An internal error."),
	}
}

// odd are rows that a reader may stumble over.
func odd() []simulator.Kind {
	// Neither result nor duration, and a user's name alone.
	untold := detail(legs(out(6, cdr.Unknown, "")), func(w *wire) { w.bare = true })
	untold.Unfinished = true
	strange := newLeg("HologramToPstn", "hologram_to_pstn", "Accepted", cdr.Answered, legWire{action: "Phone Call", direction: "Inbound", transport: "PSTN"})
	return []simulator.Kind{
		untold,
		in(3, cdr.Unknown, "Unknown"),
		fresh(legs(in(3, cdr.Unknown, "Teleported"), accept("Teleported", cdr.Unknown))),
		fresh(action(in(3, cdr.Answered, "Accepted"), "Hologram Call", "hologram_call")),
		fresh(legs(in(3, cdr.Answered, "Accepted"), accept("Accepted", cdr.Answered), strange)),
		fresh(reason(out(3, cdr.Failed, "Call Failed"), "Wormhole Collapsed", "")),
	}
}

// noCallsAtAll are rows that aren't calls.
func noCallsAtAll() []simulator.Kind {
	fax := func(weight int, result string, received bool) simulator.Kind {
		k := action(out(weight, cdr.Unknown, result), "Outgoing Fax", "outgoing_fax")
		if received {
			k = action(in(weight, cdr.Unknown, result), "Incoming Fax", "incoming_fax")
		}
		return detail(ignored(k, "Fax"), func(w *wire) { w.message = "Fax" })
	}
	voice := func(weight int, wire, label string) simulator.Kind {
		return ignored(action(out(weight, cdr.Unknown, "Accepted"), wire, label), "Voice")
	}
	return []simulator.Kind{
		fax(15, "Received", true), fax(5, "Receive Error", true), fax(4, "Partial Receive", true),
		fax(12, "Sent", false), fax(4, "Send Error", false),
		voice(3, "E911 Update", "e911_update"),
		voice(5, "Monitoring", "monitoring"),
		fresh(voice(3, "Barge In Call", "barge_in_call")),
		voice(4, "Paging", "paging"),
		voice(2, "Text Relay", "text_relay"),
		voice(6, "Phone Login", "phone_login"),
		// A type that nobody knows.
		fresh(ignored(action(in(2, cdr.Unknown, "Accepted"), "RC Meetings", "rc_meetings"), "Video")),
	}
}
