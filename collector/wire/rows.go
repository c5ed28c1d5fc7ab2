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

// Rows are the rows of an answer as they were written, in memory that is used again for the next answer. The zero value is ready; it is for
// one goroutine.
type Rows struct {
	arena Arena
	all   [][]byte
}

// Add keeps a copy of a row.
func (r *Rows) Add(row []byte) error {
	if len(r.all) == MaxRows {
		return ErrTooManyRows
	}
	r.all = append(r.all, r.arena.Copy(row))
	return nil
}

// Reset takes all rows back.
func (r *Rows) Reset() {
	r.all = r.all[:0]
	r.arena.Reset()
}

// Len is how many rows there are.
func (r *Rows) Len() int { return len(r.all) }

// All are the rows, which hold until Reset.
func (r *Rows) All() [][]byte { return r.all }

// Pages are the rows in pieces of a bounded size, each with the number of its first row, from 1.
func (r *Rows) Pages() iter.Seq2[int, [][]byte] {
	return func(yield func(int, [][]byte) bool) {
		for from := 0; from < len(r.all); {
			to, bytes := from, 0
			for to < len(r.all) && to-from < pageRows && bytes < pageBytes {
				bytes += len(r.all[to])
				to++
			}
			if !yield(from+1, r.all[from:to]) {
				return
			}
			from = to
		}
	}
}
