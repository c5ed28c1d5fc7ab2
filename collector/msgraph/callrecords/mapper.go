package callrecords

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// mapper maps one call record to a cdr.Record. It is for one goroutine.
type mapper struct {
	countries *cdr.Countries
	emergency cdr.EmergencyNumbers

	unmapped []collector.Unmapped
}

// mapRecord maps a call record. due says that it has settled; until then a record without a session
// is provisional.
func (m *mapper) mapRecord(c *callRecord, due bool) *cdr.Record {
	end := endOf(c)
	r := &cdr.Record{
		ID: c.ID, Version: c.Version, CallID: c.ID,
		Start: c.Start.UTC(), End: end, Duration: end.Sub(c.Start), NoDuration: !c.hasEnd(),
		CallType: m.callType(c.Type), Direction: cdr.Internal,
		Outcome:     cdr.NotConnected,
		ListsLegs:   true,
		Provisional: len(c.Sessions) == 0 && !due,
	}
	if c.Organizer != nil {
		if user := c.Organizer.Identity.person(); user != nil {
			r.UserID, r.UserName, r.UserPrincipal = user.ID, user.DisplayName, user.Principal
		}
	}
	for i := range c.Sessions {
		m.addSession(r, &c.Sessions[i])
	}
	all := visits(c)
	callers, services := callersOf(all), servicesOf(all, c)
	addVisits(r, c, all, callers, services)
	m.makeCall(r, c, callers, services)
	r.Extra = append(r.Extra, cdr.Whole("sessions", int64(len(c.Sessions))),
		cdr.Whole("participants", int64(len(c.Participants))))
	if len(c.Modalities) > 0 {
		r.Extra = append(r.Extra, cdr.Texts("modalities", slugs(c.Modalities), cdr.Plain))
	}
	return r
}

// isMissing says whether a time is null, absent, or in the year 1.
func isMissing(t time.Time) bool { return t.Year() <= 1 }

// hasEnd says whether a record has a valid end. Graph keeps a record for 30 days, so an end that is
// later after the start, such as one in the year 9999, isn't valid.
func (c *callRecord) hasEnd() bool { return !isMissing(c.End) && c.End.Sub(c.Start) <= retention }

// endOf is the end of a call, or its start without a valid end.
func endOf(c *callRecord) time.Time {
	if !c.hasEnd() || c.End.Before(c.Start) {
		return c.Start.UTC()
	}
	return c.End.UTC()
}

func (m *mapper) callType(raw string) string {
	switch raw {
	case "groupCall", "peerToPeer", "unknown", futureValue:
	default:
		m.reportUnmapped("type", raw)
	}
	return cdr.CallType(raw)
}

// futureValue is Graph's placeholder for members of an enumeration that are newer than the API.
const futureValue = "unknownFutureValue"

func (m *mapper) reportUnmapped(field, value string) {
	if value != "" {
		m.unmapped = append(m.unmapped, collector.Unmapped{Field: field, Value: value})
	}
}

func (m *mapper) addSession(r *cdr.Record, s *session) {
	one := cdr.Session{ID: s.key(), Start: s.Start.UTC(), Media: m.richestMedia(s.Modalities)}
	if isMissing(s.Start) {
		one.Start = r.Start
	}
	if !isMissing(s.End) {
		one.End = s.End.UTC()
	}
	m.setResult(&one, s.Failure)
	m.setEndpoints(r, &one, s)
	m.addRatings(r, s)
	for i := range s.Segments {
		m.addStreams(r, &one, s, &s.Segments[i])
	}
	r.Sessions = append(r.Sessions, one)
}

// key identifies a session within its call by its id or, without one, by its times.
func (s *session) key() string {
	if s.ID != "" {
		return strings.ToLower(s.ID)
	}
	return s.Start.UTC().Format(time.RFC3339Nano) + " " + s.End.UTC().Format(time.RFC3339Nano)
}

// setResult reads how a session ended. A failure without a stage counts as a failure of the setup.
func (m *mapper) setResult(one *cdr.Session, f *failure) {
	if f == nil {
		return
	}
	one.Result, one.Stage = cdr.SessionSetupFailed, "unknown"
	switch f.Stage {
	case "midcall":
		one.Result, one.Stage = cdr.SessionDropped, "midcall"
	case "callSetup":
		one.Stage = "call_setup"
	case "unknown", futureValue:
	default:
		m.reportUnmapped("stage", f.Stage)
	}
	one.Reason = failureReason(f.Reason)
}

// setEndpoints reads the two parties of a session.
func (m *mapper) setEndpoints(r *cdr.Record, one *cdr.Session, s *session) {
	caller, callee := s.phones()
	switch {
	case callee != nil:
		one.Number, one.Direction = callee.ID, cdr.Outbound
	case caller != nil:
		one.Number, one.Direction = caller.ID, cdr.Inbound
	}
	if callee != nil && r.Emergency != cdr.EmergencyReal { // any called telephone may belong to emergency services
		const from = "" // records don't have a user's own number
		r.Emergency = cmp.Or(m.emergency.Match(one.Number, from), r.Emergency)
	}
	for _, e := range []*endpoint{s.Caller, s.Callee} {
		if user := e.person(); user != nil && one.UserID == "" {
			one.UserID, one.UserName, one.UserPrincipal = user.ID, user.DisplayName, user.Principal
		}
	}
	one.Extra = append(m.userAgent("caller", s.Caller), m.userAgent("callee", s.Callee)...)
	if s.IsTest {
		one.Extra = append(one.Extra, cdr.Truth("is_test", true))
	}
}

// userAgent describes the client or service at an end.
func (m *mapper) userAgent(end string, e *endpoint) []cdr.Attr {
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

// addRatings adds the ratings by the users at both ends of a session. The segments repeat the
// ratings; they are the only source if the session has no ends.
func (m *mapper) addRatings(r *cdr.Record, s *session) {
	caller, callee := s.Caller.rating(), s.Callee.rating()
	for i := range s.Segments {
		caller = cmp.Or(caller, s.Segments[i].Caller.rating())
		callee = cmp.Or(callee, s.Segments[i].Callee.rating())
	}
	for _, rating := range []string{caller, callee} {
		switch rating {
		case "":
			continue
		case "bad", "poor", "fair", "good", "excellent":
		default:
			m.reportUnmapped("rating", rating)
		}
		r.Ratings = append(r.Ratings, cdr.CallType(rating))
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
