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

// longestReason bounds what Describe returns, in bytes.
const longestReason = 300

// Describe says what the transport or a reader ran into. Errors of the types below are printed as they are; of all
// others, what they quote is left out, because it may be a piece of an answer.
func Describe(err error) string {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return Describe(e.Err) // its text holds the whole URL
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

// printable returns the first error in the chain whose type says that its text holds names, addresses and codes only.
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
