package httpclient

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"time"
)

// maxTokenAnswer bounds an answer to a request for a token, in bytes.
const maxTokenAnswer = 1 << 20

// Exchange sends what a library for tokens asks, and remembers the last answer: such
// libraries put it into their errors as text, so these are never printed. It is for one
// goroutine.
type Exchange struct {
	Transport http.RoundTripper
	Observer  Observer // may be nil

	// Asked says that something was sent. Network is what went wrong on the way, and
	// otherwise the answer is in the others.
	Asked   bool
	Network error
	Status  int
	Header  http.Header
	Body    []byte
}

// Send sends a request and reads its answer.
func (x *Exchange) Send(r *http.Request) (*http.Response, error) {
	x.Asked, x.Network, x.Status, x.Header, x.Body = true, nil, 0, nil, nil
	started := time.Now()
	resp, err := x.Transport.RoundTrip(r)
	x.observe(resp, time.Since(started))
	if err != nil {
		x.Network = err
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxTokenAnswer))
	_ = resp.Body.Close() // everything that matters was read
	if err != nil {
		x.Network = err
		return nil, err
	}
	x.Status, x.Header, x.Body = resp.StatusCode, resp.Header, body
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

func (x *Exchange) observe(resp *http.Response, took time.Duration) {
	if x.Observer == nil {
		return
	}
	code := "error"
	if resp != nil {
		code = strconv.Itoa(resp.StatusCode)
	}
	x.Observer.Request("", code, took)
}

// Unreached says what Network is, in names, addresses and codes only.
func (x *Exchange) Unreached() string {
	if known := printable(x.Network); known != nil {
		return known.Error()
	}
	return "the connection broke"
}
