package msgraph

import (
	"encoding/base64"
	"slices"
	"testing"
)

// TestRoles: the roles of a token are its claim; a token that can't be read has none.
func TestRoles(t *testing.T) {
	body := func(text string) string { return "e30." + base64.RawURLEncoding.EncodeToString([]byte(text)) + ".c2ln" }
	for name, test := range map[string]struct {
		token string
		want  []string
	}{
		"two": {
			body(`{"aud":"x","roles":["CallRecords.Read.All","User.Read.All"]}`),
			[]string{"CallRecords.Read.All", "User.Read.All"},
		},
		"none":           {body(`{"aud":"x"}`), nil},
		"another type":   {body(`{"roles":7}`), nil},
		"opaque":         {"EwBgA8l6BAAU", nil},
		"encrypted":      {"a.b.c.d.e", nil},
		"no base64":      {"a.%.c", nil},
		"no token there": {"", nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := rolesOf(test.token); !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
