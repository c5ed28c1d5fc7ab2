package cdr

import (
	"slices"
	"strings"
	"unicode"
)

// hidden replaces a value, or a part of a text, that is masked completely.
const hidden = "***"

// maskedDigits is how many digits a mask hides (docs/configuration.md).
const maskedDigits = 4

// maxNumberDigits is more than any number has. A longer text is two numbers, or a number with
// dialled codes after it, which a mask would show.
const maxNumberDigits = 17

// numberKind is the real content of a field for a number.
type numberKind uint8

const (
	otherText    numberKind = iota // a name, a URI with one, or anything else
	digitsNumber                   // digits, masked ones too, and punctuation
	labelText                      // a word for a withheld number
	addressText                    // an IP address
)

// readNumber classifies a value, and cuts a number out of a tel or SIP URI.
func readNumber(s string) (number string, kind numberKind) {
	number = s
	for _, scheme := range [...]string{"tel:", "sip:", "sips:"} {
		if hasPrefixFold(s, scheme) {
			number = userPart(s[len(scheme):])
			if before, _, _ := strings.Cut(number, ":"); isPlainNumber(before) { // a port or a password
				number = before
			}
		}
	}
	switch {
	case isPlainNumber(number):
		return number, digitsNumber
	case isAddress(number):
		return number, addressText
	case slices.ContainsFunc(numberLabels, func(label string) bool { return strings.EqualFold(number, label) }):
		return number, labelText
	}
	return number, otherText
}

// userPart is the user of a SIP URI, or the number of a tel URI, without its scheme. Its plus sign may
// be escaped.
func userPart(uri string) string {
	if end := strings.IndexAny(uri, "@;"); end >= 0 {
		uri = uri[:end]
	}
	if hasPrefixFold(uri, "%2B") {
		return "+" + uri[len("%2B"):]
	}
	return uri
}

// isPlainNumber says whether s is one number: digits, masked digits and punctuation, a plus sign
// only before the first digit.
func isPlainNumber(s string) bool {
	digits, dots := 0, 0
	for _, c := range []byte(s) {
		switch {
		case isDigit(c) || c == '*':
			digits++
		case c == '+' && digits == 0:
		case c == '.':
			dots++
		case !isNumberPunctuation(c):
			return false
		}
	}
	return digits > 0 && digits <= maxNumberDigits && (dots < 3 || !isAddress(s))
}

// numberLabels are the words for a withheld number.
var numberLabels = []string{"anonymous", "unavailable", "restricted", "unknown", "private", "blocked", "withheld"}

// number redacts a field for a number. If it has a name, the stricter of the rules for numbers and
// users applies.
func (d *Redactor) number(s string) string { return d.numberAs(s, d.policy.Numbers) }

func (d *Redactor) numberAs(s string, mode Mode) string {
	number, kind := readNumber(s)
	switch {
	case kind == addressText:
		return d.addressAs(s, min(mode, d.policy.Addresses))
	case kind == otherText:
		return d.addresses(d.inMode(min(mode, d.policy.Users), s, func(string) string { return hidden }, foldCase))
	case mode == Keep:
		return d.addresses(s)
	case kind == labelText && mode != Drop:
		return number
	}
	return d.inMode(mode, number, maskNumber, bareNumber)
}

// maskNumber hides the last four digits of a number, including digits that were masked before. If a
// number has up to four digits, such as 911 or an extension, it shows only the length: short numbers
// identify a person best.
func maskNumber(s string) string {
	masked, left := []byte(s), maskedDigits
	for i := len(masked) - 1; i >= 0 && left > 0; i-- {
		if isDigit(masked[i]) || masked[i] == '*' {
			masked[i] = '*'
			left--
		}
	}
	return string(masked)
}

// bareNumber is the digits alone, so that the forms of one international number (+1 212…, 001212…, 1212…) are equal.
func bareNumber(s string) string {
	digits := strings.Map(func(c rune) rune {
		if c == '*' || unicode.IsDigit(c) {
			return c
		}
		return -1
	}, s)
	if !strings.Contains(s, "+") && len(digits) > 2 {
		digits = strings.TrimPrefix(digits, "00")
	}
	return digits
}
