package cdr

import "strings"

// The numbers of the North American plan.
const (
	nanpEmergency     = "911"
	nanpEmergencyTest = "933"
)

// The services of RFC 5031, which calls may have instead of a number, and their tests (RFC 6881).
const (
	emergencyService     = "urn:service:sos"
	emergencyServiceTest = "urn:service:test.sos"
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
// count everywhere or in the caller's country (Countries, empty if unknown), or an emergency service
// of RFC 5031. A number may stand behind its country's calling code, as in +1911 or +44999. A masked
// number never matches, because it could be any other number of its length. The caller of Match
// checks that the call is outbound.
func (numbers EmergencyNumbers) Match(callee, country string) Emergency {
	var buf [maxEmergencyDigits]byte
	digits, ok := bareDigits(buf[:0], callee)
	switch {
	case hasPrefixFold(callee, emergencyService):
		return EmergencyReal
	case hasPrefixFold(callee, emergencyServiceTest):
		return EmergencyTest
	case !ok:
		return NoEmergency
	}
	kind := numbers.kind(digits, country)
	if kind != NoEmergency || callee[0] != '+' || len(digits) >= minInternational {
		return kind
	}
	code, regions, national := cutCallingCode(digits)
	ofNANP := string(national) == nanpEmergency || string(national) == nanpEmergencyTest
	if len(regions) == 0 || ofNANP != (code == nanpCode) { // 911 is also a town's prefix, such as Nuremberg's
		return NoEmergency
	}
	return numbers.kind(national, regions[0])
}

// kind is the kind of a listed number. A test number may have a prefix for an outside line.
func (numbers EmergencyNumbers) kind(digits []byte, country string) Emergency {
	switch {
	case !numbers[emergencyNumber{"", string(digits)}] && !numbers[emergencyNumber{country, string(digits)}]:
		return NoEmergency
	case strings.HasSuffix(string(digits), nanpEmergencyTest):
		return EmergencyTest
	}
	return EmergencyReal
}

func hasPrefixFold(text, prefix string) bool {
	return len(text) >= len(prefix) && strings.EqualFold(text[:len(prefix)], prefix)
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
