package config

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// headerName is a field name of HTTP (RFC 9110 5.1), which is also one of gRPC
// metadata once it is in lower case.
var headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")

// ownHeaders are set by the protocols themselves.
var ownHeaders = []string{"connection", "content-encoding", "content-length", "content-type", "host", "te", "transfer-encoding", "user-agent"}

// checkEndpoint reads an OTLP endpoint. Plain http to other machines is common inside a cluster, and refused
// only when the requests carry headers, whose values are secrets.
func checkEndpoint(raw string, hasSecrets bool) (*url.URL, error) {
	u, err := parseServiceURL(raw)
	if err != nil {
		return nil, errors.New("must be a URL with scheme and host, such as http://127.0.0.1:4318, without user, query and fragment")
	}
	if hasSecrets && u.Scheme == "http" && !IsLoopback(u.Hostname()) {
		return nil, errors.New("must be https, because headers with secrets travel on it; plain http with headers is for loopback hosts " +
			"(127.0.0.1, ::1, localhost), or set otlp.insecure_headers: true if the network between is trusted")
	}
	return u, nil
}

// validateHeaders reports headers that cannot be sent.
func validateHeaders(r *Report, headers map[string]Secret) {
	seen := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		key := joinPath("headers", segment(name))
		if err := checkHeader(name, headers[name]); err != nil {
			r.Problemf(key, "%s", err)
		}
		if other, taken := seen[strings.ToLower(name)]; taken {
			r.Problemf(key, "is the same header as %s, since case does not matter; keep one of them", other)
		}
		seen[strings.ToLower(name)] = name
	}
}

// checkHeader reports why a header cannot be sent. The content of a file is looked
// at when it is used.
func checkHeader(name string, value Secret) error {
	switch {
	case !headerName.MatchString(name):
		return errors.New("must be the name of an HTTP header, such as Authorization")
	case slices.Contains(ownHeaders, strings.ToLower(name)):
		return fmt.Errorf("%s is set by the protocol; remove it", name)
	case value.File() != "":
		return nil
	}
	text, err := value.Value(context.Background())
	if err != nil {
		return err
	}
	if strings.ContainsFunc(text, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
		return errors.New("must be one line without control characters")
	}
	return nil
}
