package cdr

import (
	"strings"
	"unicode"
)

// PartyNumber is a party's number, without the name and the rest of an address, of a tel or SIP URI
// or of its user part, and without characters that people don't see. A text that isn't a number
// stays as it is.
func PartyNumber(text string) string {
	if isPlainNumber(text) {
		return text
	}
	plain := strings.TrimSpace(strings.Map(typed, text))
	if _, address, named := strings.Cut(plain, "<"); named {
		plain, _, _ = strings.Cut(address, ">")
	}
	if number, kind := readNumber(plain); kind == digitsNumber {
		return number
	}
	if user := userPart(plain); isPlainNumber(user) {
		return user
	}
	return text
}

// typed is a character as people type it. Numbers that are copied from a page or a list of contacts
// have blanks and dashes at which a line doesn't break, and marks such as the writing direction's.
func typed(c rune) rune {
	switch {
	case c < unicode.MaxASCII:
	case unicode.Is(unicode.Zs, c):
		return ' '
	case unicode.Is(unicode.Pd, c):
		return '-'
	case unicode.Is(unicode.Cf, c):
		return -1
	}
	return c
}
