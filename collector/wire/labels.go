package wire

import "strings"

// maxLabels bounds how many texts Labels remembers.
const maxLabels = 1000

// Labels give values that become labels of metrics strings of their own: there are few,
// and whoever keeps one may forget that an arena's don't hold. The zero value is ready; it
// is for one goroutine.
type Labels struct{ known map[string]string }

// Own is the text in memory of its own, the same each time.
func (l *Labels) Own(text string) string {
	if text == "" {
		return ""
	}
	if own, ok := l.known[text]; ok {
		return own
	}
	if l.known == nil || len(l.known) >= maxLabels {
		l.known = make(map[string]string)
	}
	own := strings.Clone(text)
	l.known[own] = own
	return own
}
