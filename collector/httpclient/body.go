package httpclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"
)

// body bounds a response's body in size and time; one that was cut is an error.
type body struct {
	reader  io.ReadCloser
	caller  context.Context // ended by the caller
	request context.Context // ended by a bound
	cancel  context.CancelCauseFunc
	call    *call
	failed  func(*Error) *Error // completes an error with what the answer said

	most, left int64         // bytes that may come, and that may still come
	idle       time.Duration // that one read may wait
	budget     time.Duration // that all further reads may wait
}

// Read implements io.Reader. Its errors are *Error but for io.EOF, or the caller's.
func (b *body) Read(p []byte) (int, error) {
	// Reading one byte more than is left shows whether the body is too long.
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	slow := time.AfterFunc(min(b.idle, b.budget), func() { b.cancel(errTimeout) })
	started := time.Now()
	n, err := b.reader.Read(p)
	slow.Stop()
	b.budget -= time.Since(started)
	if int64(n) > b.left {
		return int(b.left), b.fault(KindTooLarge, fmt.Sprintf("the body is larger than %d bytes", b.most), nil)
	}
	b.left -= int64(n)
	if err != nil && err != io.EOF { //nolint:errorlint // an io.Reader ends with io.EOF itself; a wrapped one is a fault
		err = b.readFault(err)
	}
	return n, err
}

// readFault says why reading ended. Why the contexts ended comes before what the transport makes of it.
func (b *body) readFault(err error) error {
	switch {
	case b.caller.Err() != nil:
		return b.call.ended(b.caller)
	case b.request.Err() != nil && b.budget <= 0:
		return b.fault(KindBody, "read body: it took too long", errTimeout)
	case b.request.Err() != nil:
		return b.fault(KindBody, "read body: nothing came for "+b.idle.String(), errTimeout)
	}
	return b.fault(KindBody, "read body: "+describe(err), err)
}

func (b *body) fault(kind Kind, reason string, cause error) error {
	return b.failed(&Error{Kind: kind, target: b.call.label, reason: reason, cause: cause})
}

// close lets go of the connection.
func (b *body) close() {
	_ = b.reader.Close() // everything that matters was read
	b.cancel(nil)
}

// getWhole reads the body when the answer's headers are there: the next request doesn't wait for it.
func (c *Client) getWhole(ctx context.Context, call *call) (*Response, error) {
	resp, err := c.get(ctx, call)
	if err != nil {
		return nil, err
	}
	if err := resp.readWhole(resp.length); err != nil {
		return nil, err
	}
	return resp, nil
}

// readWhole reads the body of an answer into memory and closes it.
func (r *Response) readWhole(length int64) error {
	defer r.body.close()
	content := new(bytes.Buffer)
	if length > 0 {
		content.Grow(int(min(length, r.body.most)) + bytes.MinRead)
	}
	if _, err := content.ReadFrom(r.body); err != nil {
		return err
	}
	r.Body = content
	if r.body.call.expectJSON && r.Status != http.StatusNoContent {
		return r.checkJSON()
	}
	return nil
}

// markAndBlanks are the bytes of a UTF-8 byte order mark and JSON's white space.
const markAndBlanks = "\xef\xbb\xbf \t\r\n"

// checkJSON refuses what a gateway or a sign-in page sends in place of JSON. It takes a byte order mark and blanks off
// the start of the body: decoders don't agree on the former.
func (r *Response) checkJSON() error {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")) // an odd type is left to the first byte
	begin := bytes.TrimLeft(r.Body.Bytes(), markAndBlanks)
	switch {
	case kind == "text/html", kind == "application/xhtml+xml", len(begin) > 0 && begin[0] == '<':
		return r.body.fault(KindBody, "got HTML where JSON was expected", nil)
	case len(begin) == 0:
		return r.body.fault(KindBody, "got an empty body where JSON was expected", nil)
	}
	r.Body.Next(r.Body.Len() - len(begin))
	return nil
}

// errTimeout is the cause of errors about our own time bounds. It is not context.DeadlineExceeded, so that they
// aren't taken for the end of the caller's context.
var errTimeout = errors.New("timeout")
