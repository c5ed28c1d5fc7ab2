package cdr

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// hashPattern is what a hash looks like.
var hashPattern = regexp.MustCompile(`^[0-9a-f]{32}$`)

// FuzzRedact checks that nothing of a number or user is left, whatever it is.
func FuzzRedact(f *testing.F) {
	for _, seed := range []string{
		"+12125550100", "+4930123456***", "1001", "Internal Revenue Service", "sip:alice@contoso.com",
		"tel:+12125550100;x",
		"192.0.2.7", "2001:db8::7", "+1 212 555 0100 +1 212 555 0101", "anonymous", "sip:anonymous@192.0.2.7",
		"0x80090328", "", "*", "+*5551234", "a@b.c", "....1234", " ",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		record := func() Record {
			return Record{
				CallerNumber: value, CalleeNumber: value, UserID: value, UserName: value, UserPrincipal: value,
				ReasonPhrase: "No route to " + value + " via 192.0.2.7",
				CallID:       value + "@192.0.2.7",
				Extra: []Attr{
					Text("n", value, Number), Text("u", value, User),
					Texts("us", []string{value}, User), Text("a", value, Address),
				},
			}
		}
		kept := record()
		NewRedactor(Policy{Numbers: Keep, Users: Keep, Addresses: Keep}, testKey).Redact(&kept)
		if !reflect.DeepEqual(kept, record()) {
			t.Errorf("keep makes %+v of %+v", kept, record())
		}
		for _, mode := range []Mode{Mask, Hash, Drop} {
			r := record()
			NewRedactor(Policy{Numbers: mode, Users: mode, Addresses: mode}, testKey).Redact(&r)
			numbers := []string{r.CallerNumber, r.CalleeNumber}
			users := []string{r.UserID, r.UserName, r.UserPrincipal}
			for _, a := range r.Extra {
				users = append(append(users, a.Str), a.Strs...)
			}
			for _, field := range numbers {
				checkNumber(t, mode, value, field)
			}
			for _, field := range slices.Concat(numbers, users) {
				checkField(t, mode, value, field)
			}
			checkText(t, value, r.ReasonPhrase)
			if strings.Contains(r.CallID, "192.0.2.7") {
				t.Errorf("%v leaves the address in %q", mode, r.CallID)
			}
		}
	})
}

// checkNumber checks a number's field under a mask.
func checkNumber(t *testing.T, mode Mode, value, field string) {
	t.Helper()
	number, kind := readNumber(value)
	switch {
	case mode != Mask || value == "":
	case kind == otherText && field != hidden:
		t.Errorf("the mask of %q is %q", value, field)
	case kind == digitsNumber:
		last := strings.TrimRight(field, " .-()")
		if len(field) != len(number) || !strings.HasSuffix(last, "*") ||
			strings.Count(last, "*") < min(4, len(onlyDigits(number))) {
			t.Errorf("the mask of %q is %q", value, field)
		}
	}
}

// checkField checks a field that is redacted as a whole.
func checkField(t *testing.T, mode Mode, value, field string) {
	t.Helper()
	number, kind := readNumber(value)
	switch {
	case field == "" || kind == labelText && field == number:
	case mode == Drop, mode == Hash && !hashPattern.MatchString(field):
		t.Errorf("%v leaves %q of %q", mode, field, value)
	}
}

// checkText checks a text that had the value in it.
func checkText(t *testing.T, value, text string) {
	t.Helper()
	value = strings.TrimPrefix(strings.TrimSpace(value), "+")
	if len(value) >= minOwnText && !strings.Contains(value, "*") && strings.Contains(text, value) {
		t.Errorf("%q is left in %q", value, text)
	}
	if strings.Contains(text, "192.0.2.7") {
		t.Errorf("the address is left in %q", text)
	}
}

func onlyDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return r
		}
		return -1
	}, s)
}
