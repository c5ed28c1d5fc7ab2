package msgraph

import (
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// callMapper turns call records into records. It is for one goroutine at a time.
type callMapper struct {
	countries *cdr.Countries
	emergency *cdr.EmergencyNumbers

	unmapped []collector.Unmapped // of the present record
}

// record maps a call record. One without a session is provisional while settle, from its
// end, hasn't passed. Due says that it has; then nothing more is waited for.
func (m *callMapper) record(c *callRecord, due bool) *cdr.Record {
	m.unmapped = nil
	r := &cdr.Record{
		ID: c.ID, Version: c.Version, CallID: c.ID,
		Start: c.Start.UTC(), End: endOf(c), Duration: max(0, endOf(c).Sub(c.Start)), NoDuration: missing(c.End),
		CallType: m.callType(c.Type), Direction: cdr.Internal,
		Outcome:     cdr.NotConnected,
		Provisional: len(c.Sessions) == 0 && !due,
	}
	m.organizer(r, c)
	for i := range c.Sessions {
		m.session(r, &c.Sessions[i])
	}
	if r.Outcome != cdr.NotConnected {
		r.Reason, r.ReasonPhrase = "", ""
	}
	m.extras(r, c)
	return r
}

// missing says whether a time wasn't given: Graph has null, nothing and the year 1 for
// that.
func missing(t time.Time) bool { return t.Year() <= 1 }

// endOf is the end of a call, which is its start if none is given.
func endOf(c *callRecord) time.Time {
	if missing(c.End) || c.End.Before(c.Start) {
		return c.Start.UTC()
	}
	return c.End.UTC()
}

func (m *callMapper) callType(raw string) string {
	switch raw {
	case "groupCall", "peerToPeer", "unknown", futureValue:
	default:
		m.isNew("type", raw)
	}
	return cdr.CallType(raw)
}

// futureValue stands for members of an enumeration that are younger than the client.
const futureValue = "unknownFutureValue"

func (m *callMapper) isNew(field, value string) {
	if value != "" {
		m.unmapped = append(m.unmapped, collector.Unmapped{Field: field, Value: value})
	}
}

// organizer names the user of the call.
func (m *callMapper) organizer(r *cdr.Record, c *callRecord) {
	if c.Organizer == nil {
		return
	}
	if who := c.Organizer.Identity.person(); who != nil {
		r.UserID, r.UserName, r.UserPrincipal = who.ID, who.DisplayName, who.Principal
	}
}

// session adds a session with its streams and ratings to the record.
func (m *callMapper) session(r *cdr.Record, s *session) {
	one := cdr.Session{ID: s.key(), Start: s.Start.UTC(), Media: m.richest(s.Modalities)}
	if missing(s.Start) {
		one.Start = r.Start
	}
	if !missing(s.End) {
		one.End = s.End.UTC()
	}
	m.result(&one, s)
	switch {
	case one.Result != cdr.SessionSetupFailed:
		r.Outcome = cdr.Answered
	case r.Reason == "":
		r.Reason, r.ReasonPhrase = one.Reason, s.Failure.Reason
	}
	m.ends(r, &one, s)
	m.ratings(r, s)
	for i := range s.Segments {
		m.streams(r, s, &s.Segments[i])
	}
	r.Sessions = append(r.Sessions, one)
}

// key is what a session is known by within its call. Those of which there is no id are
// told apart by their times.
func (s *session) key() string {
	if s.ID != "" {
		return strings.ToLower(s.ID)
	}
	return s.Start.UTC().Format(time.RFC3339Nano) + " " + s.End.UTC().Format(time.RFC3339Nano)
}

// result reads how a session ended. A failure that doesn't say when counts as one of
// setting up.
func (m *callMapper) result(one *cdr.Session, s *session) {
	if s.Failure == nil {
		return
	}
	one.Result, one.Stage = cdr.SessionSetupFailed, "unknown"
	switch s.Failure.Stage {
	case "midcall":
		one.Result, one.Stage = cdr.SessionDropped, "midcall"
	case "callSetup":
		one.Stage = "call_setup"
	case "unknown", futureValue:
	default:
		m.isNew("stage", s.Failure.Stage)
	}
	one.Reason = failureReason(s.Failure.Reason)
}

// ends reads who the session was between. A telephone gives the call its direction.
func (m *callMapper) ends(r *cdr.Record, one *cdr.Session, s *session) {
	caller, callee := s.phones()
	switch {
	case callee != nil:
		one.Number, one.Direction = callee.ID, cdr.Outbound
	case caller != nil:
		one.Number, one.Direction = caller.ID, cdr.Inbound
	}
	if callee != nil || caller != nil {
		m.phoneCall(r, one.Direction, one.Number)
	}
	for _, e := range []*endpoint{s.Caller, s.Callee} {
		if who := e.person(); who != nil && one.UserID == "" {
			one.UserID, one.UserName, one.UserPrincipal = who.ID, who.DisplayName, who.Principal
		}
	}
	one.Extra = append(one.Extra, m.agent("caller", s.Caller)...)
	one.Extra = append(one.Extra, m.agent("callee", s.Callee)...)
	if s.IsTest {
		one.Extra = append(one.Extra, cdr.Truth("is_test", true))
	}
}

// phoneCall notes a telephone of the call: the first that is met gives the direction, and
// any that was called may be that of emergency services.
func (m *callMapper) phoneCall(r *cdr.Record, direction cdr.Direction, number string) {
	if direction == cdr.Outbound && r.Emergency != cdr.EmergencyReal {
		if found := m.emergency.Match(number); found != cdr.NoEmergency {
			r.Emergency = found
		}
	}
	if r.Direction != cdr.Internal {
		return
	}
	r.Direction, r.Country = direction, m.countries.Of(number)
	if direction == cdr.Outbound {
		r.CalleeNumber = number
	} else {
		r.CallerNumber = number
	}
}

// agent is what an end's client or service says of itself.
func (m *callMapper) agent(end string, e *endpoint) []cdr.Attr {
	if e == nil || e.UserAgent == nil {
		return nil
	}
	var all []cdr.Attr
	for _, a := range []struct{ key, value string }{
		{"platform", m.platform(e.UserAgent.Platform)},
		{"product_family", cdr.CallType(e.UserAgent.ProductFamily)},
		{"role", cdr.CallType(e.UserAgent.Role)},
	} {
		if a.value != "" {
			all = append(all, cdr.Text(end+"_"+a.key, a.value, cdr.Plain))
		}
	}
	return all
}

// ratings are what the users at both ends said of a session. Its segments repeat it, and
// alone have it where the session says nothing of its ends.
func (m *callMapper) ratings(r *cdr.Record, s *session) {
	caller, callee := s.Caller.rating(), s.Callee.rating()
	for i := range s.Segments {
		caller = orElse(caller, s.Segments[i].Caller.rating())
		callee = orElse(callee, s.Segments[i].Callee.rating())
	}
	for _, rating := range []string{caller, callee} {
		if rating != "" {
			r.Ratings = append(r.Ratings, m.rating(rating))
		}
	}
}

// extras are the provider's own fields for logs.
func (m *callMapper) extras(r *cdr.Record, c *callRecord) {
	r.Extra = append(r.Extra,
		cdr.Whole("sessions", int64(len(c.Sessions))),
		cdr.Whole("participants", int64(len(c.Participants))))
	if len(c.Modalities) > 0 {
		r.Extra = append(r.Extra, cdr.Texts("modalities", slugs(c.Modalities), cdr.Plain))
	}
}

func slugs(raw []string) []string {
	all := make([]string, len(raw))
	for i, s := range raw {
		all[i] = cdr.CallType(s)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
