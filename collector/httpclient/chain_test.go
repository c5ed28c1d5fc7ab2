package httpclient

import (
	"errors"
	"testing"
)

// TestChain: links are followed once each, in whatever spelling, and never off the host.
func TestChain(t *testing.T) {
	client := newTest(t, nil, func(s *Settings) { s.BaseURL = "https://a.example/v1" })
	chain := client.Chain()
	for _, test := range []struct {
		link string
		want error
		kind Kind
	}{
		{"https://a.example/v1/x", nil, ""},
		{"https://a.example/v1/x?page=2", nil, ""},
		{"/v1/x", ErrLinkRepeated, ""},
		{"https://A.example:443/v1/x?page=2", ErrLinkRepeated, ""},
		{"https://b.example/v1/x", nil, KindHost},
		{"x?page=3", nil, ""},
		{"x?page=3", ErrLinkRepeated, ""},
	} {
		err := chain.Follow(test.link)
		if KindOf(err) != test.kind || test.kind == "" && !errors.Is(err, test.want) {
			t.Errorf("%s: %v", test.link, err)
		}
	}
	if err := client.Chain().Follow("/v1/x"); err != nil {
		t.Errorf("another read: %v", err)
	}
}

// TestRefusesLink: what a link that was given is refused with when it has expired, and
// nothing that passes.
func TestRefusesLink(t *testing.T) {
	for kind, want := range map[Kind]bool{
		KindBadRequest: true, KindNotFound: true, KindGone: true, KindThrottled: false, KindServer: false, KindForbidden: false, "": false,
	} {
		if kind.RefusesLink() != want {
			t.Errorf("%q: %t", kind, !want)
		}
	}
}
