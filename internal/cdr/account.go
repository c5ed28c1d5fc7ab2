package cdr

import (
	"cmp"
	"slices"
	"strings"
)

// Account is the user who made an outbound call, in a form that may be shown: the user, or else the
// id of the extension, never a number. It is empty if the provider doesn't have it.
func (d *Redactor) Account(r *Record) string {
	name := r.UserName
	if _, kind := readNumber(name); kind == digitsNumber {
		name = ""
	}
	if d.policy.Users == Keep {
		name = HideNumbers(name)
	}
	text := cmp.Or(name, r.UserPrincipal, r.UserID)
	for _, key := range []string{"from_extension_id", "extension_id"} {
		if i := slices.IndexFunc(r.Extra, func(a Attr) bool { return a.Key == key && a.Privacy == User }); i >= 0 {
			text = cmp.Or(text, r.Extra[i].Str)
		}
	}
	return strings.Clone(d.user(text))
}
