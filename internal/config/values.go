package config

import (
	"errors"
	"net/url"
	"slices"
	"time"
)

// Date is an instant, written as a date (midnight UTC) or in RFC 3339. Its zero value is not set.
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

// ProxyURL is the address of a proxy. It prints as a secret, since it may hold a password. The zero ProxyURL is not set.
type ProxyURL struct{ Secret }

// URL returns the address with its credentials; nil if none is set.
func (p ProxyURL) URL() *url.URL {
	if !p.IsSet() {
		return nil
	}
	u, _ := url.Parse(*p.inline) // UnmarshalText has parsed it
	return u
}

// UnmarshalText reads an http, https or socks5 URL; an empty text is no proxy. The error holds nothing of the text.
func (p *ProxyURL) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	u, err := url.Parse(string(text))
	if err != nil || u.Hostname() == "" || !slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme) {
		return errors.New("must be the URL of a proxy, such as http://proxy.example:3128 (http, https, socks5 or socks5h)")
	}
	p.Secret = NewSecret(string(text))
	return nil
}
