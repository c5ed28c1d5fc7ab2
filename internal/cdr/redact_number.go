package cdr

import "strings"

// hidden stands for a value, or a part of a text, that is masked as a whole.
const hidden = "***"

// maskedDigits is how many digits a mask hides (contract 2).
const maskedDigits = 4

// maxNumberDigits is more than any number has: longer ones are two numbers, or a
// number with a code dialled behind it, whose end a mask would not hide.
const maxNumberDigits = 17

// numberKind is what a field for a number really holds.
type numberKind uint8

const (
	// otherText is a name, a URI with one, or anything else.
	otherText numberKind = iota
	// digitsNumber is digits, masked ones too, and punctuation.
	digitsNumber
	// labelText says that there is no number, and tells nothing of anybody.
	labelText
	// addressText is an IP address.
	addressText
)

// readNumber says what a value is, and cuts a number out of a tel or SIP URI.
func readNumber(s string) (number string, kind numberKind) {
	number = s
	for _, scheme := range [...]string{"tel:", "sip:", "sips:"} {
		if len(s) >= len(scheme) && strings.EqualFold(s[:len(scheme)], scheme) {
			number = s[len(scheme):]
			if end := strings.IndexAny(number, "@;"); end >= 0 {
				number = number[:end]
			}
		}
	}
	switch {
	case isPlainNumber(number):
		return number, digitsNumber
	case isAddress(number):
		return number, addressText
	case isNumberLabel(number):
		return number, labelText
	}
	return number, otherText
}

// isPlainNumber says whether s is one number: digits, masked digits and
// punctuation, a plus sign only before the first digit.
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

// isNumberLabel says whether s is one of the words for a number that isn't told.
func isNumberLabel(s string) bool {
	for _, label := range [...]string{"anonymous", "unavailable", "restricted", "unknown", "private", "blocked", "withheld"} {
		if strings.EqualFold(s, label) {
			return true
		}
	}
	return false
}

// number redacts what a field for a number holds. A name in it falls under the
// stricter of the rules for numbers and users, an address under its own.
func (d *Redactor) number(s string) string { return d.numberAs(s, d.policy.Numbers) }

func (d *Redactor) numberAs(s string, mode Mode) string {
	if s == "" {
		return ""
	}
	number, kind := readNumber(s)
	switch kind {
	case labelText:
		if mode == Drop {
			return ""
		}
		return s
	case addressText:
		return d.addressAs(s, min(mode, d.policy.Addresses))
	case otherText:
		mode = min(mode, d.policy.Users)
	case digitsNumber:
	}
	switch mode {
	case Keep:
		return d.addresses(s)
	case Mask:
		if kind == otherText {
			return hidden
		}
		return maskNumber(number)
	case Hash:
		if kind == otherText {
			return d.hash(s)
		}
		return d.hashNumber(number)
	case Drop:
	}
	return ""
}

// maskNumber hides the last four digits of a number; those that were masked
// before are among them. A number of up to four digits, such as 911 or an
// extension, is hidden but for its length: short ones name a person best.
func maskNumber(s string) string {
	var room [2 * maxNumberDigits]byte
	buf := append(room[:0], s...)
	left, changed := maskedDigits, false
	for i := len(buf) - 1; i >= 0 && left > 0; i-- {
		if isDigit(buf[i]) || buf[i] == '*' {
			changed = changed || buf[i] != '*'
			buf[i] = '*'
			left--
		}
	}
	if !changed {
		return s
	}
	return string(buf)
}

// hashNumber hashes the digits alone, so that the forms of one international
// number (+1 212…, 001212…, 1212…) are equal.
func (d *Redactor) hashNumber(s string) string {
	m := d.macs.Get().(*mac)
	defer d.macs.Put(m)
	m.input = m.input[:0]
	for _, c := range []byte(s) {
		if isDigit(c) || c == '*' {
			m.input = append(m.input, c)
		}
	}
	if !strings.Contains(s, "+") && len(m.input) > 2 && string(m.input[:2]) == "00" {
		m.input = append(m.input[:0], m.input[2:]...)
	}
	return m.hex()
}
