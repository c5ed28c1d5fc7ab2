package otlp

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

// appendSessionAttributes appends what contract 4 lists for a session, without what wasn't
// given. Its stage and media stand under the provider, beside the provider's own fields.
func appendSessionAttributes(b []byte, r *cdr.Record, event *ledger.RecordEvent) []byte {
	s := event.Session
	b = appendIdentity(b, r, event, s.ID)
	b = appendText(b, common("cdr.session.id"), s.ID)
	b = appendText(b, common("cdr.session.result"), s.Result.String())
	b = appendTime(b, common("cdr.start_time"), s.Start)
	b = appendTime(b, common("cdr.end_time"), s.End)
	b = appendText(b, sessionNumber(r, s), s.Number)
	b = appendUser(b, event.Provider, s.UserID, s.UserName, s.UserPrincipal, s.Extra)
	b = appendText(b, common("cdr.reason"), s.Reason)
	b = appendOwn(b, key{event.Provider, "stage"}, s.Stage, s.Extra)
	b = appendOwn(b, key{event.Provider, "media"}, s.Media, s.Extra)
	for i := range s.Extra {
		b = appendExtra(b, event.Provider, &s.Extra[i])
	}
	return b
}

// sessionNumber is the key of a session's number: the caller's of an inbound session, the
// callee's of any other.
func sessionNumber(r *cdr.Record, s *cdr.Session) key {
	direction := s.Direction
	if direction == cdr.DirectionUnknown {
		direction = r.Direction
	}
	if direction == cdr.Inbound {
		return common("cdr.caller.number")
	}
	return common("cdr.callee.number")
}

// sessionSeverity: ERROR for what failed.
func sessionSeverity(result cdr.SessionResult) severity {
	if result == cdr.SessionOK {
		return info
	}
	return fault
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
	if s.Reason != "" {
		b = append(append(b, ": "...), validText(s.Reason)...)
	}
	if s.Stage != "" {
		b = append(append(append(b, " ("...), validText(s.Stage)...), ')')
	}
	if s.End.After(s.Start) && !s.Start.IsZero() {
		b = append(append(b, ", "...), s.End.Sub(s.Start).Round(time.Second).String()...)
	}
	if s.Media != "" {
		b = append(append(b, ", "...), validText(s.Media)...)
	}
	return b
}
