package wire

import (
	"errors"
	"fmt"
	"iter"
	"strings"
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

// Rows are the rows of an answer as they were written. Code that decodes a row checks it first (Checked).
type Rows [][]byte

// Page reads a body that is an object, as Document does, and returns the rows of its array of that name, in any case. Member is called for each
// other name; it reads the value and says so, or leaves it.
func (in *Input) Page(body []byte, array string, member func(name string) (read bool, err error)) (rows Rows, err error) {
	found := false
	err = in.Document(body, "the answer is no object", func(name string) error {
		if strings.EqualFold(name, array) {
			if found {
				return fmt.Errorf("the answer has two members %s", array)
			}
			found = true
			return in.elements("the answer's "+array+": no array", func(row []byte) error {
				if len(rows) == MaxRows {
					return ErrTooManyRows
				}
				rows = append(rows, row)
				return nil
			})
		}
		read, err := member(name)
		if !read && err == nil {
			err = in.JSON.SkipValue()
		}
		return err
	})
	if err == nil && !found {
		err = fmt.Errorf("the answer has no %s, so it is no page of rows", array)
	}
	return rows, err
}

// Piece is some rows of one of the provider's pages.
type Piece struct {
	// Page is the number of the page, First that of the first row on it, both from 1.
	Page, First int
	Rows        Rows
}

// At says where the row with that index is.
func (p *Piece) At(i int) string { return fmt.Sprintf("page %d, row %d", p.Page, p.First+i) }

// Pieces cuts pages into pieces of a bounded size. Rows has those of the page whose number was yielded last. An error ends the sequence.
func Pieces(pages iter.Seq2[int, error], rows *Rows) iter.Seq2[Piece, error] {
	return func(yield func(Piece, error) bool) {
		for number, err := range pages {
			if err != nil {
				yield(Piece{}, err)
				return
			}
			all := *rows
			for from := 0; from < len(all); {
				to, bytes := from, 0
				for to < len(all) && to-from < pageRows && bytes < pageBytes {
					bytes += len(all[to])
					to++
				}
				if !yield(Piece{Page: number, First: from + 1, Rows: all[from:to]}, nil) {
					return
				}
				from = to
			}
		}
	}
}
