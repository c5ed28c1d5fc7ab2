package cdr

import (
	"cmp"
	"iter"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The lengths from which digits in a text may be a phone number: in one piece, and with punctuation
// between them.
const (
	minDigitRun    = 5
	minSpacedRun   = 7
	minOwnText     = 3
	minOwnInCallID = 7
	minLabelDigits = 7
	maxLabelDigits = 15
)

// phrase redacts the provider's text: the record's own numbers and users, URIs and e-mail
// addresses, IP addresses, and digits that may be a phone number. Each is hidden completely unless
// its class is kept.
func (d *Redactor) phrase(r *Record) string {
	text := r.ReasonPhrase
	if text == "" {
		return ""
	}
	if d.policy.Numbers != Keep {
		text = hideOwn(text, minOwnText, r.CallerNumber, r.CalleeNumber)
	}
	if d.policy.Users != Keep {
		text = hideOwn(text, minOwnText, r.UserID, r.UserName, r.UserPrincipal)
	}
	text = d.hideURIs(text)
	if d.policy.Addresses != Keep {
		text = replaceAddresses(text, func(string) string { return hidden })
	}
	if d.policy.Numbers != Keep {
		text = hideDigits(text)
	}
	return text
}

// CallID is a record's call id without addresses. The text after the last @ is the host that made
// it (Graph's pstn callId, RFC 3261 8.1.1.4). It is redacted like an address, whether it is an
// address or a name.
func (d *Redactor) CallID(r *Record) string {
	id := r.CallID
	if d.policy.Numbers != Keep {
		id = hideOwn(id, minOwnInCallID, r.CallerNumber, r.CalleeNumber)
	}
	if d.policy.Addresses == Keep {
		return id
	}
	at := strings.LastIndexByte(id, '@')
	if at < 0 {
		return d.addresses(id)
	}
	local := d.addresses(id[:at])
	if host := d.address(id[at+1:]); host != "" {
		return local + "@" + host
	}
	return local
}

// hideOwn hides the record's own values, with or without plus signs, if they are too long to be in
// a text by chance.
func hideOwn(text string, atLeast int, values ...string) string {
	for _, value := range values {
		value = strings.TrimPrefix(strings.TrimSpace(value), "+")
		if len(value) < atLeast || strings.Trim(value, "*") == "" || !strings.Contains(text, value) {
			continue
		}
		if text = strings.ReplaceAll(text, value, hidden); strings.Contains(text, value) {
			return hidden
		}
	}
	return text
}

// uriPattern matches e-mail addresses and the URIs of RFC 3261 within texts: characters with an @
// among them, up to a blank, quote, bracket or list punctuation.
var uriPattern = regexp.MustCompile(`[^\x00- <>"'(),;\[\]=]*(?:@|%40)[^\x00- <>"'(),;\[\]=]*`)

func (d *Redactor) hideURIs(text string) string {
	if !strings.Contains(text, "@") && !strings.Contains(text, "%40") {
		return text
	}
	return uriPattern.ReplaceAllStringFunc(text, func(uri string) string {
		mode := d.policy.Users
		if _, kind := readNumber(uri); kind == digitsNumber {
			mode = d.policy.Numbers
		}
		if mode == Keep {
			return uri
		}
		return hidden
	})
}

// addresses redacts the IP addresses inside another text.
func (d *Redactor) addresses(text string) string {
	if d.policy.Addresses == Keep {
		return text
	}
	return replaceAddresses(text, func(address string) string { return cmp.Or(d.address(address), hidden) })
}

var (
	// addressPattern matches runs of the characters of IP addresses.
	addressPattern = regexp.MustCompile(`[0-9A-Fa-f.:]+`)
	// quadPattern matches four decimal numbers with dots between them.
	quadPattern = regexp.MustCompile(`[0-9]\.[0-9]+\.[0-9]+\.[0-9]`)
)

// replaceAddresses replaces each run that is an IP address or looks like one.
func replaceAddresses(text string, replace func(run string) string) string {
	if strings.Count(text, ".") < 3 && strings.Count(text, ":") < 2 {
		return text
	}
	return addressPattern.ReplaceAllStringFunc(text, func(run string) string {
		bare := strings.TrimRight(run, ".:")
		v6 := strings.Count(bare, ":") >= 5 || (strings.Contains(run, "::") && strings.ContainsAny(bare, ":0123456789"))
		if !v6 && !quadPattern.MatchString(bare) {
			return run
		}
		return replace(bare) + run[len(bare):]
	})
}

// HideNumbers hides digits that may be a phone number in a provider's word or label: 7 to 15 digits
// (ITU-T E.164), not counting a plus and separators. They must not be part of a longer word of
// letters and digits, of an IP address or of a UUID.
func HideNumbers(text string) string {
	if countDigits(text) < minLabelDigits {
		return text
	}
	if at := uuidPattern.FindStringIndex(text); at != nil { // such as FusionPBX's gateways
		return HideNumbers(text[:at[0]]) + text[at[0]:at[1]] + HideNumbers(text[at[1]:])
	}
	var b strings.Builder
	done := 0
	for _, at := range runPattern.FindAllStringIndex(text, -1) {
		for from, to := range numbersIn(text, at[0], at[1]) {
			n := countDigits(text[from:to])
			if n < minLabelDigits || n > maxLabelDigits || isAddress(text[from:to]) {
				continue
			}
			b.WriteString(text[done:from] + hidden)
			done = to
		}
	}
	return b.String() + text[done:]
}

// betweenWords are the characters within a run of digits that end a word.
const betweenWords = " ()/"

// numbersIn are the parts of a run of digits that may be numbers: all of it, without a word of
// letters and digits that begins or ends in it; its words if it is longer than a number.
func numbersIn(text string, from, to int) iter.Seq2[int, int] {
	if to < len(text) && isAlnum(text[to]) {
		to = from + max(strings.LastIndexAny(text[from:to], betweenWords), 0)
	}
	if from > 0 && isAlnum(text[from-1]) && text[from] != '+' {
		if cut := strings.IndexAny(text[from:to], betweenWords); cut >= 0 {
			from += cut
		} else {
			from = to
		}
	}
	isPunctuation := func(c rune) bool { return c == '/' || c < utf8.RuneSelf && isNumberPunctuation(byte(c)) }
	from = to - len(strings.TrimLeftFunc(text[from:to], isPunctuation))
	to = from + len(strings.TrimRightFunc(text[from:to], isPunctuation))
	return func(yield func(int, int) bool) {
		if countDigits(text[from:to]) <= maxLabelDigits {
			yield(from, to)
			return
		}
		for word := range strings.FieldsFuncSeq(text[from:to], func(c rune) bool {
			return strings.ContainsRune(betweenWords, c)
		}) {
			at := from + strings.Index(text[from:to], word)
			if !yield(at, at+len(word)) {
				return
			}
			from = at + len(word)
		}
	}
}

// countDigits counts digits, masked ones too.
func countDigits(s string) (n int) {
	for _, c := range []byte(s) {
		if isDigit(c) || c == '*' {
			n++
		}
	}
	return n
}

// uuidPattern matches a UUID. Groups of it may have digits only.
var uuidPattern = regexp.MustCompile(`\b[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}\b`)

// runPattern matches digits with the punctuation of numbers between them.
var runPattern = regexp.MustCompile(`\+?[0-9*](?:[ .()/-]*[0-9*])+`)

// digitsPattern matches the eight digits of a Windows error code, and five digits or more with the
// punctuation of numbers between them.
var digitsPattern = regexp.MustCompile(`0x[0-9A-Fa-f]{8}\b|[0-9+*](?:[ .()-]*[0-9+*]){4,}`)

// hideDigits hides digits that may be a phone number, if they are long enough. It keeps IP addresses
// that are wanted, and error codes, which identify a fault, not a person.
func hideDigits(text string) string {
	if !strings.ContainsAny(text, "0123456789*") {
		return text
	}
	return digitsPattern.ReplaceAllStringFunc(text, func(run string) string {
		digits, longest := 0, 0
		for piece := range strings.FieldsFuncSeq(run, func(c rune) bool { return c != '*' && !unicode.IsDigit(c) }) {
			digits += len(piece)
			longest = max(longest, len(piece))
		}
		enough := digits >= minSpacedRun || longest >= minDigitRun ||
			(digits >= minDigitRun && strings.Contains(run, "+"))
		if !enough || isAddress(run) || strings.HasPrefix(run, "0x") {
			return run
		}
		return hidden
	})
}
