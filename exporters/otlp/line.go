package otlp

import (
	"strconv"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// appendLine appends the line for people, such as `Outbound call failed: trunk_unreachable (SIP
// 503), byot_out, via sbc1.example.com`. It identifies nobody: it has no number, user or free text
// of the provider's.
func appendLine(b []byte, r *cdr.Record, event *counting.Event) []byte {
	switch {
	case event.Session != nil:
		return appendSessionLine(b, event.Session)
	case event.Visit != nil:
		return appendVisitLine(b, event.Visit)
	}
	phrases := directionPhrases
	if event.Name == counting.EventLeg {
		phrases = legPhrases
	}
	b = append(append(append(b, phrases[r.Direction]...), ' '), outcomePhrases[r.Outcome]...)
	switch {
	case r.Outcome.Connected() && r.NoDuration:
	case r.Outcome.Connected():
		b = append(append(b, ", "...), r.Duration.Round(time.Second).String()...)
	default:
		b = appendPhrase(b, ": ", r.Reason, "")
		if r.SIPCode.Known && r.SIPCode.Value != 0 {
			b = append(strconv.AppendInt(append(b, " (SIP "...), r.SIPCode.Value, 10), ')')
		}
	}
	b = appendPhrase(b, ", ", r.CallType, "")
	b = appendPhrase(b, ", via ", r.Trunk, "")
	before := "; changed: "
	for _, name := range event.Changed {
		b = appendPhrase(b, before, name, "")
		before = ", "
	}
	return b
}

// appendPhrase appends a text with a prefix and a suffix, or nothing if it is empty.
func appendPhrase(b []byte, before, text, after string) []byte {
	if text == "" {
		return b
	}
	return append(append(append(b, before...), validText(text)...), after...)
}

// appendSessionLine appends a line such as `Session failed in set-up: ice (call_setup), 4s, audio`.
// It identifies nobody.
func appendSessionLine(b []byte, s *cdr.Session) []byte {
	b = append(b, sessionPhrases[s.Result]...)
	b = appendPhrase(b, ": ", s.Reason, "")
	b = appendPhrase(b, " (", s.Stage, ")")
	if s.End.After(s.Start) && !s.Start.IsZero() {
		b = append(append(b, ", "...), s.End.Sub(s.Start).Round(time.Second).String()...)
	}
	return appendPhrase(b, ", ", s.Media, "")
}

var directionPhrases = map[cdr.Direction]string{
	cdr.DirectionUnknown: "Call", cdr.Inbound: "Inbound call", cdr.Outbound: "Outbound call",
	cdr.Internal: "Internal call",
}

var legPhrases = map[cdr.Direction]string{
	cdr.DirectionUnknown: "Leg", cdr.Inbound: "Inbound leg", cdr.Outbound: "Outbound leg", cdr.Internal: "Internal leg",
}

var outcomePhrases = map[cdr.Outcome]string{
	cdr.Unknown: "of unknown outcome", cdr.Answered: "answered", cdr.Voicemail: "answered by voicemail",
	cdr.Machine: "answered by a machine", cdr.Busy: "found the line busy",
	cdr.NoAnswer: "not answered", cdr.Cancelled: "cancelled", cdr.Rejected: "rejected",
	cdr.InvalidNumber: "to an invalid number",
	cdr.NotAllowed:    "not allowed", cdr.Failed: "failed", cdr.NotConnected: "not connected",
}

var sessionPhrases = map[cdr.SessionResult]string{
	cdr.SessionOK: "Session ended well", cdr.SessionSetupFailed: "Session failed in set-up",
	cdr.SessionDropped: "Session failed in mid-call",
}
