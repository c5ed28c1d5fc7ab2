package config

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
)

// ProxyURL is the address of a proxy, which may hold a user and a password: they
// are printed as <secret>. The zero ProxyURL is not set. It is immutable and safe
// for concurrent use.
type ProxyURL struct {
	parsed *url.URL
}

// URL returns a copy of the address with its credentials; nil if none is set.
func (p ProxyURL) URL() *url.URL {
	if p.parsed == nil {
		return nil
	}
	c := *p.parsed
	return &c
}

// UnmarshalText reads an http, https or socks5 URL; an empty text is no proxy. The
// error holds nothing of the text, since it may hold a password.
func (p *ProxyURL) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*p = ProxyURL{}
		return nil
	}
	u, err := url.Parse(string(text))
	if err != nil || u.Hostname() == "" || !slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme) {
		return errors.New("must be the URL of a proxy, such as http://proxy.example:3128 (http, https, socks5 or socks5h)")
	}
	p.parsed = u
	return nil
}

// String returns the address with its credentials as <secret>.
func (p ProxyURL) String() string {
	if p.parsed == nil {
		return ""
	}
	u := *p.parsed
	credentials := ""
	if u.User != nil {
		u.User, credentials = nil, redacted+"@"
	}
	return u.Scheme + "://" + credentials + u.Host
}

// Format prints what String returns, whatever the verb, %#v included.
func (p ProxyURL) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, p.String()) }

// MarshalText returns what String returns, for JSON, YAML and slog.
func (p ProxyURL) MarshalText() ([]byte, error) { return []byte(p.String()), nil }
