package sim

import (
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// answeredIn are inbound calls that somebody or voicemail answered.
func answeredIn() []simulator.Kind {
	answered := func(weight int) simulator.Kind { return free(in(weight, cdr.Answered, "Accepted")) }
	voicemail := func(weight int, result string) simulator.Kind {
		return message(legs(in(weight, cdr.Voicemail, result),
			accept(result, cdr.Voicemail), findMe("No Answer", cdr.NoAnswer)))
	}
	// A person did talk: the row says Missed, a leg Accepted.
	forwarded := plain(legs(in(12, cdr.Answered, "Missed"), accept("Missed", cdr.NoAnswer), findMe("Accepted", cdr.Answered)),
		in(12, cdr.NoAnswer, "Missed"))
	untold := in(5, cdr.Unknown, "")
	untold.Unfinished = true
	queue := legs(answered(40), accept("Accepted", cdr.Answered),
		findMe("Stopped", cdr.Cancelled), findMe("Accepted", cdr.Answered), findMe("Stopped", cdr.Cancelled))
	return []simulator.Kind{
		answered(160),
		legs(answered(60), accept("Accepted", cdr.Answered), accept("Accepted", cdr.Answered)),
		legs(answered(40), accept("Accepted", cdr.Answered), accept("Accepted", cdr.Answered), findMe("Accepted", cdr.Answered)),
		queue, forwarded,
		// No result, but a leg that was accepted.
		plain(legs(in(5, cdr.Answered, ""), accept("Accepted", cdr.Answered)), untold),
		party(answered(10), simulator.Anonymous),
		party(answered(5), simulator.Label),
		party(answered(5), simulator.Null),
		party(answered(8), simulator.NoPlus),
		party(answered(4), simulator.National),
		action(answered(20), "Transfer", "transfer"),
		action(answered(10), "Call Return", "call_return"),
		action(answered(5), "FindMe", "find_me"),
		action(answered(3), "Accept Call", "accept_call"),
		// Compared without case, and trimmed.
		fresh(free(in(4, cdr.Answered, "ACCEPTED"))),
		fresh(free(in(3, cdr.Answered, " accepted "))),
		fresh(in(4, cdr.Answered, "Answered Elsewhere")),
		voicemail(60, "Voicemail"),
		fresh(voicemail(6, "Sent to Voicemail")),
		fresh(voicemail(3, "Callback requested")),
	}
}

// answeredOut are outbound calls that somebody answered.
func answeredOut() []simulator.Kind {
	answered := func(weight int) simulator.Kind { return priced(out(weight, cdr.Answered, "Call connected")) }
	bare := detail(answered(20), func(w *wire) { w.bare = true })
	return []simulator.Kind{
		answered(200), bare,
		out(15, cdr.Answered, "Call connected"),
		reason(answered(30), "Connected", "The call connected."),
		// An inbound call on a softphone, as RingCentral shows some of them.
		out(10, cdr.Answered, "Accepted"),
		action(answered(10), "RingOut PC", "ringout_pc"),
		action(answered(10), "RingOut Mobile", "ringout_mobile"),
		action(answered(4), "Conference Call", "conference_call"),
		action(answered(3), "CallOut-CallMe", "call_out_call_me"),
		action(answered(2), "RC Meetings", "rc_meetings"),
		fresh(action(answered(2), "FreeSPDL", "free_spdl")),
		fresh(action(answered(3), "VoiceChat Call", "voice_chat_call")),
		party(answered(8), simulator.NoPlus),
		party(out(4, cdr.Answered, "Call connected"), simulator.Short),
		emergency(out(2, cdr.Answered, "Call connected"), simulator.Dial911, cdr.EmergencyReal),
		emergency(action(out(2, cdr.Answered, "Call connected"), "Emergency", "emergency"), simulator.Dial911, cdr.EmergencyReal),
		fresh(emergency(out(2, cdr.Answered, "911"), simulator.Dial911, cdr.EmergencyReal)),
		fresh(emergency(out(2, cdr.Answered, "933"), simulator.Dial933, cdr.EmergencyTest)),
		emergency(out(1, cdr.Failed, "Call Failed"), simulator.Dial112, cdr.EmergencyReal),
	}
}

// pairs are calls of two rows.
func pairs() []simulator.Kind {
	connected := legs(internal(free(out(40, cdr.Answered, "Call connected"))), colleague("Call connected", cdr.Answered))
	received := internal(free(in(1, cdr.Answered, "Accepted")))
	connected.Second = &received

	unheard := legs(internal(out(10, cdr.NoAnswer, "No Answer")), colleague("No Answer", cdr.NoAnswer))
	missed := internal(in(1, cdr.NoAnswer, "Missed"))
	unheard.Second = &missed

	web := action(priced(out(20, cdr.Answered, "Call connected")), "RingOut Web", "ringout_web")
	callee := legs(web, ringOut("RingOutWebToCaller", "ringout_web_to_caller", "Call connected", cdr.Answered))
	callee.OwnCall = true
	web = legs(web,
		ringOut("RingOutWebToSubscriber", "ringout_web_to_subscriber", "Call connected", cdr.Answered),
		ringOut("RingOutWebToCaller", "ringout_web_to_caller", "Call connected", cdr.Answered))
	web.Second = &callee

	// A warm transfer is two sessions of one contact.
	transferred := detail(free(in(12, cdr.Answered, "Accepted")), func(w *wire) { w.link = "transferTarget" })
	consulted := detail(priced(out(1, cdr.Answered, "Call connected")), func(w *wire) { w.link = "transferee" })
	consulted.OwnCall = true
	transferred.Second = &consulted
	return []simulator.Kind{connected, unheard, web, transferred}
}

// views are sessions that an extension's log lists once for each part that the
// extension had in it. The labels of all are the same.
func views() []simulator.Kind {
	var list []simulator.Kind
	for _, k := range []simulator.Kind{
		free(in(120, cdr.Answered, "Accepted")),
		legs(priced(in(40, cdr.Answered, "Accepted")), accept("Accepted", cdr.Answered), findMe("Accepted", cdr.Answered)),
		in(40, cdr.NoAnswer, "Missed"),
		priced(out(80, cdr.Answered, "Call connected")),
		out(20, cdr.Busy, "Busy"),
	} {
		again := k
		again.View = true
		k.Second = &again
		list = append(list, k)
	}
	return list
}
