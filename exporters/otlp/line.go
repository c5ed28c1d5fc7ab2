package otlp

import (
	"strconv"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

// appendLine appends the line that a person reads, such as `Outbound call failed:
// trunk_unreachable (SIP 503), byot_out, via sbc1.example.com`. It names nobody:
// no number, no user, no free text of the provider's.
func appendLine(b []byte, r *cdr.Record, event *ledger.RecordEvent) []byte {
	if event.Session != nil {
		return appendSessionLine(b, event.Session)
	}
	b = append(append(append(b, directionPhrase(r.Direction)...), ' '), outcomePhrase(r.Outcome)...)
	if r.Outcome.Connected() {
		b = append(append(b, ", "...), r.Duration.Round(time.Second).String()...)
	} else {
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

// appendPhrase appends a text with what stands around it, nothing if it is empty.
func appendPhrase(b []byte, before, text, after string) []byte {
	if text == "" {
		return b
	}
	return append(append(append(b, before...), validText(text)...), after...)
}

// appendSessionLine appends the line that a person reads, such as `Session failed in
// set-up: ice (call_setup), 4s, audio`. It names nobody.
func appendSessionLine(b []byte, s *cdr.Session) []byte {
	switch s.Result {
	case cdr.SessionOK:
		b = append(b, "Session ended well"...)
	case cdr.SessionSetupFailed:
		b = append(b, "Session failed in set-up"...)
	case cdr.SessionDropped:
		b = append(b, "Session failed in mid-call"...)
	}
	b = appendPhrase(b, ": ", s.Reason, "")
	b = appendPhrase(b, " (", s.Stage, ")")
	if s.End.After(s.Start) && !s.Start.IsZero() {
		b = append(append(b, ", "...), s.End.Sub(s.Start).Round(time.Second).String()...)
	}
	return appendPhrase(b, ", ", s.Media, "")
}

func directionPhrase(d cdr.Direction) string {
	switch d {
	case cdr.Inbound:
		return "Inbound call"
	case cdr.Outbound:
		return "Outbound call"
	case cdr.Internal:
		return "Internal call"
	case cdr.DirectionUnknown:
	}
	return "Call"
}

func outcomePhrase(o cdr.Outcome) string {
	switch o {
	case cdr.Answered:
		return "answered"
	case cdr.Voicemail:
		return "answered by voicemail"
	case cdr.Busy:
		return "found the line busy"
	case cdr.NoAnswer:
		return "not answered"
	case cdr.Cancelled:
		return "cancelled"
	case cdr.Rejected:
		return "rejected"
	case cdr.InvalidNumber:
		return "to an invalid number"
	case cdr.NotAllowed:
		return "not allowed"
	case cdr.Failed:
		return "failed"
	case cdr.NotConnected:
		return "not connected"
	case cdr.Unknown:
	}
	return "of unknown outcome"
}
