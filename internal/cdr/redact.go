package cdr

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// Policy says what happens to personal data before anything is written. The zero value drops all of it.
type Policy struct {
	// Numbers are phone numbers, Users names, user principal names and user ids, Addresses IP addresses.
	Numbers, Users, Addresses Mode
}

// DefaultPolicy is what applies without configuration (docs/configuration.md).
func DefaultPolicy() Policy { return Policy{Numbers: Mask, Users: Hash, Addresses: Drop} }

func (p Policy) modeOf(class Privacy) Mode {
	switch class {
	case Number:
		return p.Numbers
	case User:
		return p.Users
	case Address:
		return p.Addresses
	case Plain, Words:
	}
	return Keep
}

// hashLen is the number of hex digits of an HMAC that replace a value: 128 bits.
const hashLen = 32

// Redactor removes personal data from records. It is safe for concurrent use.
type Redactor struct {
	policy Policy
	macs   *sync.Pool // of hash.Hash with the key
}

// NewRedactor copies the key. Without a key, anybody could reverse a hash by trying all numbers, so
// Hash then acts as Drop.
func NewRedactor(policy Policy, key []byte) *Redactor {
	for _, mode := range []*Mode{&policy.Numbers, &policy.Users, &policy.Addresses} {
		if len(key) == 0 && *mode == Hash {
			*mode = Drop
		}
	}
	key = slices.Clone(key)
	return &Redactor{policy: policy, macs: &sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}}
}

// Redact applies the policy to everything in a record that is written or shown. A field whose value
// is dropped becomes empty; a dropped attribute is removed.
//
// ID, AltIDs and Synthetic stay unchanged, because the ledger keys by them: take the keys, and
// compare revisions, before redacting (counting.md 16, 18). Trunk, country, locations and plain
// attributes aren't personal.
func (d *Redactor) Redact(r *Record) {
	// The phrase and the call id come first, because redaction searches them for the record's own
	// values.
	r.ReasonPhrase = d.phrase(r)
	r.CallID = d.CallID(r)
	r.CallerNumber = d.number(r.CallerNumber)
	r.CalleeNumber = d.number(r.CalleeNumber)
	r.UserID = d.user(r.UserID)
	r.UserName = d.name(r.UserName)
	r.UserPrincipal = d.user(r.UserPrincipal)
	r.Extra = d.attrs(r.Extra)
	for i := range r.Legs {
		l := &r.Legs[i]
		l.UserID, l.UserName, l.UserPrincipal = d.user(l.UserID), d.name(l.UserName), d.user(l.UserPrincipal)
	}
	for i := range r.Sessions {
		s := &r.Sessions[i]
		s.Number = d.number(s.Number)
		s.UserID, s.UserName, s.UserPrincipal = d.user(s.UserID), d.name(s.UserName), d.user(s.UserPrincipal)
		s.Extra = d.attrs(s.Extra)
		for k := range s.Streams {
			s.Streams[k].Extra = d.attrs(s.Streams[k].Extra)
		}
	}
}

// attrs redacts attributes; dropped ones are removed.
func (d *Redactor) attrs(all []Attr) []Attr {
	all = slices.DeleteFunc(all, func(a Attr) bool { return d.policy.modeOf(a.Privacy) == Drop })
	for i := range all {
		switch a := &all[i]; a.Type {
		case StringAttr:
			a.Str = d.value(a.Str, a.Privacy)
		case StringsAttr:
			for k, s := range a.Strs {
				a.Strs[k] = d.value(s, a.Privacy)
			}
		case IntAttr, BoolAttr:
			if d.policy.modeOf(a.Privacy) != Keep {
				*a = Text(a.Key, d.value(strconv.FormatInt(a.Int, 10), a.Privacy), a.Privacy)
			}
		}
	}
	return all
}

func (d *Redactor) value(s string, class Privacy) string {
	switch class {
	case Number:
		return d.number(s)
	case User:
		return d.user(s)
	case Address:
		return d.address(s)
	case Words:
		if d.policy.Numbers != Keep {
			return HideNumbers(s)
		}
	case Plain:
	}
	return s
}

// inMode redacts a value in a mode. mask makes the masked form, canonical the form to hash, which
// is equal for equal values.
func (d *Redactor) inMode(mode Mode, s string, mask, canonical func(string) string) string {
	switch {
	case s == "" || mode == Drop:
		return ""
	case mode == Mask:
		return mask(s)
	case mode == Hash:
		h := d.macs.Get().(hash.Hash)
		defer d.macs.Put(h)
		h.Reset()
		_, _ = h.Write([]byte(canonical(s))) // a hash never returns an error
		return hex.EncodeToString(h.Sum(nil))[:hashLen]
	}
	return s
}

// user redacts a user principal name or id.
func (d *Redactor) user(s string) string {
	return d.addresses(d.inMode(d.policy.Users, s, maskUser, foldCase))
}

// foldCase is a text in lower case without blanks around it.
func foldCase(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// name redacts a display name, which may be a number or have one in it.
func (d *Redactor) name(s string) string {
	if _, kind := readNumber(s); kind == digitsNumber {
		return d.numberAs(s, min(d.policy.Users, d.policy.Numbers))
	}
	if d.policy.Users == Keep && d.policy.Numbers != Keep {
		s = HideNumbers(s)
	}
	return d.user(s)
}

// maskUser keeps the first character, and the domain of a principal name.
func maskUser(s string) string {
	_, first := utf8.DecodeRuneInString(s)
	if first == len(s) {
		return hidden
	}
	if at := strings.LastIndexByte(s, '@'); at >= first && domainPattern.MatchString(s[at+1:]) {
		return s[:first] + hidden + s[at:]
	}
	return s[:first] + hidden
}

// domainPattern matches a domain name with a dot in it.
var domainPattern = regexp.MustCompile(`^[0-9A-Za-z.-]*\.[0-9A-Za-z.-]*$`)
