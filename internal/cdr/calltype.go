package cdr

import (
	"cmp"
	"regexp"
	"strings"
)

// maxCallType bounds a call type in bytes: the set is open, labels are not.
const maxCallType = 64

// The words whose inner capitals don't split them (contract 3).
var (
	voip    = regexp.MustCompile(`VoIP([^a-z]|$)`)
	ringOut = regexp.MustCompile(`RingOut([^a-z]|$)`)
)

// CallType is a provider's own call type in snake case: split at all that isn't an ASCII letter or digit, and before capitals;
// acronyms, VoIP and RingOut are one word each. At most 64 bytes; empty only for an empty raw. It is idempotent.
func CallType(raw string) string {
	if raw == "" {
		return ""
	}
	raw = HideNumbers(raw)
	raw = ringOut.ReplaceAllString(voip.ReplaceAllString(raw, "Voip$1"), "Ringout$1")
	slug := make([]byte, 0, maxCallType+1)
	for i := 0; i < len(raw) && len(slug) < maxCallType; i++ {
		if len(slug) > 0 && slug[len(slug)-1] != '_' && (!isAlnum(raw[i]) || isWordStart(raw, i)) {
			slug = append(slug, '_')
		}
		if isAlnum(raw[i]) {
			slug = append(slug, raw[i])
		}
	}
	text := strings.TrimRight(string(slug[:min(len(slug), maxCallType)]), "_")
	return cmp.Or(strings.ToLower(text), "other") // has no ASCII letter or digit; an empty slug says that no type was given
}

// isWordStart says whether a new word begins inside a run of letters and digits: at a capital after a small letter or digit, and
// at the last capital of an acronym that a small letter follows (RCMeetings is rc_meetings).
func isWordStart(s string, i int) bool {
	if !isUpper(s[i]) {
		return false
	}
	return !isUpper(s[i-1]) || (i+1 < len(s) && isLower(s[i+1]))
}

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }
func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isAlnum(c byte) bool { return isLower(c) || isUpper(c) || isDigit(c) }
