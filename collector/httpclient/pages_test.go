package httpclient

import (
	"errors"
	"net/http"
	"testing"
)

// counting.md 9: each link is followed once, in any spelling, and never to another host. An expired link ends the read.
func TestPages(t *testing.T) {
	for _, test := range []struct {
		name  string
		links []string // of each page but the last
		pages int      // that are yielded
		want  error
		kind  Kind
	}{
		{"one page", nil, 1, nil, ""},
		{"three pages", []string{"x?page=2", "/v1/x?page=3"}, 3, nil, ""},
		{"the first again", []string{"x?page=2", "https://A.example:443/v1/x"}, 2, ErrLinkRepeated, ""},
		{"itself", []string{"x?page=2", "x?page=2"}, 2, ErrLinkRepeated, ""},
		{"another host", []string{"https://b.example/v1/x"}, 1, nil, KindHost},
		{"too many", []string{"x?2", "x?3", "x?4", "x?5"}, 4, ErrTooManyPages, ""},
		{"expired", []string{"x?2", "x?gone"}, 2, ErrLinkExpired, KindGone},
	} {
		t.Run(test.name, func(t *testing.T) {
			client := newTest(t, fakeTransport(func(r *http.Request) (*http.Response, error) {
				if r.URL.RawQuery == "gone" {
					return answer(410, ""), nil
				}
				return answer(200, "page"), nil
			}), func(s *Settings) { s.BaseURL = "https://a.example/v1" })
			links := append(test.links, "")
			decode := func([]byte) (next string, err error) {
				next, links = links[0], links[1:]
				return next, nil
			}
			pages := 0
			var failed error
			for number, err := range client.Pages(t.Context(), Request{URL: "x", Label: "calls"}, 4, decode) {
				if failed = err; err == nil {
					pages++
				}
				if err == nil && number != pages {
					t.Errorf("page %d is the %d.", number, pages)
				}
			}
			if pages != test.pages || KindOf(failed) != test.kind || test.kind == "" && !errors.Is(failed, test.want) {
				t.Errorf("%d pages, error %v; want %d, %v", pages, failed, test.pages, test.want)
			}
		})
	}
}

// TestRefusesLink: what a link that was given is refused with when it has expired, and
// nothing that passes.
func TestRefusesLink(t *testing.T) {
	for kind, want := range map[Kind]bool{
		KindBadRequest: true, KindNotFound: true, KindGone: true, KindThrottled: false, KindServer: false,
		KindForbidden: false, "": false,
	} {
		if kind.RefusesLink() != want {
			t.Errorf("%q: %t", kind, !want)
		}
	}
}
