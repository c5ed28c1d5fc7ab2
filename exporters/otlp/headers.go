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

// headers are what every request carries. It is safe for concurrent use.
type headers struct {
	sources map[string]Header
	names   []string // sorted
}

// newHeaders takes the configured headers, and the endpoint's user and password
// as basic authentication if there is no other.
func newHeaders(configured map[string]Header, endpoint *url.URL) (*headers, error) {
	h := &headers{sources: make(map[string]Header, len(configured))}
	for name, value := range configured {
		if strings.Trim(name, nameBytes) != "" || name == "" {
			return nil, fmt.Errorf("header %q: want letters, digits, `-`, `_` and `.`", name)
		}
		h.sources[strings.ToLower(name)] = value
	}
	if user := endpoint.User; user != nil && h.sources["authorization"] == nil {
		password, _ := user.Password()
		value := "Basic " + base64.StdEncoding.EncodeToString([]byte(user.Username()+":"+password))
		h.sources["authorization"] = func() (string, error) { return value, nil }
	}
	h.names = slices.Sorted(maps.Keys(h.sources))
	return h, nil
}

// each gives every header's present value, with its name in lower case.
func (h *headers) each(yield func(name, value string)) error {
	for _, name := range h.names {
		value, err := h.sources[name]()
		if err != nil {
			return fmt.Errorf("read header %s: %w", name, err)
		}
		if strings.ContainsFunc(value, unprintable) {
			return fmt.Errorf("header %s: its value has a character that no header can carry", name)
		}
		yield(name, value)
	}
	return nil
}

// unprintable is what gRPC refuses in a header: all but printable ASCII.
func unprintable(r rune) bool { return r < ' ' || r > '~' }
