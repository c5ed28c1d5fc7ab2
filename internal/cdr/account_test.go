package cdr

import "testing"

// TestAccount: who called is shown as users are, by a user or an extension, never by a number.
func TestAccount(t *testing.T) {
	const anna = "anna@contoso.example"
	own, from := Text("extension_id", "18", User), Text("from_extension_id", "19", User)
	number := Text("extension_id", "+12065550100", Number)
	for name, c := range map[string]struct {
		record Record
		mode   Mode
		want   string
	}{
		"a name":                        {Record{UserName: "Anna Example", UserPrincipal: anna}, Keep, "Anna Example"},
		"a principal name":              {Record{UserPrincipal: anna, UserID: "17"}, Keep, anna},
		"an id":                         {Record{UserID: "17", Extra: []Attr{own}}, Keep, "17"},
		"the caller's extension":        {Record{Extra: []Attr{own, from}}, Keep, "19"},
		"an extension":                  {Record{Extra: []Attr{own}}, Keep, "18"},
		"a number as a name":            {Record{UserName: "+1 206 555 0100", UserID: "17"}, Keep, "17"},
		"nothing but numbers":           {Record{UserName: "+1 206 555 0100", CallerNumber: "+12065550100"}, Keep, ""},
		"a number of an extension":      {Record{Extra: []Attr{number}}, Keep, ""},
		"masked":                        {Record{UserPrincipal: anna}, Mask, "a" + hidden + "@contoso.example"},
		"dropped":                       {Record{UserPrincipal: anna, UserID: "17"}, Drop, ""},
		"hashed without a key: dropped": {Record{UserID: "17"}, Hash, ""},
	} {
		redactor := NewRedactor(Policy{Numbers: Keep, Users: c.mode, Addresses: Keep}, nil)
		if got := redactor.Account(&c.record); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}
