package otlp

import (
	"strconv"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

// appendBody appends the line that a person reads, such as `Outbound call failed:
// trunk_unreachable (SIP 503), byot_out, via sbc1.example.com`. It names nobody:
// no number, no user, no free text of the provider's.
func appendBody(b []byte, r *cdr.Record, event *ledger.RecordEvent) []byte {
	var room [320]byte
	line := room[:0]
	if event.Session != nil {
		line = appendSessionLine(line, event.Session)
	} else {
		line = appendLine(line, r, event)
	}
	b = appendLength(b, recordBody, sized(len(line)))
	return append(appendLength(b, anyString, len(line)), line...)
}

func appendLine(b []byte, r *cdr.Record, event *ledger.RecordEvent) []byte {
	b = append(b, directionPhrase(r.Direction)...)
	b = append(b, ' ')
	b = append(b, outcomePhrase(r.Outcome)...)
	if r.Outcome.Connected() {
		b = append(b, ", "...)
		b = append(b, r.Duration.Round(time.Second).String()...)
	} else {
		b = appendWhy(b, r)
	}
	if r.CallType != "" {
		b = append(b, ", "...)
		b = append(b, validText(r.CallType)...)
	}
	if r.Trunk != "" {
		b = append(b, ", via "...)
		b = append(b, validText(r.Trunk)...)
	}
	if len(event.Changed) > 0 {
		b = append(b, "; changed: "...)
		for i, name := range event.Changed {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = append(b, validText(name)...)
		}
	}
	return b
}

// appendWhy appends the reason and the SIP code of a call that didn't connect.
func appendWhy(b []byte, r *cdr.Record) []byte {
	if r.Reason != "" {
		b = append(b, ": "...)
		b = append(b, validText(r.Reason)...)
	}
	if r.SIPCode.Known && r.SIPCode.Value != 0 {
		b = append(b, " (SIP "...)
		b = strconv.AppendInt(b, r.SIPCode.Value, 10)
		b = append(b, ')')
	}
	return b
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
