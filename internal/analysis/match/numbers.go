package match

import (
	"slices"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

const (
	// shortest is the least number of digits of a number that may be completed: shorter ones are extensions.
	shortest = 7
	// rulePrefix is how many digits decide how a number is completed.
	rulePrefix = 8
	// mostRules bounds the cache to some megabytes.
	mostRules = 1 << 15
	mask      = '*'
)

// withheld are the texts of numbers that their owner hides.
var withheld = []string{"anonymous", "restricted", "unavailable", "unknown", "private", "withheld", "blocked", "null"}

// numbers normalises numbers to the digits of E.164, masked ones as *. It isn't safe for concurrent use.
type numbers struct {
	country string
	rules   map[ruleKey]rule
}

// ruleKey is what decides how a number is completed: the plans of libphonenumber look at leading digits and lengths.
type ruleKey struct {
	prefix string
	length int
}

// rule cuts digits off the beginning and puts others in their place.
type rule struct {
	cut int
	put string
}

func newNumbers(country string) *numbers { return &numbers{country, make(map[ruleKey]rule)} }

// normal is the normalised number, empty if it is hidden. A name instead of a number stays, in small letters.
func (n *numbers) normal(text string) string {
	text = strings.TrimSpace(text)
	for _, scheme := range []string{"sips:", "sip:", "tel:"} {
		if len(text) > len(scheme) && strings.EqualFold(text[:len(scheme)], scheme) {
			text = text[len(scheme):]
			break
		}
	}
	text, _, _ = strings.Cut(text, "@")
	text, _, _ = strings.Cut(text, ";")
	var buf [32]byte
	digits, plus, shown := buf[:0], false, false
	for i := range len(text) {
		switch c := text[i]; {
		case c >= '0' && c <= '9':
			digits, shown = append(digits, c), true
		case c == mask, c == 'x', c == 'X', c == '#':
			digits = append(digits, mask)
		case c == '+' && i == 0:
			plus = true
		case strings.IndexByte(" -./()", c) >= 0:
		default:
			return name(text)
		}
	}
	switch {
	case !shown:
		return ""
	case digits[0] == mask:
		return string(digits)
	case plus && len(digits) == len(text)-1:
		return string(digits)
	}
	return n.complete(string(digits), plus)
}

func name(text string) string {
	if text = strings.ToLower(text); slices.Contains(withheld, text) {
		return ""
	}
	return text
}

// complete puts the calling code before a number.
func (n *numbers) complete(digits string, plus bool) string {
	if len(digits) < shortest {
		return digits
	}
	key := ruleKey{digits[:min(len(digits), rulePrefix)], len(digits)}
	if plus {
		key.length = -key.length
	}
	r, known := n.rules[key]
	if !known {
		r = n.ruleOf(strings.ReplaceAll(digits, string(mask), "0"), plus)
		if len(n.rules) >= mostRules {
			clear(n.rules)
		}
		n.rules[key] = r
	}
	return r.put + digits[r.cut:]
}

func (n *numbers) ruleOf(digits string, plus bool) rule {
	if plus {
		return ruleTo(digits, withoutTrunkPrefix(digits))
	}
	if n.country == "" {
		return ruleTo(digits, strings.TrimPrefix(digits, "00"))
	}
	national, err := phonenumbers.Parse(digits, n.country)
	if err != nil {
		return rule{}
	}
	if !phonenumbers.IsValidNumber(national) {
		// Some providers write E.164 without its plus sign.
		if p, err := phonenumbers.Parse("+"+digits, ""); err == nil && phonenumbers.IsValidNumber(p) {
			return rule{}
		}
	}
	return ruleTo(digits, strings.TrimPrefix(phonenumbers.Format(national, phonenumbers.E164), "+"))
}

// withoutTrunkPrefix leaves out a zero that only callers at home dial, as in +49 (0) 30.
func withoutTrunkPrefix(digits string) string {
	p, err := phonenumbers.Parse("+"+digits, "")
	if err != nil {
		return digits
	}
	return strings.TrimPrefix(phonenumbers.Format(p, phonenumbers.E164), "+")
}

// ruleTo is the rule that makes one number of another: their common end stays.
func ruleTo(from, to string) rule {
	same := 0
	for same < min(len(from), len(to)) && from[len(from)-1-same] == to[len(to)-1-same] {
		same++
	}
	if cut := len(from) - same; cut < rulePrefix {
		return rule{cut, to[:len(to)-same]}
	}
	return rule{}
}

// shown are the digits before and behind the masked ones; is says whether there are any.
func shown(number string) (before, behind string, is bool) {
	before, behind, is = strings.Cut(number, string(mask))
	return before, behind[strings.LastIndexByte(behind, mask)+1:], is
}

// sameNumber says whether two numbers may be the same by the digits that both show.
func sameNumber(a, b string) bool {
	aBefore, aBehind, aMasked := shown(a)
	bBefore, bBehind, bMasked := shown(b)
	switch {
	case !aMasked && !bMasked:
		return a == b
	case !aMasked:
		return len(a) > len(bBefore)+len(bBehind) && strings.HasPrefix(a, bBefore) && strings.HasSuffix(a, bBehind)
	case !bMasked:
		return sameNumber(b, a)
	}
	before, behind := min(len(aBefore), len(bBefore)), min(len(aBehind), len(bBehind))
	return aBefore[:before] == bBefore[:before] && aBehind[len(aBehind)-behind:] == bBehind[len(bBehind)-behind:]
}

// masking is how much of a party's numbers all masked ones of two books show.
type masking struct {
	masked         bool
	before, behind int
	calls, hidden  int // hidden: without any digit
}

func (m *masking) add(number string) {
	m.calls++
	if number == "" {
		m.hidden++
	}
	if before, behind, is := shown(number); is {
		if !m.masked {
			m.masked, m.before, m.behind = true, len(before), len(behind)
		}
		m.before, m.behind = min(m.before, len(before)), min(m.behind, len(behind))
	}
}

// join is the masking of two books together.
func (m masking) join(o masking) masking {
	switch {
	case m.allHidden() || o.allHidden():
		return masking{masked: true}
	case m.masked && o.masked:
		return masking{masked: true, before: min(m.before, o.before), behind: min(m.behind, o.behind)}
	case o.masked:
		return o
	}
	return m
}

func (m masking) allHidden() bool { return m.calls > 0 && m.hidden == m.calls }

// key is what numbers that may be the same have in common.
func (m masking) key(number string) string {
	if !m.masked {
		return number
	}
	before, behind, is := shown(number)
	if !is {
		behind = number
	}
	return before[:min(len(before), m.before)] + string(mask) + behind[len(behind)-min(len(behind), m.behind):]
}
