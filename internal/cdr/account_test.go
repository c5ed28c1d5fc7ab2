package cdr

import "testing"

// TestAccount: who called is shown as users are, by a user or an extension, never by a number.
func TestAccount(t *testing.T) {
	extension := func(key, id string) []Attr { return []Attr{Text(key, id, User)} }
	for name, c := range map[string]struct {
		record Record
		mode   Mode
		want   string
	}{
		"a name": {
			Record{UserName: "Anna Example", UserPrincipal: "anna@contoso.example"},
			Keep,
			"Anna Example",
		},
		"a principal name": {
			Record{UserPrincipal: "anna@contoso.example", UserID: "17"},
			Keep,
			"anna@contoso.example",
		},
		"an id": {Record{UserID: "17", Extra: extension("extension_id", "18")}, Keep, "17"},
		"the caller's extension": {Record{Extra: append(extension("extension_id", "18"),
			extension("from_extension_id", "19")...)}, Keep, "19"},
		"an extension":        {Record{Extra: extension("extension_id", "18")}, Keep, "18"},
		"a number as a name":  {Record{UserName: "+1 206 555 0100", UserID: "17"}, Keep, "17"},
		"nothing but numbers": {Record{UserName: "+1 206 555 0100", CallerNumber: "+12065550100"}, Keep, ""},
		"a number of an extension": {
			Record{Extra: []Attr{Text("extension_id", "+12065550100", Number)}},
			Keep,
			"",
		},
		"masked": {
			Record{UserPrincipal: "anna@contoso.example"},
			Mask,
			"a" + hidden + "@contoso.example",
		},
		"dropped":                       {Record{UserPrincipal: "anna@contoso.example", UserID: "17"}, Drop, ""},
		"hashed without a key: dropped": {Record{UserID: "17"}, Hash, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := NewRedactor(Policy{Numbers: Keep, Users: c.mode, Addresses: Keep}, nil).
				Account(&c.record); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
