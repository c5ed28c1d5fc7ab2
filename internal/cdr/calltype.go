package cdr

import (
	"cmp"
	"regexp"
	"strings"
)

// maxCallType limits a call type in bytes: the set of types is open, but labels must stay short.
const maxCallType = 64

// The words that are one word despite a capital inside (docs/metrics.md).
var (
	voip    = regexp.MustCompile(`VoIP([^a-z]|$)`)
	ringOut = regexp.MustCompile(`RingOut([^a-z]|$)`)
)

// CallType is a provider's call type in snake case. It is split at every character other than an
// ASCII letter or digit, and before capitals; acronyms, VoIP and RingOut are one word each. It has
// at most 64 bytes and is empty only for an empty raw. It is idempotent.
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
	return cmp.Or(strings.ToLower(text), "other") // without ASCII letters or digits: an empty slug would mean no type
}

// isWordStart says whether a new word begins inside a run of letters and digits. That is at a
// capital after a lower-case letter or digit, and at the last capital of an acronym before a
// lower-case letter (RCMeetings is rc_meetings).
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
