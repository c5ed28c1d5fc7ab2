package msgraph

import (
	"regexp"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// person is the user or guest that an identity names; nil for services and telephones.
func (s *identitySet) person() *identity {
	for _, who := range []*identity{s.User, s.Guest, s.OnPremises, s.Encrypted, s.ACSUser} {
		if who != nil && who.ID != "" {
			return who
		}
	}
	return nil
}

// number is what the id of a telephone looks like, masked ones among them.
var number = regexp.MustCompile(`^\+?[0-9]{3,}\**$`)

// phone is an end's telephone, whose id is its number; nil if it isn't one. A number may
// be withheld. Graph's older member names it; should only the younger one be left, which
// has an id for all, its id tells.
func (e *endpoint) phone() *identity {
	switch {
	case e == nil:
		return nil
	case e.Identity != nil && e.Identity.person() != nil:
		return nil
	case e.Identity != nil && e.Identity.Phone != nil:
		return e.Identity.Phone
	case e.Associated != nil && number.MatchString(e.Associated.ID):
		return e.Associated
	}
	return nil
}

// person is who sits at an end, nil for services and telephones.
func (e *endpoint) person() *identity {
	switch {
	case e == nil || e.phone() != nil:
		return nil
	case e.Associated != nil && e.Associated.ID != "":
		return e.Associated
	case e.Identity != nil:
		return e.Identity.person()
	}
	return nil
}

// rating is what the user at an end said; empty if nothing.
func (e *endpoint) rating() string {
	if e == nil || e.Feedback == nil || e.Feedback.Rating == "notRated" || e.Feedback.Rating == futureValue {
		return ""
	}
	return e.Feedback.Rating
}

// phones are the telephones that called and were called in a session, or in one of its
// segments.
func (s *session) phones() (caller, callee *identity) {
	caller, callee = s.Caller.phone(), s.Callee.phone()
	for i := 0; i < len(s.Segments) && caller == nil && callee == nil; i++ {
		caller, callee = s.Segments[i].Caller.phone(), s.Segments[i].Callee.phone()
	}
	return caller, callee
}

// ends are a segment's; those of its session where it names none.
func (part *segment) ends(s *session) session {
	ends := session{Caller: part.Caller, Callee: part.Callee}
	if ends.Caller == nil {
		ends.Caller = s.Caller
	}
	if ends.Callee == nil {
		ends.Callee = s.Callee
	}
	return ends
}

// platforms are the clients' by Graph's word.
var platforms = map[string]string{
	"windows": "windows", "macOS": "macos", "iOS": "ios", "android": "android", "web": "web", "ipPhone": "ip_phone",
	"roomSystem": "room_system", "surfaceHub": "surface_hub", "holoLens": "hololens",
	"unknown": "unknown", futureValue: "unknown",
}

// platform is the label of a client's platform; empty if none is given.
func (m *callMapper) platform(raw string) string {
	if raw == "" {
		return ""
	}
	slug, known := platforms[raw]
	if !known {
		m.isNew("platform", raw)
		return cdr.CallType(raw)
	}
	return slug
}

// platformOf is a sender's: its client's, or that it is a service.
func (m *callMapper) platformOf(e *endpoint) string {
	switch {
	case e == nil || e.UserAgent == nil:
		return "unknown"
	case e.UserAgent.Platform != "":
		return m.platform(e.UserAgent.Platform)
	case e.UserAgent.Role != "":
		return "service"
	}
	return "unknown"
}

func (m *callMapper) rating(raw string) string {
	switch raw {
	case "bad", "poor", "fair", "good", "excellent":
	default:
		m.isNew("rating", raw)
	}
	return cdr.CallType(raw)
}

// failureReasons are words that Graph's free text holds, as stable slugs; the first that
// fits. A word is between underscores; one that ends without may go on.
var failureReasons = []struct{ words, slug string }{
	{"_ice_", "ice"},
	{"_timeout", "timeout"},
	{"_timed_out_", "timeout"},
	{"_network_", "network"},
	{"_media_", "media"},
	{"_busy_", "busy"},
	{"_declin", "declined"},
	{"_reject", "declined"},
	{"_cancel", "cancelled"},
	{"_not_found_", "not_found"},
	{"_forbidden_", "forbidden"},
	{"_not_authori", "forbidden"},
	{"_unauthori", "forbidden"},
	{"_unavailable_", "unavailable"},
	{"_polic", "policy"},
}

// failureReason is a stable slug for a failure's text, which is often empty and never a
// label itself.
func failureReason(text string) string {
	var words strings.Builder
	for word := range strings.FieldsSeq(text) {
		words.WriteString("_" + cdr.CallType(word))
	}
	if words.Len() == 0 {
		return ""
	}
	for _, r := range failureReasons {
		if strings.Contains(words.String()+"_", r.words) {
			return r.slug
		}
	}
	return "other"
}
