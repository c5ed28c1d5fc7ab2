package httpclient

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// call is a request whose link was checked.
type call struct {
	feed       string
	target     *url.URL // never changed
	label      string   // what errors and logs print
	header     http.Header
	expectJSON bool
	method     string
	body       []byte
}

func (c *Client) newCall(request Request) (*call, error) {
	target, err := c.Resolve(request.URL)
	if err != nil {
		if e, ok := errors.AsType[*Error](err); ok && request.Label != "" {
			e.target = request.Label
		}
		return nil, err
	}
	label := request.Label
	if label == "" {
		label = redact(target)
	}
	return &call{
		feed: request.Feed, target: target, label: label,
		header: request.Header, expectJSON: request.ExpectJSON,
		method: cmp.Or(request.Method, http.MethodGet), body: request.JSON,
	}, nil
}

// request makes a new HTTP request; authorize may change it.
func (c *Client) request(ctx context.Context, call *call) (*http.Request, string) {
	target := *call.target
	r := &http.Request{
		Method: call.method, URL: &target, Host: target.Host, Header: call.header.Clone(),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	if call.expectJSON && r.Header.Get("Accept") == "" {
		r.Header.Set("Accept", "application/json")
	}
	if call.body != nil {
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(call.body)), int64(len(call.body))
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(call.body)), nil }
		r.Header.Set("Content-Type", "application/json")
	}
	if c.settings.UserAgent != "" {
		r.Header.Set("User-Agent", c.settings.UserAgent)
	}
	id := ""
	if name := c.settings.ClientRequestIDHeader; name != "" {
		id = c.settings.NewRequestID()
		r.Header.Set(name, id)
	}
	return r.WithContext(ctx), id
}

// ended is the error for a context that the caller has ended.
func (call *call) ended(ctx context.Context) error {
	return fmt.Errorf("%s %s: %w", call.method, call.label, context.Cause(ctx))
}

// requestID lists the ids of a request and its answer for people who ask the provider's support.
func (c *Client) requestID(header http.Header, sent string) string {
	var pairs []string
	if sent != "" {
		pairs = append(pairs, c.settings.ClientRequestIDHeader+"="+cleanID(sent))
	}
	for _, name := range c.settings.RequestIDHeaders {
		if id := cleanID(header.Get(name)); id != "" && !strings.EqualFold(name, c.settings.ClientRequestIDHeader) {
			pairs = append(pairs, name+"="+id)
		}
	}
	return strings.Join(pairs, " ")
}

// cleanID keeps what ids are made of, since a header is the provider's text.
func cleanID(id string) string {
	const longest = 64
	id = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("-_.:", r):
			return r
		}
		return -1
	}, id)
	return id[:min(len(id), longest)]
}
