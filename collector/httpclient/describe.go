package httpclient

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/textproto"
	"net/url"
	"strings"
)

// longestReason limits the result of Describe, in bytes.
const longestReason = 300

// Describe returns the text of an error of the transport or of a reader. It prints errors of the
// types below unchanged. From all others it removes quoted parts, which may come from an answer.
func Describe(err error) string {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return Describe(e.Err) // its text contains the whole URL
	}
	if known := printable(err); known != nil {
		text := known.Error()
		return text[:min(len(text), longestReason)]
	}
	if _, ok := errors.AsType[textproto.ProtocolError](err); ok {
		return "malformed answer"
	}
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "cut short"
	case errors.Is(err, io.EOF):
		return "connection closed"
	}
	text, _, quotes := strings.Cut(err.Error(), `"`)
	text, _, lines := strings.Cut(text, "\n")
	if quotes || lines || len(text) > longestReason {
		return strings.TrimSpace(strings.TrimRight(text[:min(len(text), longestReason)], " :=,") + " (...)")
	}
	return text
}

// printable returns the first error in the chain whose type guarantees a text of only names,
// addresses and codes.
func printable(err error) error {
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return e
	}
	if e, ok := errors.AsType[tls.AlertError](err); ok {
		return e
	}
	return nil
}
