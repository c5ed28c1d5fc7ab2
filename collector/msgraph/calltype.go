package msgraph

import (
	"slices"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// callTypeTechnologies are the prefixes of Direct Routing, in Graph's and in the admin centre's
// spelling, and of Operator Connect.
var callTypeTechnologies = [...]string{"byot", "dr_", "oc_"}

// callTypeFamilies are the prefixes of types without a technology: Calling Plans, audio
// conferencing, voice applications.
var callTypeFamilies = [...]string{"user", "conf", "ucap", "unassigned", "emergency"}

// callTypeWords are all words of the documented call types.
var callTypeWords = [...]string{
	"user", "conf", "ucap", "bot", "unassigned", "emergency", "transfer", "forwarding", "in", "out",
}

// parseCallType reads a callType of Graph's PSTN and Direct Routing logs, ignoring case. The set of
// types is open. slug is the type in snake case. The direction is the word in or out in a type of a
// documented family; other types have an unknown direction, which is never guessed. known is false
// if any word isn't documented. emergency says that the type itself names an emergency call.
func parseCallType(raw string) (slug string, dir cdr.Direction, known, emergency bool) {
	slug = cdr.CallType(raw)
	emergency = strings.Contains(strings.ToLower(raw), "emergency")
	words, technology := cutTechnology(slug)
	first, _, _ := strings.Cut(words, "_")
	family := technology || slices.Contains(callTypeFamilies[:], first)
	known = true
	var in, out bool
	for piece := range strings.SplitSeq(words, "_") {
		hasIn, hasOut, documented := readWords(piece, technology)
		in, out, known = in || hasIn, out || hasOut, known && documented
	}
	switch {
	case !family || in == out:
		return slug, cdr.DirectionUnknown, false, emergency
	case in:
		return slug, cdr.Inbound, known, emergency
	}
	return slug, cdr.Outbound, known, emergency
}

// cutTechnology removes the prefix of a technology from a slug, and says whether it had one.
func cutTechnology(slug string) (rest string, found bool) {
	for _, prefix := range callTypeTechnologies {
		if rest, found = strings.CutPrefix(slug, prefix); found {
			return strings.TrimPrefix(rest, "_"), true
		}
	}
	return slug, false
}

// readWords looks for in and out in a part of a slug. A part is one documented word or, after a
// technology, several words without a separator: byotoutusertransfer. No word is the beginning of
// another.
func readWords(piece string, glued bool) (in, out, documented bool) {
	for _, word := range callTypeWords {
		rest, found := strings.CutPrefix(piece, word)
		switch {
		case found && rest == "":
			return word == "in", word == "out", true
		case found && glued:
			in, out, documented = readWords(rest, glued)
			return documented && (in || word == "in"), documented && (out || word == "out"), documented
		}
	}
	return false, false, false
}
