package cdr

import (
	"strings"
	"unicode"
)

// pasted are characters that come with numbers copied from a page or a list of contacts: blanks and
// dashes at which a line doesn't break, and marks of the writing direction.
var pasted = strings.NewReplacer("\u00a0", " ", "\u202f", " ", "\u2010", "-", "\u2011", "-", "\u2013", "-",
	"\u200e", "", "\u200f", "", "\u202a", "", "\u202b", "", "\u202c", "", "\u202d", "", "\u202e", "",
	"\u2066", "", "\u2067", "", "\u2068", "", "\u2069", "", "\ufeff", "")

// PartyNumber is a party's number, without the rest of a tel or SIP URI and without characters that
// people don't see. A text that isn't a number stays as it is.
func PartyNumber(text string) string {
	plain := text
	if strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII }) {
		plain = strings.TrimSpace(pasted.Replace(text))
	}
	if number, kind := readNumber(plain); kind == digitsNumber {
		return number
	}
	return text
}
