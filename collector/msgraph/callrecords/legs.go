package callrecords

import (
	"cmp"
	"slices"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/calls"
)

// parties maps the role of a service (serviceUserAgent.role) to its kind of party. All other
// services, such as conferences, connect people.
var parties = map[string]cdr.Party{
	roleVoicemail: cdr.PartyVoicemail, "exchangeUnifiedMessagingService": cdr.PartyVoicemail,
	roleQueue: cdr.PartyMachine, roleAttendant: cdr.PartyMachine, "customBot": cdr.PartyMachine,
	"responseGroupService": cdr.PartyMachine, "responseGroupServiceAnnouncementService": cdr.PartyMachine,
	// of voice applications, the `ucap` of call types
	"skypeForBusinessUnifiedCommunicationApplicationPlatform": cdr.PartyMachine,
}

// makeCall turns the sessions of a record into legs and makes a call of them. Each session is a leg
// between its caller and the party that answered.
func (m *mapper) makeCall(r *cdr.Record, c *callRecord, callers, services map[string]bool) {
	for i := range r.Sessions {
		r.Legs = append(r.Legs, legOf(r, &r.Sessions[i], &c.Sessions[i], callers, services))
	}
	if len(r.Legs) == 0 {
		return
	}
	call := calls.Of(r.Legs)
	r.Outcome, r.Direction = call.Outcome, call.Direction
	number := r.Sessions[call.Route].Number
	switch r.Direction {
	case cdr.Inbound:
		r.CallerNumber, r.Country = number, m.countries.Of(number)
	case cdr.Outbound:
		r.CalleeNumber, r.Country = number, m.countries.Of(number)
	case cdr.Internal, cdr.DirectionUnknown:
	}
	if r.UserID == "" && r.Direction == cdr.Inbound && call.User != calls.None {
		user := &r.Legs[call.User]
		r.UserID, r.UserName, r.UserPrincipal = user.UserID, user.UserName, user.UserPrincipal
	}
	if !r.Outcome.Connected() {
		setReason(r, c, call.By)
		return
	}
	r.Talk, r.Connected = calls.Differing(r, call.Talk), calls.Differing(r, call.Connected)
}

// setReason takes the reason from the session that gave the outcome. That is often empty; then it
// takes the first reason of any session.
func setReason(r *cdr.Record, c *callRecord, by int) {
	if by == calls.None || r.Sessions[by].Reason == "" {
		by = slices.IndexFunc(r.Sessions, func(s cdr.Session) bool { return s.Reason != "" })
	}
	if by >= 0 {
		r.Reason, r.ReasonPhrase = r.Sessions[by].Reason, c.Sessions[by].Failure.Reason
	}
}

// legOf makes a leg of a session.
func legOf(r *cdr.Record, one *cdr.Session, s *session, callers, services map[string]bool) cdr.Leg {
	role := s.Callee.role()
	l := cdr.Leg{
		ID: one.ID, Type: cmp.Or(cdr.CallType(role), r.CallType), Party: parties[role], Outcome: cdr.Answered,
		Start: one.Start, End: one.End, Direction: cmp.Or(one.Direction, cdr.Internal),
		UserID: one.UserID, UserName: one.UserName, UserPrincipal: one.UserPrincipal,
	}
	if one.Result == cdr.SessionSetupFailed || s.onlyRang(callers, services) {
		l.Outcome = cdr.NotConnected
	}
	// The caller of a queue also has a session with the media's controller, which doesn't mean that
	// somebody answered. A caller by telephone may withhold the number.
	who := cmp.Or(one.Number, one.UserID)
	if role == roleMediaController && (who != "" || one.Direction == cdr.Inbound) && callers[who] {
		l.Party = cdr.Own
	}
	if l.Party == cdr.Person && s.isBetweenServices(services) {
		l.Party = cdr.PartyMachine
	}
	if !one.Start.IsZero() && !one.End.Before(one.Start) { // a connected session is connected from its start
		l.Duration = cdr.KnownLength(one.End.Sub(one.Start))
	}
	return l
}
