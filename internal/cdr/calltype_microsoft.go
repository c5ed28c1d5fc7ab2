package cdr

import (
	"slices"
	"strings"
)

// technologies are the prefixes of Microsoft's call types: Direct Routing as
// Graph and as the admin centre spells it, and Operator Connect.
var technologies = [...]string{"byot", "dr_", "oc_"}

// families are the words that a call type without a technology begins with
// (Calling Plans, audio conferencing, voice applications).
var families = [...]string{"user", "conf", "ucap", "unassigned", "emergency"}

// callTypeWords are all words of the documented call types.
var callTypeWords = [...]string{
	"user", "conf", "ucap", "bot", "unassigned", "emergency", "transfer", "forwarding", "in", "out",
}

// MicrosoftCallType reads a callType of Graph's PSTN and Direct Routing logs, an
// open set, without case. callType is its slug, as CallType makes it. The
// direction is read from the word in or out of a type of a documented family;
// any other type has an unknown one: it is never guessed. known is false if any
// word isn't documented, so that the caller counts the value as unmapped.
// emergency says that the type itself names an emergency call.
func MicrosoftCallType(raw string) (callType string, dir Direction, known, emergency bool) {
	callType = CallType(raw)
	folded := strings.ToLower(raw)
	emergency = strings.Contains(folded, "emergency")

	words, technology := cutTechnology(callType)
	family := technology
	known = words != ""
	var in, out bool
	for first := true; words != ""; first = false {
		var word string
		if word, words = nextWord(words, technology); word == "" {
			known = false
			_, words, _ = strings.Cut(words, "_")
			continue
		}
		in, out = in || word == "in", out || word == "out"
		family = family || first && slices.Contains(families[:], word)
	}
	switch {
	case !family || in == out:
		return callType, DirectionUnknown, false, emergency
	case in:
		return callType, Inbound, known, emergency
	}
	return callType, Outbound, known, emergency
}

// cutTechnology removes the prefix of a technology from a slug, and says
// whether there was one.
func cutTechnology(slug string) (rest string, found bool) {
	for _, prefix := range technologies {
		if rest, found = strings.CutPrefix(slug, prefix); found {
			return strings.TrimPrefix(rest, "_"), true
		}
	}
	return slug, false
}

// nextWord cuts the next documented word off a slug; empty if the next isn't
// one. After a technology words may stick together: byotoutusertransfer.
func nextWord(slug string, glued bool) (word, rest string) {
	piece, after, _ := strings.Cut(slug, "_")
	if slices.Contains(callTypeWords[:], piece) {
		return piece, after
	}
	if !glued {
		return "", slug
	}
	for _, w := range callTypeWords {
		if strings.HasPrefix(piece, w) && isGlued(piece[len(w):]) {
			return w, slug[len(w):]
		}
	}
	return "", slug
}

// isGlued says whether s is documented words without anything between them.
func isGlued(s string) bool {
	if s == "" {
		return true
	}
	for _, w := range callTypeWords {
		if strings.HasPrefix(s, w) && isGlued(s[len(w):]) {
			return true
		}
	}
	return false
}
