package wire

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
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

// RowsAt reads a body whose rows are the array at a path: names of members, and numbers of
// elements. An empty path is the body itself. Rest is the body with an empty array in their place,
// which is valid JSON; found is false if the path leads to none, and rest is then the whole body.
// The rows are found as those of Page.
func (in *Input) RowsAt(body []byte, path []string) (rows Rows, rest []byte, found bool, err error) {
	in.body = body
	in.readFrom(0)
	at, err := in.descend(path)
	if err != nil {
		return nil, nil, false, in.fault(err)
	}
	rest = body
	if at >= 0 {
		end, err := in.scanElements(at+1, func(row []byte) error {
			if len(rows) == MaxRows {
				return ErrTooManyRows
			}
			rows = append(rows, row)
			return nil
		})
		if err != nil {
			return nil, nil, false, in.fault(err)
		}
		rest = slices.Concat(body[:at+1], body[end:])
	}
	in.body = rest
	in.readFrom(0)
	if err = in.JSON.SkipValue(); err == nil {
		if _, err = in.JSON.ReadToken(); err == nil {
			err = errors.New("trailing data after the JSON value")
		} else if errors.Is(err, io.EOF) {
			return rows, rest, at >= 0, nil
		}
	}
	return nil, nil, false, in.fault(err)
}

// descend goes to the array at a path, and says where its bracket is; -1 if there is none.
func (in *Input) descend(path []string) (at int, err error) {
	for {
		kind := in.JSON.PeekKind()
		switch {
		case len(path) == 0 && kind == '[':
			at := skipBlanks(in.body, int(in.JSON.InputOffset()))
			if at < len(in.body) && (in.body[at] == ':' || in.body[at] == ',') {
				at = skipBlanks(in.body, at+1)
			}
			return at, nil
		case len(path) == 0 || kind != '{' && kind != '[':
			return -1, nil
		}
		if _, err := in.JSON.ReadToken(); err != nil {
			return -1, err
		}
		if inside, err := in.enter(kind, path[0]); err != nil || !inside {
			return -1, err
		}
		path = path[1:]
	}
}

// enter passes over what stands in an object or an array before the member of that name, or the
// element of that number, and says whether there is one.
func (in *Input) enter(kind jsontext.Kind, segment string) (inside bool, err error) {
	for n := 0; ; n++ {
		if end := in.JSON.PeekKind(); end == '}' || end == ']' {
			return false, nil
		}
		name := strconv.Itoa(n)
		if kind == '{' {
			token, err := in.JSON.ReadToken()
			if err != nil {
				return false, err
			}
			name = token.String()
		}
		if name == segment {
			return true, nil
		}
		if err := in.JSON.SkipValue(); err != nil {
			return false, err
		}
	}
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
