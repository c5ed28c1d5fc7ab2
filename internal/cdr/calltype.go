package cdr

import "strings"

// maxCallType bounds a call type in bytes: the set is open, labels are not.
const maxCallType = 64

// otherCallType stands for a type without any ASCII letter or digit, so that it
// isn't taken for a type that wasn't given.
const otherCallType = "other"

// wholeWords are the words whose inner capitals don't split them (contract 3).
var wholeWords = [...]string{"VoIP", "RingOut"}

// CallType is a provider's own call type in snake case: split at all that isn't
// an ASCII letter or digit, and before capitals; acronyms, VoIP and RingOut are
// one word each. At most 64 bytes of a-z, 0-9 and _; empty only for an empty
// raw. It is idempotent, and may return raw itself or a part of it.
func CallType(raw string) string {
	if raw == "" || isSnake(raw) {
		return raw
	}
	buf := make([]byte, 0, maxCallType)
	for i := 0; i < len(raw) && len(buf) < maxCallType; {
		n := wordLen(raw[i:])
		if n == 0 {
			i++
			continue
		}
		if len(buf) > 0 {
			buf = append(buf, '_')
		}
		for _, c := range []byte(raw[i : i+min(n, maxCallType)]) {
			buf = append(buf, lower(c))
		}
		i += n
	}
	slug := strings.TrimRight(string(buf[:min(len(buf), maxCallType)]), "_")
	if slug == "" {
		return otherCallType
	}
	return slug
}

// wordLen is the length of the word at the start of s; 0 at a separator.
func wordLen(s string) int {
	if !isAlnum(s[0]) {
		return 0
	}
	for _, word := range wholeWords {
		if strings.HasPrefix(s, word) && (len(s) == len(word) || !isLower(s[len(word)])) {
			return len(word)
		}
	}
	n := 1
	for n < len(s) && isAlnum(s[n]) && !isWordStart(s, n) {
		n++
	}
	return n
}

// isWordStart says whether a new word begins inside a run of letters and digits:
// at a capital after a small letter or digit, and at the last capital of an
// acronym that a small letter follows (RCMeetings is rc_meetings).
func isWordStart(s string, i int) bool {
	if !isUpper(s[i]) {
		return false
	}
	return !isUpper(s[i-1]) || (i+1 < len(s) && isLower(s[i+1]))
}

// isSnake says whether s is what CallType makes.
func isSnake(s string) bool {
	if len(s) > maxCallType || s[0] == '_' || s[len(s)-1] == '_' {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case isLower(c) || isDigit(c):
		case c == '_' && s[i-1] != '_':
		default:
			return false
		}
	}
	return true
}

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }
func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isAlnum(c byte) bool { return isLower(c) || isUpper(c) || isDigit(c) }

// lower is c as a small letter if it is an ASCII capital.
func lower(c byte) byte {
	if isUpper(c) {
		return c + 'a' - 'A'
	}
	return c
}
