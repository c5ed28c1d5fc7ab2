package config

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// CheckBaseURL reports why a text cannot be the base URL of a service that is given
// credentials: it must be absolute, https (http only to a loopback host), and hold
// no user, password, query or fragment. The error repeats nothing of a password.
func CheckBaseURL(raw string) error {
	u, err := parseServiceURL(raw)
	if err != nil {
		return err
	}
	if u.Scheme == "http" && !IsLoopback(u.Hostname()) {
		return fmt.Errorf("must be https, because credentials travel on it; plain http is for loopback hosts only (127.0.0.1, ::1, localhost), not %s", shorten(u.Hostname()))
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
		return nil, errors.New("must not hold a user or a password; there are keys for credentials")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, errors.New("must end before ? and #; give only scheme, host and path")
	}
	return u, nil
}

// IsLoopback reports whether a host, without its port, is this very machine: localhost or a loopback address. Names are not looked up.
func IsLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
