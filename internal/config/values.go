package config

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Date is an instant, written as a date (midnight UTC) or in RFC 3339. The zero value is not set.
type Date struct{ time.Time }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Date) UnmarshalText(text []byte) error {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.Parse(layout, string(text)); err == nil {
			d.Time = at.UTC()
			return nil
		}
	}
	return errors.New("must be a date such as 2027-03-01, or a time in RFC 3339")
}

// ProxyURL is the address of a proxy. It prints as a secret, since it may contain a password. The
// zero ProxyURL is not set.
type ProxyURL struct{ Secret }

// URL returns the address with its credentials; nil if none is set.
func (p ProxyURL) URL() *url.URL {
	if !p.IsSet() {
		return nil
	}
	u, _ := url.Parse(*p.inline) // UnmarshalText has parsed it
	return u
}

// UnmarshalText parses an http, https or socks5 URL; an empty text means no proxy. The error
// contains nothing of the text.
func (p *ProxyURL) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	u, err := url.Parse(string(text))
	if err != nil || u.Hostname() == "" || !slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme) {
		return errors.New("must be the URL of a proxy, such as http://proxy.example:3128 (http, https, socks5 " +
			"or socks5h)")
	}
	p.Secret = NewSecret(string(text))
	return nil
}

// CheckBaseURL reports why a text can't be the base URL of a service that gets credentials. It must
// be absolute, https (http only to a loopback host), and have no user, password, query or fragment.
// The error repeats nothing of a password.
func CheckBaseURL(raw string) error {
	u, err := parseServiceURL(raw)
	if err != nil {
		return err
	}
	if u.Scheme == "http" && !IsLoopback(u.Hostname()) {
		return fmt.Errorf("must be https, because credentials travel on it; plain http is for loopback hosts "+
			"only (127.0.0.1, ::1, localhost), not %s", shorten(u.Hostname()))
	}
	return nil
}

// parseServiceURL reads an absolute http or https URL without credentials, query and fragment.
func parseServiceURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("must be a URL with scheme and host, such as https://host.example")
	case u.User != nil:
		return nil, errors.New("must not contain a user or a password; use the keys for credentials")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, errors.New("must end before ? and #; keep only scheme, host and path")
	}
	return u, nil
}

// IsLoopback reports whether a host, without its port, is this machine: localhost or a loopback
// address. It doesn't look names up.
func IsLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
