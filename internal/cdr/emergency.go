package cdr

import "strings"

// The numbers of the North American plan, which some systems write as E.164, with its country code.
const (
	nanpEmergency     = "911"
	nanpEmergencyTest = "933"
)

// maxEmergencyDigits limits the comparison: no emergency number is longer.
const maxEmergencyDigits = 15

// EmergencyNumbers recognizes calls to emergency services by the called number. It is immutable;
// nil matches nothing.
type EmergencyNumbers map[emergencyNumber]bool

// emergencyNumber is a number that counts from one country only, or from everywhere without a
// country.
type emergencyNumber struct{ country, digits string }

// NewEmergencyNumbers parses numbers as users write them, with a country, as in DE:110, if it
// counts from there only. A text without a number matches nothing.
func NewEmergencyNumbers(list []string) EmergencyNumbers {
	numbers := make(EmergencyNumbers, len(list))
	for _, entry := range list {
		var buf [maxEmergencyDigits]byte
		country, number, scoped := strings.Cut(entry, ":")
		if !scoped {
			country, number = "", entry
		}
		if digits, ok := bareDigits(buf[:0], number); ok {
			numbers[emergencyNumber{country, string(digits)}] = true
		}
	}
	return numbers
}

// Match says whether callee, without plus sign, spaces and punctuation, is one of the numbers that
// count everywhere or in the caller's country (Countries, empty if unknown). 911 and 933 also match
// as +1911 and +1933. A masked number never matches, because it could be any other number of its
// length. The caller of Match checks that the call is outbound.
func (numbers EmergencyNumbers) Match(callee, country string) Emergency {
	var buf [maxEmergencyDigits]byte
	digits, ok := bareDigits(buf[:0], callee)
	if !ok {
		return NoEmergency
	}
	switch string(digits) {
	case "1" + nanpEmergency, "1" + nanpEmergencyTest:
		if strings.HasPrefix(callee, "+") { // otherwise it is an extension
			digits = digits[1:]
		}
	}
	switch {
	case !numbers[emergencyNumber{"", string(digits)}] && !numbers[emergencyNumber{country, string(digits)}]:
		return NoEmergency
	case string(digits) == nanpEmergencyTest:
		return EmergencyTest
	}
	return EmergencyReal
}

// bareDigits appends the digits of a number to dst. ok is false without digits, with too many, or
// with characters other than digits and punctuation.
func bareDigits(dst []byte, number string) (digits []byte, ok bool) {
	for _, c := range []byte(number) {
		switch {
		case isDigit(c):
			dst = append(dst, c)
		case c != '+' && !isNumberPunctuation(c):
			return nil, false
		}
	}
	return dst, len(dst) > 0 && len(dst) <= maxEmergencyDigits
}

// isNumberPunctuation says whether people write c between the digits of a number.
func isNumberPunctuation(c byte) bool { return strings.IndexByte(" -.()", c) >= 0 }
