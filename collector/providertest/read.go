package providertest

import (
	"cmp"
	"context"
	"io"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
)

// Response is an answer of a fake, with status 200 unless it has another, and of JSON unless a
// header field says something else.
func Response(r *http.Request, status int, header http.Header, body string) *http.Response {
	all := http.Header{"Content-Type": {"application/json"}}
	maps.Copy(all, header)
	return &http.Response{
		StatusCode: cmp.Or(status, http.StatusOK), Header: all, Body: io.NopCloser(strings.NewReader(body)),
		ContentLength: -1, Request: r,
	}
}

// Read reads a span and hands on its pages.
func Read(ctx context.Context, r collector.RangeReader, from, to time.Time, use func(*collector.Page) error) error {
	d := collector.Driver{Reader: r, Commit: func(_ context.Context, page *collector.Page) error { return use(page) }}
	return d.Read(ctx, from, to)
}
