package otlp

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Headers are the headers of every request, by name. Each function returns the current value before
// every request, since a secret in a file may change. It must be safe for concurrent use, and its
// error must not contain the secret.
type Headers map[string]func() (string, error)

// each yields the current value of every header.
func (h Headers) each(yield func(name, value string)) error {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		value, err := h[name]()
		if err != nil {
			return fmt.Errorf("read header %s: %w", strings.ToLower(name), err)
		}
		// gRPC accepts printable ASCII only
		if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) {
			return fmt.Errorf("header %s: its value has a character that isn't allowed in a header",
				strings.ToLower(name))
		}
		yield(name, value)
	}
	return nil
}
