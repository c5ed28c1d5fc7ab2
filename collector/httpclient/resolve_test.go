package httpclient

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

func TestResolve(t *testing.T) {
	for _, test := range []struct{ name, base, link, want string }{
		{
			"a next link verbatim", "https://graph.example",
			"https://graph.example/v1.0/calls(from=2026-01-18T06:00:00Z,to=2026-01-19T06:00:00Z)?$skip=1000",
			"https://graph.example/v1.0/calls(from=2026-01-18T06:00:00Z,to=2026-01-19T06:00:00Z)?$skip=1000",
		},
		{
			"escapes stay", "https://a.example", "https://a.example/x%2Fy%28?q=%2B1&%24skip=2",
			"https://a.example/x%2Fy%28?q=%2B1&%24skip=2",
		},
		{"default port given", "https://a.example", "https://a.example:443/x", "https://a.example/x"},
		{"default port in the base", "https://a.example:443", "https://a.example/x", "https://a.example:443/x"},
		{"empty port", "https://a.example", "https://a.example:/x", "https://a.example/x"},
		{"default port of http", "http://127.0.0.1", "http://127.0.0.1:80/x", "http://127.0.0.1/x"},
		{"own port", "https://a.example:8443", "https://a.example:8443/x", "https://a.example:8443/x"},
		{"capital letters", "https://a.example", "HTTPS://A.Example/X", "https://a.example/X"},
		{"IPv6", "https://[2001:db8::1]:8443", "https://[2001:DB8::1]:8443/x", "https://[2001:db8::1]:8443/x"},
		{"absolute path", "https://a.example/v1", "/v2/x?y=1", "https://a.example/v2/x?y=1"},
		{"relative path", "https://a.example/v1", "x", "https://a.example/v1/x"},
		{"query alone", "https://a.example/v1/", "?page=2", "https://a.example/v1/?page=2"},
		{"dots don't leave the host", "https://a.example/v1", "../../../x", "https://a.example/x"},
		{"fragment is dropped", "https://a.example", "https://a.example/x#y", "https://a.example/x"},
		{"bare space in the query", "https://a.example", "/x?a=b c", "https://a.example/x?a=b%20c"},
	} {
		t.Run(test.name, func(t *testing.T) {
			client := newTest(t, nil, func(s *Settings) { s.BaseURL = test.base })
			got, err := client.Resolve(test.link)
			if err != nil || got.String() != test.want {
				t.Errorf("Resolve(%q) = %v, %v; want %s", test.link, got, err, test.want)
			}
		})
	}
}

func TestResolveRefuses(t *testing.T) {
	const only = "; only https://a.example is asked"
	for _, test := range []struct{ name, link, want string }{
		{"another host", "https://evil.example/x?secret=1", `the link goes to "evil.example"`},
		{
			"a host that only begins alike", "https://a.example.evil.example/x",
			`the link goes to "a.example.evil.example"`,
		},
		{"a host below it", "https://b.a.example/x", `the link goes to "b.a.example"`},
		{"a trailing dot", "https://a.example./x", `the link goes to "a.example."`},
		{"no scheme", "//evil.example/x", `the link goes to "evil.example"`},
		{"another port", "https://a.example:8443/x", `the link goes to "a.example:8443"`},
		{"another scheme", "http://a.example/x", `the link has scheme "http"`},
		{"another scheme with its own port", "http://a.example:443/x", `the link has scheme "http"`},
		{"file", "file:///etc/passwd", `the link has scheme "file"`},
		{"opaque", "mailto:a@a.example", "the link is not a URL"},
		{"user information", "https://user:secret@a.example/x", "the link has user information"},
		{"the host as user", "https://a.example@evil.example/x", "the link has user information"},
		{"control character", "https://a.example/\nsecret", "the link is not a URL"},
		{"bad escape", "https://a.example/%zz?secret", "the link is not a URL"},
		{"backslashes", `https:\\evil.example\secret`, "the link is not a URL"},
		{"empty", "", "the link has 0 bytes"},
		{"very long", "/" + strings.Repeat("x", maxLink), "the link has 16385 bytes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			client := newTest(t, nil, func(s *Settings) { s.BaseURL = "https://a.example" })
			got, err := client.Resolve(test.link)
			want := "GET https://a.example: refused: " + test.want + only
			if err == nil || err.Error() != want {
				t.Fatalf("Resolve(%q) = %v, error %v; want error %s", test.link, got, err, want)
			}
			if KindOf(err) != KindHost || IsRetryable(err) {
				t.Errorf("kind %s, retryable %v; want host and permanent", KindOf(err), IsRetryable(err))
			}
		})
	}
}

func FuzzResolve(f *testing.F) {
	for _, seed := range []string{
		"https://a.example/x?y#z", "https://a.example:443/", "//evil.example", `\\evil.example`, `/\evil.example`,
		"https:evil.example",
		"https://a.example@evil.example", "https://evil.example#@a.example", "HTTPS://A.EXAMPLE:0443/", "../..",
		"?a=b c", "https:///evil.example",
		"https://a.example%2eevil.example", "https://[::1%25a.example]/", "javascript:alert(1)", " https://a.example",
		"https://a\u3002example/",
	} {
		f.Add(seed)
	}
	client, err := New(Settings{BaseURL: "https://a.example/v1"})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, link string) {
		target, err := client.Resolve(link)
		if err != nil {
			if KindOf(err) != KindHost {
				t.Errorf("Resolve(%q): kind %q", link, KindOf(err))
			}
			return
		}
		if target.Scheme != "https" || target.Host != "a.example" || target.User != nil || target.Opaque != "" ||
			target.Fragment != "" {
			t.Errorf("Resolve(%q) = %#v", link, target)
		}
		again, err := url.Parse(target.String())
		if err != nil || again.Scheme != "https" || again.Host != "a.example" ||
			again.RequestURI() != target.RequestURI() {
			t.Errorf("Resolve(%q) = %s, which is read as %v, %v", link, target, again, err)
		}
		if strings.ContainsAny(target.RequestURI(), " \r\n") {
			t.Errorf("Resolve(%q): request line %q", link, target.RequestURI())
		}
	})
}

// TestNewRefuses: config.CheckBaseURL says which base URLs are good.
func TestNewRefuses(t *testing.T) {
	for _, test := range []struct {
		want     string
		settings Settings
	}{
		{
			"base URL: must not contain a user or a password; use the keys for credentials",
			Settings{BaseURL: "https://me:secret@a.example"},
		},
		{
			"the requests per minute of the HTTP client are negative",
			Settings{BaseURL: testBase, RequestsPerMinute: -1},
		},
	} {
		if _, err := New(test.settings); err == nil || err.Error() != test.want {
			t.Errorf("New: %v; want %s", err, test.want)
		}
	}
}

// TestPages (guarantee 8; counting.md 9): each link is followed once, in any spelling, and never to another host. An
// expired link ends the read.
func TestPages(t *testing.T) {
	for _, test := range []struct {
		name  string
		links []string // of each page
		pages int      // that are yielded
		want  error
		kind  Kind
	}{
		{"one page", []string{"x"}, 1, nil, ""},
		{"three pages", []string{"x", "x?page=2", "/v1/x?page=3"}, 3, nil, ""},
		{"the first again", []string{"x", "x?page=2", "https://A.example:443/v1/x"}, 2, ErrLinkRepeated, ""},
		{"itself", []string{"x", "x?page=2", "x?page=2"}, 2, ErrLinkRepeated, ""},
		{"another host", []string{"x", "https://b.example/v1/x"}, 1, nil, KindHost},
		{"too many", []string{"x", "x?2", "x?3", "x?4", "x?5"}, 4, ErrTooManyPages, ""},
		{"expired", []string{"x", "x?2", "x?gone"}, 2, ErrLinkExpired, KindGone},
		{"gone from the first page on", []string{"x?gone"}, 0, nil, KindGone},
	} {
		t.Run(test.name, func(t *testing.T) {
			client := newTest(t, fakeTransport(func(r *http.Request) (*http.Response, error) {
				if r.URL.Hostname() == "b.example" {
					t.Error("the other host was asked")
				}
				if r.URL.RawQuery == "gone" {
					return answer(410, ""), nil
				}
				return answer(200, "page"), nil
			}), func(s *Settings) { s.BaseURL = "https://a.example/v1" })
			links := append(test.links[1:], "")
			decode := func([]byte) (next string, err error) {
				next, links = links[0], links[1:]
				return next, nil
			}
			pages := 0
			var failed error
			for number, err := range client.Pages(t.Context(), Request{URL: test.links[0], Label: "calls"}, 4, decode) {
				if failed = err; err == nil {
					pages++
				}
				if err == nil && number != pages {
					t.Errorf("page %d is the %d.", number, pages)
				}
			}
			if pages != test.pages || KindOf(failed) != test.kind ||
				(failed != nil) != (test.want != nil || test.kind != "") ||
				test.want != nil && !errors.Is(failed, test.want) ||
				errors.Is(failed, ErrLinkExpired) != (test.name == "expired") {
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
