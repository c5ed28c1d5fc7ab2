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
	// MaxRows limits the rows of one answer. Providers with pages send at most some thousand, others all of a day.
	MaxRows = 200_000
	// pageRows and pageBytes limit a page: an answer with more rows becomes several pages.
	pageRows  = 1000
	pageBytes = 8 << 20
)

// ErrTooManyRows is an answer with an implausible number of rows.
var ErrTooManyRows = errors.New("the answer has more rows than there can be")

// Rows are the rows of an answer as they were written. Call Checked before you decode one.
type Rows [][]byte

// Page reads a body that is an object with its rows in the member array. It calls member for each other
// name; member reads the value and returns true, or leaves the value.
func (in *Input) Page(
	body []byte, array string, member func(name string) (read bool, err error),
) (rows Rows, err error) {
	rows, _, isArray, err := in.RowsAt(body, []string{array})
	if err != nil {
		return nil, err
	}
	in.readFrom(0) // what RowsAt left
	members := 0
	err = in.object(func(name string) error {
		read := false
		if strings.EqualFold(name, array) { // two members have the name, but for capitals
			members++
		} else if read, err = member(name); err != nil {
			return err
		}
		if read {
			return nil
		}
		return in.JSON.SkipValue()
	})
	switch {
	case err != nil:
	case members == 0:
		err = fmt.Errorf("the answer has no %s, so it isn't a page of rows", array)
	case members > 1:
		err = fmt.Errorf("the answer has two members %s", array)
	case !isArray:
		err = fmt.Errorf("the answer's %s isn't an array", array)
	}
	return rows, in.fault(err)
}

// RowsAt reads a body whose rows are the array at a path of member names and element numbers. An
// empty path means the body itself. rest is the body with an empty array in place of the rows,
// which is valid JSON. If the path leads to no array, found is false and rest is the whole body. Rows are found by
// strings and brackets alone (see scanElements). Errors quote nothing of the body.
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

// descend goes to the array at a path and returns the position of its bracket, or -1 if there is
// none.
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

// enter skips the members of an object, or the elements of an array, before the one with that name
// or number, and says whether it exists.
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

// Piece is a slice of the rows of one of the provider's pages.
type Piece struct {
	// Page is the page number, First the number of its first row on that page, both from 1.
	Page, First int
	Rows        Rows
}

// At returns the place of the row with that index.
func (p *Piece) At(i int) string { return fmt.Sprintf("page %d, row %d", p.Page, p.First+i) }

// Pieces splits pages into pieces of limited size. Rows has the rows of the page whose number was
// yielded last. An error ends the sequence.
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
