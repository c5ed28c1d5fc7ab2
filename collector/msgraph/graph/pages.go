package graph

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
)

// maxPages bounds a read: ten million rows.
const maxPages = 10_000

// Rows are rows of one of Graph's pages, as JSON, which hold until those after the next are asked for.
type Rows struct {
	// Page is the number of Graph's page, First that of the first row on it, both from 1.
	Page, First int
	Rows        [][]byte
}

// At says where the row with that index is.
func (r *Rows) At(i int) string { return fmt.Sprintf("page %d, row %d", r.Page, r.First+i) }

// Pages reads the page that a request asks for and those that its next links lead to. A page is decoded whole before its rows are yielded, in
// pieces of a bounded size. An error ends the sequence.
func Pages(ctx context.Context, client *httpclient.Client, request httpclient.Request) iter.Seq2[Rows, error] {
	return func(yield func(Rows, error) bool) {
		d := &decoder{input: wire.NewInput(wire.MaxValue)}
		var memory [2]bytes.Buffer // in turns, but for answers without rows: what was yielded before them may be in use
		turn := 0
		request.Into = func() *bytes.Buffer { return &memory[turn] }
		for number, err := range client.Pages(ctx, request, maxPages, d.decode) {
			if err != nil {
				yield(Rows{}, err)
				return
			}
			for first, rows := range d.rows.Pages() {
				if !yield(Rows{Page: number, First: first, Rows: rows}, nil) {
					return
				}
			}
			if len(d.rows) > 0 {
				turn = 1 - turn
			}
		}
	}
}

// decoder reads the envelope of a page and keeps its rows. It reads the envelope's names without case, because Graph spells the next link in
// two ways.
type decoder struct {
	input *wire.Input
	rows  wire.Rows

	next     string
	hasRows  bool
	hasError bool
}

// decode reads an answer and returns the link to the next page, empty after the last.
func (d *decoder) decode(body []byte) (next string, err error) {
	d.rows, d.next, d.hasRows, d.hasError = nil, "", false, false
	err = d.input.Document(body, "the answer is no object", d.member)
	switch {
	case errors.Is(err, wire.ErrTooManyRows):
		return "", err
	case err == nil && d.hasError:
		err = errors.New("the answer is an error instead of a page")
	case err == nil && !d.hasRows:
		err = errors.New("the answer has no value, so it is no page of rows")
	}
	return d.next, httpclient.Retryable(err)
}

func (d *decoder) member(name string) (err error) {
	switch {
	case strings.EqualFold(name, "value") && d.hasRows:
		return errors.New("the answer has two values")
	case strings.EqualFold(name, "value"):
		d.hasRows = true
		return d.input.Array("the answer's value is no array", d.rows.Add)
	case strings.EqualFold(name, "@odata.nextLink"):
		d.next, err = d.input.Link(d.next)
		return err
	case strings.EqualFold(name, "error"):
		d.hasError = true
	}
	return d.input.JSON.SkipValue()
}
