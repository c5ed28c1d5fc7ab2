package cdr

import "strings"

// The sizes from which a text's digits may be a phone number: in one piece, and
// with punctuation between them.
const (
	minDigitRun    = 5
	minSpacedRun   = 7
	minOwnText     = 3
	minOwnInCallID = 7
)

// phrase redacts the provider's text: the record's own numbers and users, URIs
// and e-mail addresses, IP addresses, and what may be a phone number. Each is
// hidden as a whole unless its class is kept.
func (d *Redactor) phrase(r *Record) string {
	text := r.ReasonPhrase
	if text == "" {
		return ""
	}
	if d.policy.Numbers != Keep {
		text = hideOwn(text, r.CallerNumber, minOwnText)
		text = hideOwn(text, r.CalleeNumber, minOwnText)
	}
	if d.policy.Users != Keep {
		text = hideOwn(text, r.UserID, minOwnText)
		text = hideOwn(text, r.UserName, minOwnText)
		text = hideOwn(text, r.UserPrincipal, minOwnText)
	}
	text = d.hideURIs(text)
	if d.policy.Addresses != Keep {
		text = replaceRuns(text, isAddressByte, func(from, to int) string { return hideAddress(text[from:to]) })
	}
	if d.policy.Numbers != Keep {
		text = hideDigits(text)
	}
	return text
}

// callID redacts addresses in a call id. What follows the last @ is the host
// that made it (Graph's pstn callId, RFC 3261 8.1.1.4) and falls under the rule
// for addresses, as an address or a name.
func (d *Redactor) callID(r *Record) string {
	id := r.CallID
	if d.policy.Numbers != Keep {
		id = hideOwn(id, r.CallerNumber, minOwnInCallID)
		id = hideOwn(id, r.CalleeNumber, minOwnInCallID)
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

// hideOwn hides a value of the record's in a text, with or without its plus
// sign, if it is long enough not to be there by chance.
func hideOwn(text, value string, atLeast int) string {
	value = strings.TrimPrefix(strings.TrimSpace(value), "+")
	if len(value) < atLeast || strings.Trim(value, "*") == "" || !strings.Contains(text, value) {
		return text
	}
	text = strings.ReplaceAll(text, value, hidden)
	if strings.Contains(text, value) {
		return hidden
	}
	return text
}

// hideURIs hides what has an @ in it: the URIs of RFC 3261 and e-mail addresses.
func (d *Redactor) hideURIs(text string) string {
	if !strings.Contains(text, "@") && !strings.Contains(text, "%40") {
		return text
	}
	return replaceRuns(text, isURIByte, func(from, to int) string {
		run := text[from:to]
		if !strings.Contains(run, "@") && !strings.Contains(run, "%40") {
			return run
		}
		mode := d.policy.Users
		if _, kind := readNumber(run); kind == digitsNumber {
			mode = d.policy.Numbers
		}
		if mode == Keep {
			return run
		}
		return hidden
	})
}

// isURIByte says whether a byte can be inside an e-mail address or a URI as they
// are found in texts: no blank, quote, bracket or list punctuation.
func isURIByte(c byte) bool { return c > ' ' && !strings.ContainsRune(`<>"'(),;[]=`, rune(c)) }

// addresses redacts the IP addresses inside a text that is something else.
func (d *Redactor) addresses(text string) string {
	mode := d.policy.Addresses
	if mode == Keep || (strings.Count(text, ".") < 3 && strings.Count(text, ":") < 2) {
		return text
	}
	return replaceRuns(text, isAddressByte, func(from, to int) string {
		run := text[from:to]
		if mode == Drop || hideAddress(run) == run {
			return hideAddress(run)
		}
		bare := strings.TrimRight(run, ".:")
		return d.address(bare) + run[len(bare):]
	})
}

// isAddressByte says whether a byte can be part of an IP address.
func isAddressByte(c byte) bool {
	return isDigit(c) || ('a' <= lower(c) && lower(c) <= 'f') || c == '.' || c == ':'
}

// hideAddress hides an IP address, or what was meant to be one, in a run of the
// bytes of addresses.
func hideAddress(run string) string {
	bare := strings.TrimRight(run, ".:")
	v6 := strings.Count(bare, ":") >= 5 ||
		(strings.Contains(run, "::") && strings.ContainsAny(bare, ":0123456789"))
	if !v6 && !hasQuad(bare) {
		return run
	}
	return hidden + run[len(bare):]
}

// hasQuad says whether a run has four decimal numbers with dots between them.
func hasQuad(run string) bool {
	parts, digits := 1, 0
	for _, c := range []byte(run) {
		switch {
		case isDigit(c):
			if digits++; parts == 4 {
				return true
			}
		case c == '.' && digits > 0:
			parts++
			digits = 0
		default:
			parts, digits = 1, 0
		}
	}
	return false
}

// hideDigits hides what may be a phone number.
func hideDigits(text string) string {
	return replaceRuns(text, isNumberByte, func(from, to int) string {
		run := text[from:to]
		bare := strings.Trim(run, " .-()")
		if bare == "" || !mayBeNumber(bare) || isHexLiteral(text[:from], text[from:]) {
			return run
		}
		return strings.Replace(run, bare, hidden, 1)
	})
}

// isNumberByte says whether a byte can be part of a phone number in a text.
func isNumberByte(c byte) bool { return isDigit(c) || c == '+' || c == '*' || isNumberPunctuation(c) }

// mayBeNumber says whether a run of digits and punctuation is long enough for a
// phone number, and isn't an IP address that was kept.
func mayBeNumber(run string) bool {
	digits, together, longest := 0, 0, 0
	for _, c := range []byte(run) {
		if isDigit(c) || c == '*' {
			digits++
			together++
			longest = max(longest, together)
			continue
		}
		together = 0
	}
	enough := digits >= minSpacedRun || longest >= minDigitRun || (digits >= minDigitRun && strings.Contains(run, "+"))
	return enough && !isAddress(run)
}

// isHexLiteral says whether a text goes on with the eight digits of a Windows
// error code: they name a fault, not a person.
func isHexLiteral(before, rest string) bool {
	if !strings.HasSuffix(before, "0x") || len(rest) < 8 {
		return false
	}
	for _, c := range []byte(rest[:8]) {
		if !isDigit(c) && (lower(c) < 'a' || lower(c) > 'f') {
			return false
		}
	}
	return len(rest) == 8 || !isAlnum(rest[8])
}

// replaceRuns replaces every longest run text[from:to] of bytes that are inside a
// class. It returns text itself if nothing changed.
func replaceRuns(text string, inside func(byte) bool, replace func(from, to int) string) string {
	var out []byte
	kept := 0
	for from := 0; from < len(text); {
		if !inside(text[from]) {
			from++
			continue
		}
		to := from + 1
		for to < len(text) && inside(text[to]) {
			to++
		}
		if run := replace(from, to); run != text[from:to] {
			out = append(append(out, text[kept:from]...), run...)
			kept = to
		}
		from = to
	}
	if kept == 0 {
		return text
	}
	return string(append(out, text[kept:]...))
}
