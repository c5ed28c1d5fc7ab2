package wire

import (
	"errors"
	"iter"
)

const (
	// MaxRows bounds the rows of one answer. Providers give at most some thousand.
	MaxRows = 200_000
	// pageRows and pageBytes bound a page: an answer with more rows is several pages.
	pageRows  = 1000
	pageBytes = 8 << 20
)

// ErrTooManyRows is an answer that can't be what it is taken for.
var ErrTooManyRows = errors.New("the answer has more rows than there can be")

// Rows are the rows of an answer as they were written.
type Rows [][]byte

// Add adds a row; its memory is kept.
func (r *Rows) Add(row []byte) error {
	if len(*r) == MaxRows {
		return ErrTooManyRows
	}
	*r = append(*r, row)
	return nil
}

// Pages are the rows in pieces of a bounded size, each with the number of its first row, from 1.
func (r Rows) Pages() iter.Seq2[int, [][]byte] {
	return func(yield func(int, [][]byte) bool) {
		for from := 0; from < len(r); {
			to, bytes := from, 0
			for to < len(r) && to-from < pageRows && bytes < pageBytes {
				bytes += len(r[to])
				to++
			}
			if !yield(from+1, r[from:to]) {
				return
			}
			from = to
		}
	}
}
