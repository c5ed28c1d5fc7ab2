package match

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

const (
	// shortest is the least number of digits of a number that may be completed: shorter ones are extensions.
	shortest = 7
	// headLength is how many digits decide how a number is completed, together with its length.
	headLength = 8
	// mostHeads bounds the cache to some megabytes.
	mostHeads = 1 << 15
	mask      = "*"
)

// In these countries national numbers begin with a zero, so one without it may be of E.164: in some any that is valid,
// because nearly any length is valid there, in others one that begins with the country's calling code, as their mobile
// numbers also come without the zero.
var (
	anyBare = []string{"AT", "AX", "DE", "FI", "RS"}
	ownBare = []string{"ID", "SE", "XK"}
)

// withheld are the texts of numbers that their owner hides.
var withheld = []string{"anonymous", "restricted", "unavailable", "unknown", "private", "withheld", "blocked", "null"}

// numbers normalises numbers to the digits of E.164, masked ones as *. It isn't safe for concurrent use.
type numbers struct {
	country string
	// heads are the first digits of completed numbers, since libphonenumber takes some ten microseconds a number.
	heads map[head]string
}

// head is what decides how a number is completed: libphonenumber looks at leading digits and lengths.
type head struct {
	digits string
	length int
	plus   bool
}

func newNumbers(country string) *numbers { return &numbers{country, make(map[head]string)} }

// normal is the normalised number, empty if it is hidden. A name instead of a number stays, in small letters.
func (n *numbers) normal(text string) string {
	text = strings.ToLower(strings.TrimSpace(text))
	for _, scheme := range []string{"sips:", "sip:", "tel:"} {
		text = strings.TrimPrefix(text, scheme)
	}
	if end := strings.IndexAny(text, "@;"); end >= 0 {
		text = text[:end]
	}
	if slices.Contains(withheld, text) {
		return ""
	}
	digits, plus := make([]byte, 0, 32), strings.HasPrefix(text, "+")
	for i := range len(text) {
		switch c := text[i]; {
		case c >= '0' && c <= '9':
			digits = append(digits, c)
		case c == '*', c == 'x', c == '#':
			digits = append(digits, mask...)
		case c == '+' && i == 0, strings.IndexByte(" -./()", c) >= 0:
		default:
			return text
		}
	}
	number := string(digits)
	switch {
	case strings.Trim(number, mask) == "":
		return ""
	case number[0] == mask[0], plus && len(number) == len(text)-1, len(number) < shortest:
		return number
	}
	return n.complete(number, plus)
}

// complete puts the calling code before a number.
func (n *numbers) complete(digits string, plus bool) string {
	at := min(strings.Index(digits+mask, mask), headLength)
	key := head{digits[:at], len(digits), plus}
	first, known := n.heads[key]
	if !known {
		plain := strings.ReplaceAll(digits, mask, "0")
		if first, known = strings.CutSuffix(n.e164(plain, plus), plain[at:]); !known {
			first = digits[:at]
		}
		if len(n.heads) >= mostHeads {
			clear(n.heads)
		}
		n.heads[key] = first
	}
	return first + digits[at:]
}

func (n *numbers) e164(digits string, plus bool) string {
	text := digits
	switch {
	case plus: // it may have a zero that only callers at home dial, as +49 (0) 30
		text = "+" + digits
	case n.country == "":
		return strings.TrimPrefix(digits, "00")
	}
	number, err := phonenumbers.Parse(text, n.country)
	if err != nil {
		return digits
	}
	isBare := digits[0] != '0' && (slices.Contains(anyBare, n.country) || slices.Contains(ownBare, n.country) &&
		strings.HasPrefix(digits, strconv.Itoa(phonenumbers.GetCountryCodeForRegion(n.country))))
	if !plus && (isBare || !phonenumbers.IsValidNumber(number)) {
		// Some providers write E.164 without its plus sign, others 00 before it in any country.
		bare := strings.TrimPrefix(digits, "00")
		if p, err := phonenumbers.Parse("+"+bare, ""); err == nil && phonenumbers.IsValidNumber(p) {
			return bare
		}
	}
	return strings.TrimPrefix(phonenumbers.Format(number, phonenumbers.E164), "+")
}

// shown are the digits before and behind the masked ones: all of them, if none is masked.
func shown(number string) (before, behind string) {
	before, behind, masked := strings.Cut(number, mask)
	if !masked {
		return number, number
	}
	return before, behind[strings.LastIndex(behind, mask)+1:]
}

// sameNumber says whether two numbers may be the same by the digits that both show.
func sameNumber(a, b string) bool {
	if a == b {
		return true
	}
	aMasked, bMasked := strings.Contains(a, mask), strings.Contains(b, mask)
	if !aMasked && !bMasked {
		return false
	}
	aBefore, aBehind := shown(a)
	bBefore, bBehind := shown(b)
	if !aMasked && len(a) <= len(bBefore)+len(bBehind) || !bMasked && len(b) <= len(aBefore)+len(aBehind) {
		return false
	}
	before, behind := min(len(aBefore), len(bBefore)), min(len(aBehind), len(bBehind))
	return aBefore[:before] == bBefore[:before] && aBehind[len(aBehind)-behind:] == bBehind[len(bBehind)-behind:]
}

// party is what the numbers of a book's callers, or callees, show.
type party struct {
	calls, hidden  int // hidden: without any digit
	before, behind int // the fewest digits before and behind masked ones
}

func newParty() party { return party{before: math.MaxInt, behind: math.MaxInt} }

func (p *party) add(number string) {
	if p.calls++; number == "" {
		p.hidden++
	}
	if before, behind := shown(number); strings.Contains(number, mask) {
		p.before, p.behind = min(p.before, len(before)), min(p.behind, len(behind))
	}
}

func (p *party) allHidden() bool { return p.calls > 0 && p.hidden == p.calls }

// join is what the numbers of two books show.
func (p *party) join(o *party) party {
	if p.allHidden() || o.allHidden() {
		return party{}
	}
	return party{before: min(p.before, o.before), behind: min(p.behind, o.behind)}
}

// key is what numbers that may be the same have in common.
func (p *party) key(number string) string {
	before, behind := shown(number)
	return before[:min(len(before), p.before)] + mask + behind[len(behind)-min(len(behind), p.behind):]
}
