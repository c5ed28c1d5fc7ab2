package graph

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
)

// maxPages limits a read to ten million rows.
const maxPages = 10_000

// Pages reads the requested page and the pages that its next links lead to, once. It decodes a page
// whole before it yields the page's rows. It yields them in pieces, each valid until the next one.
func Pages(ctx context.Context, client *httpclient.Client, request httpclient.Request) iter.Seq2[wire.Piece, error] {
	d := &decoder{input: wire.NewInput()}
	request.Into = &d.memory
	return wire.Pieces(client.Pages(ctx, request, maxPages, d.decode), &d.rows)
}

// decoder reads the envelope of a page and keeps its rows. It ignores the case of the envelope's
// names, because Graph spells the next link in two ways.
type decoder struct {
	input  *wire.Input
	rows   wire.Rows
	memory bytes.Buffer
}

// decode reads an answer and returns the link to the next page, empty after the last.
func (d *decoder) decode(body []byte) (next string, err error) {
	d.rows, err = d.input.Page(body, "value", func(name string) (read bool, err error) {
		switch {
		case strings.EqualFold(name, "@odata.nextLink"):
			next, err = d.input.Link(next)
			return true, err
		case strings.EqualFold(name, "error"):
			return false, errors.New("the answer is an error instead of a page")
		}
		return false, nil
	})
	if errors.Is(err, wire.ErrTooManyRows) {
		return "", err
	}
	return next, httpclient.Retryable(err)
}
