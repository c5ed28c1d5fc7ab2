package otlp

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// nameBytes are what a header's name may hold in HTTP and gRPC.
const nameBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

// headers are those of every request, by their names in lower case. It is safe for concurrent use.
type headers map[string]Header

// newHeaders checks the configured headers, and adds the endpoint's user and password
// as basic authentication if there is no other.
func newHeaders(configured map[string]Header, endpoint *url.URL) (headers, error) {
	h := make(headers, len(configured))
	for name, value := range configured {
		if strings.Trim(name, nameBytes) != "" || name == "" {
			return nil, fmt.Errorf("header %q: want letters, digits, `-`, `_` and `.`", name)
		}
		h[strings.ToLower(name)] = value
	}
	if user := endpoint.User; user != nil && h["authorization"] == nil {
		password, _ := user.Password()
		value := "Basic " + base64.StdEncoding.EncodeToString([]byte(user.Username()+":"+password))
		h["authorization"] = func() (string, error) { return value, nil }
	}
	return h, nil
}

// each yields the present value of every header.
func (h headers) each(yield func(name, value string)) error {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		value, err := h[name]()
		if err != nil {
			return fmt.Errorf("read header %s: %w", name, err)
		}
		if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) { // gRPC refuses all but printable ASCII
			return fmt.Errorf("header %s: its value has a character that no header can carry", name)
		}
		yield(name, value)
	}
	return nil
}
