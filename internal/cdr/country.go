package cdr

import (
	"cmp"
	"strconv"
	"strings"
	"sync"

	"github.com/nyaruka/phonenumbers"
)

// The length of an international number, including masked digits. Shorter ones are national, short
// or emergency numbers with a plus sign (+911 isn't in India); longer ones aren't E.164, though
// some German ones may have 17.
const (
	minInternational = 7
	maxInternational = 17
)

const (
	nanpCode = 1
	// nanpPrefix and sharedPrefix are how many national digits decide the country under a shared
	// calling code.
	nanpPrefix   = 3
	sharedPrefix = 5
	// maxCachedPrefixes limits the cache to about half a megabyte.
	maxCachedPrefixes = 1 << 14
)

// Countries finds the country of a phone number by its prefix, with the metadata of libphonenumber.
// It is safe for concurrent use, so all feeds share one with its cache.
type Countries struct {
	mu sync.RWMutex
	// cache has the country for a shared calling code and the national digits that decide it.
	// Guarded by mu.
	cache map[uint32]string
}

// NewCountries makes an empty cache of countries.
func NewCountries() *Countries { return &Countries{cache: make(map[uint32]string)} }

// Of is the country of a number in E.164 form with its plus sign: ISO 3166-1 alpha-2 (and AC, TA,
// XK), `001` for calling codes without a country, empty for anything else. Masked digits at the end
// don't matter. The leading digits decide between countries that share a calling code; if they
// can't, it is the main country. Under +1 the area code decides, and an unassigned one has no
// country; toll-free and other shared area codes are US.
func (c *Countries) Of(number string) string {
	if !strings.HasPrefix(strings.TrimSpace(number), "+") {
		return ""
	}
	return c.OfDigits(number)
}

// OfDigits is Of for providers that write E.164 numbers without the plus sign.
func (c *Countries) OfDigits(number string) string {
	var buf [maxInternational]byte
	digits, known := scanDigits(&buf, strings.TrimPrefix(strings.TrimSpace(number), "+"))
	digits = digits[:known] // without the masked digits
	if len(digits) == 0 || digits[0] == '0' || isKeypadLabel(digits) {
		return ""
	}
	code, regions, national := cutCallingCode(digits)
	switch {
	case len(regions) == 0:
		return ""
	case len(regions) == 1:
		return regions[0]
	case code != nanpCode:
		return cmp.Or(c.shared(code, national[:min(len(national), sharedPrefix)]), regions[0])
	case len(national) < nanpPrefix || national[0] < '2':
		return ""
	}
	return c.shared(code, national[:nanpPrefix])
}

// scanDigits writes the digits of a number to buf, with zeros for masked ones. It returns how many
// come before the first masked one, or none if it can't be an international number.
func scanDigits(buf *[maxInternational]byte, number string) (digits []byte, known int) {
	n, masked := 0, false
scan:
	for _, c := range []byte(number) {
		switch {
		case isDigit(c), c == '*', c == 'x', c == 'X':
			if n == len(buf) {
				return nil, 0
			}
			if buf[n] = c; !isDigit(c) {
				buf[n], masked = '0', true
			}
			if n++; !masked {
				known = n
			}
		case !isNumberPunctuation(c):
			break scan
		}
	}
	if n < minInternational {
		return nil, 0
	}
	return buf[:n], known
}

// isKeypadLabel says whether a number spells anonymous, restricted, blocked, unknown or unavailable
// on a keypad. Carriers that must send a number send it for a withheld one.
func isKeypadLabel(digits []byte) bool {
	switch string(digits) {
	case "266696687", "7378742833", "2562533", "8656696", "86282452253":
		return true
	}
	return false
}

// cutCallingCode splits the calling code, of one to three digits, off a number. It returns the
// code's countries, the main one first, or none for an unknown code. No code is the beginning of
// another.
func cutCallingCode[T string | []byte](digits T) (code int, regions []string, national T) {
	for i := range min(len(digits), 3) {
		code = code*10 + int(digits[i]-'0')
		if regions = phonenumbers.GetRegionCodesForCountryCode(code); len(regions) > 0 {
			return code, regions, digits[i+1:]
		}
	}
	return 0, nil, digits[:0]
}

// shared is the country of a prefix under a shared calling code, or empty if the prefix doesn't
// decide it.
func (c *Countries) shared(code int, prefix []byte) string {
	key := uint32(code)
	for _, d := range prefix {
		key = key*10 + uint32(d-'0')
	}
	c.mu.RLock()
	region, ok := c.cache[key]
	c.mu.RUnlock()
	if ok {
		return region
	}
	region = lookUp(code, string(prefix))
	c.mu.Lock()
	if len(c.cache) >= maxCachedPrefixes {
		clear(c.cache)
	}
	c.cache[key] = region
	c.mu.Unlock()
	return region
}

// lookUp looks up the country of plausible numbers with a prefix.
func lookUp(code int, prefix string) string {
	// The metadata has the fixed lines of Western Sahara, but never prefers them to Morocco's.
	if code == 212 && (strings.HasPrefix(prefix, "5288") || strings.HasPrefix(prefix, "5289")) {
		return "EH"
	}
	example := phonenumbers.GetExampleNumber(phonenumbers.GetRegionCodeForCountryCode(code))
	missing := max(len(phonenumbers.GetNationalSignificantNumber(example))-len(prefix), 0)
	for _, tail := range [...]string{"5", "2", "0", "9"} {
		number := nationalNumber(code, prefix+strings.Repeat(tail, missing))
		if region := phonenumbers.GetRegionCodeForNumber(number); region != "" {
			return region
		}
	}
	return ""
}

// nationalNumber is a number from its parts, without the cost of parsing it.
func nationalNumber(code int, national string) *phonenumbers.PhoneNumber {
	value, _ := strconv.ParseUint(national, 10, 64) // about fifteen digits
	number := &phonenumbers.PhoneNumber{CountryCode: new(int32(code)), NationalNumber: &value}
	if zeros := int32(len(national) - len(strings.TrimLeft(national, "0"))); zeros > 0 {
		number.ItalianLeadingZero, number.NumberOfLeadingZeros = new(true), &zeros
	}
	return number
}
