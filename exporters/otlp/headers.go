package otlp

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Headers are those of every request, by name. Each gives its present value before every request, since a secret in a file may change. It must
// be safe for concurrent use, and its error must not hold the secret.
type Headers map[string]func() (string, error)

// each yields the present value of every header.
func (h Headers) each(yield func(name, value string)) error {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		value, err := h[name]()
		if err != nil {
			return fmt.Errorf("read header %s: %w", strings.ToLower(name), err)
		}
		if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) { // gRPC refuses all but printable ASCII
			return fmt.Errorf("header %s: its value has a character that no header can carry", strings.ToLower(name))
		}
		yield(name, value)
	}
	return nil
}
