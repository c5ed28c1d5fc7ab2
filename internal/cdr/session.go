package cdr

import (
	"net/netip"
	"time"
)

// SessionResult is how a session of a call ended.
type SessionResult uint8

// The results of sessions.
const (
	SessionOK          SessionResult = iota // it didn't fail
	SessionSetupFailed                      // it failed before media flowed, or at an unknown time
	SessionDropped                          // it failed in mid-call
)

var sessionResults = [...]string{"ok", "setup_failed", "dropped"}

// String is the label value.
func (r SessionResult) String() string { return sessionResults[r] }

// Session is one session of a call. A call of two has one, a group call has one per participant and
// service.
type Session struct {
	// ID is the provider's, unique within the call.
	ID string
	// Start and End are the provider's; End may be zero.
	Start, End time.Time
	Result     SessionResult
	// Media is the richest kind that it carried: video, screen_share, audio, data, other.
	Media string
	// Stage and Reason say where and why it failed, as short slugs; empty if it didn't fail.
	Stage, Reason string
	// UserID, UserName and UserPrincipal identify the participant. Redaction applies.
	UserID, UserName, UserPrincipal string
	// Number is the number of the participating telephone, if there is one. Redaction applies.
	Number string
	// Direction says which end Number was: the caller of an inbound session, else the callee.
	// DirectionUnknown means the call's direction.
	Direction Direction
	// Streams are the session's streams of the record, with additional values from the provider,
	// for logs only.
	Streams []Stream
	// Extra are the provider's own fields, for logs only.
	Extra []Attr
}

// Stream is one media stream of a session, as its receiver measured it.
type Stream struct {
	// Media is audio, video, screen_share, data or other.
	Media string
	// ToCallee says that the caller sent it; NoSender that the sender is unknown.
	ToCallee, NoSender bool
	// Network is how its sender was connected: wired, wifi, mobile, tunnel, unknown.
	Network string
	// Platform is its sender's, a short slug.
	Platform string
	// Sender is its sender's subnet or else its address, which no metric and no log record shows;
	// zero if unknown.
	Sender netip.Addr
	// Labels are the operator's labels of that subnet.
	Labels Labels
	Quality
	// Extra has more about the ends of a session's stream, for logs only. Redaction applies.
	Extra []Attr
}

// Direction is the label value of media_direction.
func (s *Stream) Direction() string {
	if s.NoSender {
		return "unknown"
	}
	if s.ToCallee {
		return "caller_to_callee"
	}
	return "callee_to_caller"
}
