package httpclient

import (
	"bufio"
	"context"
	"errors"
	"io"
	"mime"
	"strings"
	"time"
)

// body bounds a response's body in size and time, and tells a cut one from a whole one.
type body struct {
	reader  io.ReadCloser
	caller  context.Context // ended by the caller
	request context.Context // ended by a bound
	cancel  context.CancelCauseFunc
	label   string
	failed  func(*Error) *Error // completes an error with what the answer said

	left   int64         // bytes that may still come
	idle   time.Duration // that one read may wait
	budget time.Duration // that all further reads may wait
	fault  error         // what ended the body too early; every later Read returns it
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if b.fault != nil {
		return 0, b.fault
	}
	if len(p) == 0 {
		return 0, nil
	}
	// One byte more than is left tells a body that is too long from one that just fits.
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.timedRead(p)
	if int64(n) > b.left {
		n = int(b.left)
		b.fail(KindTooLarge, "the body is too large", nil)
		return n, b.fault
	}
	b.left -= int64(n)
	if err != nil && err != io.EOF { //nolint:errorlint // an io.Reader ends with io.EOF itself; a wrapped one is a fault
		b.fail(KindBody, "read body: "+describe(err), err)
		err = b.fault
	}
	return n, err
}

// timedRead counts only the time of reading, so a caller that commits slowly isn't taken for a slow provider.
func (b *body) timedRead(p []byte) (int, error) {
	slow := time.AfterFunc(min(b.idle, b.budget), func() { b.cancel(errTimeout) })
	started := time.Now()
	n, err := b.reader.Read(p)
	slow.Stop()
	b.budget -= time.Since(started)
	return n, err
}

// fail ends the body. Why the contexts ended comes before what the transport makes of it.
func (b *body) fail(kind Kind, reason string, cause error) {
	switch {
	case kind == KindTooLarge:
	case b.caller.Err() != nil:
		b.fault = (&call{label: b.label}).ended(b.caller)
		return
	case b.request.Err() != nil && b.budget <= 0:
		reason, cause = "read body: it took too long", errTimeout
	case b.request.Err() != nil:
		reason, cause = "read body: nothing came for "+b.idle.String(), errTimeout
	}
	b.fault = b.failed(&Error{Kind: kind, target: b.label, reason: reason, cause: cause})
}

// Close implements io.Closer. It may be called more than once.
func (b *body) Close() error {
	if b.fault == nil {
		b.fault = errClosed
	}
	err := b.reader.Close()
	b.cancel(nil)
	return err
}

var errClosed = errors.New("read of a closed body")

// markAndBlanks are the bytes of a UTF-8 byte order mark and JSON's white space.
const markAndBlanks = "\xef\xbb\xbf \t\r\n"

// checkJSON refuses what a gateway or a sign-in page sends in place of JSON. It takes a byte order mark and blanks off
// the start of the body: decoders don't agree on the former.
func (r *Response) checkJSON() error {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")) // an odd type is left to the first byte
	if kind == "text/html" || kind == "application/xhtml+xml" {
		return r.bodyError("got HTML where JSON was expected")
	}
	buffered := bufio.NewReader(r.body)
	r.Body = struct {
		io.Reader
		io.Closer
	}{buffered, r.body}
	for {
		first, err := buffered.ReadByte()
		switch {
		case r.body.fault != nil && err != nil:
			return r.body.fault
		case err != nil:
			return r.bodyError("got an empty body where JSON was expected")
		case first == '<':
			return r.bodyError("got HTML where JSON was expected")
		case strings.IndexByte(markAndBlanks, first) < 0:
			return buffered.UnreadByte()
		}
	}
}

func (r *Response) bodyError(reason string) error {
	return r.body.failed(&Error{Kind: KindBody, target: r.body.label, reason: reason})
}
