package httpclient

import (
	"cmp"
	"net/url"
	"strconv"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

const (
	maxLink = 16 << 10 // longest link, in bytes
	maxPath = 200      // longest path in an error, in bytes
)

// Resolve checks a link and returns it with the scheme and host of BaseURL. An absolute link must
// have the same scheme, host and port and no user information; it may include or omit a default
// port. A relative link is resolved against BaseURL, taken as a folder. Path and query stay
// unchanged. The error is an *Error of KindHost.
func (c *Client) Resolve(link string) (*url.URL, error) {
	if link == "" || len(link) > maxLink {
		return nil, c.refuse("the link has " + strconv.Itoa(len(link)) + " bytes")
	}
	parsed, err := url.Parse(link)
	if err != nil || parsed.Opaque != "" {
		return nil, c.refuse("the link is not a URL") // the parser's text would quote it
	}
	target := c.base.ResolveReference(parsed)
	switch {
	case target.User != nil:
		return nil, c.refuse("the link has user information")
	case target.Scheme != c.base.Scheme:
		return nil, c.refuse("the link has scheme " + quote(target.Scheme))
	case !sameHost(target, c.base):
		return nil, c.refuse("the link goes to " + quote(target.Host))
	}
	target.Host = c.base.Host
	target.Fragment, target.RawFragment = "", ""
	target.RawQuery = strings.ReplaceAll(target.RawQuery, " ", "%20") // a bare space would end the request line
	return target, nil
}

func (c *Client) refuse(reason string) error {
	origin := c.base.Scheme + "://" + c.base.Host
	return &Error{Kind: KindHost, target: origin, reason: "refused: " + reason + "; only " + origin + " is asked"}
}

// redirectHost names the target of a redirect to another host.
func (c *Client) redirectHost(location string) string {
	target, err := url.Parse(location)
	if err != nil || target.Host == "" || target.Scheme == c.base.Scheme && sameHost(target, c.base) {
		return ""
	}
	return "; it goes to " + quote(target.Host)
}

var defaultPorts = map[string]string{"http": "80", "https": "443"}

func sameHost(a, b *url.URL) bool {
	port := func(u *url.URL) string { return cmp.Or(u.Port(), defaultPorts[u.Scheme]) }
	return strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

// parseBase checks Settings.BaseURL as the configuration does, and makes its path a folder.
func parseBase(raw string) (*url.URL, error) {
	if err := config.CheckBaseURL(raw); err != nil {
		return nil, err
	}
	base, err := url.Parse(raw)
	if err == nil {
		base = base.JoinPath("/")
	}
	return base, err
}

// redact prints a URL without its query.
func redact(u *url.URL) string {
	path := u.EscapedPath()
	if len(path) > maxPath {
		path = path[:maxPath] + "..."
	}
	return u.Scheme + "://" + u.Host + path
}

// quote prints a name from outside.
func quote(name string) string {
	const longest = 100
	return strconv.QuoteToASCII(name[:min(len(name), longest)])
}
