package callrecords

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// The roles of services that callers visit, and of the voicemail where they may end
// (serviceUserAgent.role).
const (
	roleQueue     = "skypeForBusinessCallQueues"
	roleAttendant = "skypeForBusinessAutoAttendant"
	roleVoicemail = "voicemail"
	// The service that connects the media of a call.
	roleMediaController = "mediaController"
)

// visit is a session with a queue or an attendant. The record doesn't fully say how it ended:
// whether the queue or the caller hung up, or whether there was a timeout or an overflow.
type visit struct {
	session *session
	role    string
	start   time.Time // the record's start if the session has none
	callee  identity  // the resource account
}

// visits are a call's visits to queues and attendants, by start. The record may list one session
// several times.
func visits(c *callRecord) (all []visit) {
	listed := slices.Concat(c.listings, c.Sessions)
	for i := range listed {
		if v, ok := listed[i].visit(c); ok {
			all = append(all, v)
		}
	}
	all = unique(all, (*visit).id)
	slices.SortStableFunc(all, func(a, b visit) int {
		// attendants first
		return cmp.Or(a.start.Compare(b.start), cmp.Compare(a.role, b.role),
			cmp.Compare(a.session.key(), b.session.key()))
	})
	return all
}

// visit makes a visit of a session, if its callee is a queue or an attendant.
func (s *session) visit(c *callRecord) (v visit, ok bool) {
	role := s.Callee.role()
	if role != roleQueue && role != roleAttendant {
		return visit{}, false
	}
	v = visit{s, role, s.Start, s.Callee.account(c)}
	if isMissing(s.Start) {
		v.start = c.Start
	}
	return v, true
}

func (v *visit) id() string { return strings.Join([]string{v.session.key(), v.role, v.callee.ID}, "/") }

// addVisits adds a call's visits and how each ended. The first agent's session before the next
// visit decides, else the next visit, else voicemail; else the caller left.
func addVisits(r *cdr.Record, c *callRecord, all []visit, callers, services map[string]bool) {
	for i, v := range all {
		one := cdr.Visit{ID: v.id(), Queue: strings.TrimSpace(v.callee.DisplayName), Start: v.start.UTC()}
		before := time.Time{} // start of the next visit
		if i+1 < len(all) {
			before = all[i+1].start
		}
		isAgents := func(s *session) bool {
			return (before.IsZero() || s.Start.Before(before)) && s.isAgents(callers, services)
		}
		sentOn := cdr.QueueOverflowed
		if v.role == roleAttendant {
			sentOn = cdr.QueueOther
		}
		end := v.session.End
		if agent := firstFrom(c, v.start, isAgents); agent != nil {
			one.Result, end = cdr.QueueAnswered, agent.Start
		} else if !before.IsZero() {
			one.Result, end = sentOn, before
		} else if box := firstFrom(c, v.start,
			func(s *session) bool { return s.Callee.role() == roleVoicemail }); box != nil {
			one.Result, end = sentOn, box.Start
		} else {
			one.Result = cdr.QueueAbandoned
		}
		if wait := end.Sub(v.start); !isMissing(v.session.Start) && !isMissing(end) && wait >= 0 {
			one.Wait = cdr.KnownLength(wait)
		}
		r.Visits = append(r.Visits, one)
	}
}

// callersOf are the ids of the callers of queues and attendants.
func callersOf(all []visit) map[string]bool {
	callers := make(map[string]bool)
	for _, v := range all {
		if caller := cmp.Or(v.session.Caller.person(), v.session.Caller.phone()); caller != nil {
			callers[caller.ID] = true
		}
	}
	return callers
}

// firstFrom is the first wanted session that starts at the given time or later, or nil.
func firstFrom(c *callRecord, at time.Time, wanted func(*session) bool) (first *session) {
	for i := range c.Sessions {
		s := &c.Sessions[i]
		if isMissing(s.Start) || s.Start.Before(at) || first != nil && !s.Start.Before(first.Start) || !wanted(s) {
			continue
		}
		first = s
	}
	return first
}

// isAgents says whether a session connected an agent.
func (s *session) isAgents(callers, services map[string]bool) bool {
	return (s.Failure == nil || s.Failure.Stage == "midcall") && !s.onlyRang(callers, services) &&
		s.hasAgent(callers, services)
}

// hasAgent says whether a user is at one end who didn't call a queue.
func (s *session) hasAgent(callers, services map[string]bool) bool {
	return slices.ContainsFunc([]*endpoint{s.Caller, s.Callee}, func(e *endpoint) bool {
		user := e.person()
		return user != nil && !e.isService(services) && !callers[user.ID]
	})
}

// virtualAssistant is the user that Teams' Conferencing Virtual Assistant has in each record of a queue or attendant.
const virtualAssistant = "9e133cac-5238-4d1e-aaa0-d8ff4ca23f4e"

// servicesOf are the ids of the users that are services: the resource accounts of queues and attendants, which also
// call, for instance the conference in which the caller waits. It is nil without a visit.
func servicesOf(all []visit, c *callRecord) map[string]bool {
	if len(all) == 0 {
		return nil
	}
	who := c.accounts()
	for _, v := range all {
		who = append(who, v.session.Callee.accounts()...)
	}
	services := map[string]bool{virtualAssistant: true}
	for _, one := range who {
		if one.ID != "" {
			services[one.ID] = true
		}
	}
	return services
}

// isService says whether an end is a service by its role or its user.
func (e *endpoint) isService(services map[string]bool) bool {
	if e.role() != "" {
		return true
	}
	user := e.person()
	return user != nil && services[user.ID]
}

// isBetweenServices says whether a service called, and neither a user nor a telephone is at the other end.
func (s *session) isBetweenServices(services map[string]bool) bool {
	caller, callee := s.phones()
	return services != nil && caller == nil && callee == nil && s.Caller.isService(services) &&
		(s.Callee.person() == nil || s.Callee.isService(services))
}

// onlyRang says whether a session is of a user whose telephone only rang for a queue: such a one ends as it starts.
// A caller who leaves the queue at once has one, too.
func (s *session) onlyRang(callers, services map[string]bool) bool {
	caller, callee := s.phones()
	return services != nil && caller == nil && callee == nil && !isMissing(s.Start) && s.End.Equal(s.Start) &&
		s.hasAgent(callers, services)
}

// role is the role of the service at an end; empty for clients.
func (e *endpoint) role() string {
	if e == nil || e.UserAgent == nil {
		return ""
	}
	return e.UserAgent.Role
}

// accounts are the identities of an end that may be a resource account's.
func (e *endpoint) accounts() []*identity {
	who := []*identity{e.Associated}
	if e.Identity != nil {
		who = append(who, e.Identity.Application, e.Identity.User)
	}
	return slices.DeleteFunc(who, func(i *identity) bool { return i == nil })
}

// accounts are the resource accounts among the participants.
func (c *callRecord) accounts() (all []*identity) {
	for i := range c.Participants {
		if one := c.Participants[i].Identity.Application; one != nil {
			all = append(all, one)
		}
	}
	return all
}

// account is the resource account of a queue or attendant; its name is the queue's name. If the end
// has none, it is the record's only resource account.
func (e *endpoint) account(c *callRecord) (found identity) {
	for _, one := range e.accounts() {
		if one.DisplayName != "" {
			return *one
		}
		found.ID = cmp.Or(found.ID, one.ID)
	}
	if others := c.accounts(); len(others) == 1 {
		found.DisplayName = others[0].DisplayName
	}
	return found
}
