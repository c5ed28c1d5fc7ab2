package callrecords

import (
	"regexp"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// person returns the user or guest of an identity; nil for services and telephones.
func (s *identitySet) person() *identity {
	for _, who := range []*identity{s.User, s.Guest, s.OnPremises, s.Encrypted, s.ACSUser} {
		if who != nil && who.ID != "" {
			return who
		}
	}
	return nil
}

// number matches the id of a telephone, masked or not.
var number = regexp.MustCompile(`^\+?[0-9]{3,}\**$`)

// phone returns the telephone at an end, whose id is its number, or nil. A number may be withheld.
// The deprecated member identity names telephones; associatedIdentity has an id for everybody, so
// there the id has to look like a number.
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

// person returns the user at an end; nil for services and telephones.
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

// rating is the rating by the user at an end, or empty.
func (e *endpoint) rating() string {
	if e == nil || e.Feedback == nil || e.Feedback.Rating == "notRated" || e.Feedback.Rating == futureValue {
		return ""
	}
	return e.Feedback.Rating
}

// phones returns the telephones at both ends of a session or, failing that, of one of its segments.
func (s *session) phones() (caller, callee *identity) {
	caller, callee = s.Caller.phone(), s.Callee.phone()
	for i := 0; i < len(s.Segments) && caller == nil && callee == nil; i++ {
		caller, callee = s.Segments[i].Caller.phone(), s.Segments[i].Callee.phone()
	}
	return caller, callee
}

// platforms maps Graph's names of clients' platforms to labels.
var platforms = map[string]string{
	"windows": "windows", "macOS": "macos", "iOS": "ios", "android": "android", "web": "web", "ipPhone": "ip_phone",
	"roomSystem": "room_system", "surfaceHub": "surface_hub", "holoLens": "hololens",
	"unknown": "unknown", futureValue: "unknown",
}

// platform returns the label of a client's platform, or an empty string.
func (m *mapper) platform(raw string) string {
	if raw == "" {
		return ""
	}
	slug, known := platforms[raw]
	if !known {
		m.reportUnmapped("platform", raw)
		return cdr.CallType(raw)
	}
	return slug
}

// senderPlatform returns the label of a sender's platform: its client's, or the one for a service.
func (m *mapper) senderPlatform(e *endpoint) string {
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

// failureReasons maps words of Graph's free text to stable slugs; the first match counts.
var failureReasons = []struct {
	words *regexp.Regexp
	slug  string
}{
	{regexp.MustCompile(`\bICE(\b|[A-Z])|(?i:\bice\b)`), "ice"},
	{regexp.MustCompile(`(?i)timeout|timed out`), "timeout"},
	{regexp.MustCompile(`(?i)network`), "network"},
	{regexp.MustCompile(`(?i)media`), "media"},
	{regexp.MustCompile(`(?i)busy`), "busy"},
	{regexp.MustCompile(`(?i)declin|reject`), "declined"},
	{regexp.MustCompile(`(?i)cancel`), "cancelled"},
	{regexp.MustCompile(`(?i)not ?found`), "not_found"},
	{regexp.MustCompile(`(?i)forbidden|not ?authori|unauthori`), "forbidden"},
	{regexp.MustCompile(`(?i)unavailable`), "unavailable"},
	{regexp.MustCompile(`(?i)polic`), "policy"},
}

// failureReason returns a stable slug for a failure's text. The text is often empty and never
// becomes a label.
func failureReason(text string) string {
	if strings.TrimSpace(text) == "" {
		return ""
	}
	for _, r := range failureReasons {
		if r.words.MatchString(text) {
			return r.slug
		}
	}
	return "other"
}
