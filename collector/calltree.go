package collector

import "github.com/cdr-exporter/cdr-exporter/internal/cdr"

// CallTree is one call as the provider describes it, for people to read: the call itself, and
// below it who took part, its sessions, their segments and streams. Nothing of it is
// redacted yet: each field says what class of value it is, and the caller redacts it before printing.
type CallTree struct {
	// Label says what it is, such as `session` or `stream`. It is never personal.
	Label string
	// Fields are what is known of it, in reading order. Measures are texts with their unit.
	Fields   []cdr.Attr
	Children []*CallTree
}
