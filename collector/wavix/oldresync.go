package wavix

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// Unreadable begins the JSON string that stands for an element which can't be read; a hash of its bytes follows, so that the same
// element is known again.
const Unreadable = `"unreadable `

// skipElement finds the end of an array's element that the decoder refused, so that one bad row doesn't cost a page, and returns what
// stands for the element. If the body itself is at fault, or if no end can be found, it returns the cause.
//
// Strings and brackets are enough to find the end, whatever else is wrong between them: a raw control character, NaN, a number with a
// leading zero, nesting too deep, too many bytes. Where a quotation mark is missing or too many, the end is uncertain, and the page fails.
func (in *Input) skipElement(cause error) (jsontext.Value, error) {
	if !in.skippable(cause) {
		return nil, cause
	}
	rest := io.MultiReader(bytes.NewReader(bytes.Clone(in.JSON.UnreadBuffer())), in.guard.reader)
	scan := elementScanner{hash: sha256.New()}
	after, err := scan.skip(io.LimitReader(rest, MaxSkipped))
	if err != nil {
		return nil, cause
	}
	in.guard.err = nil
	in.guard.reader = io.MultiReader(bytes.NewReader(after), rest)
	in.Next()
	// The decoder begins anew, within an array of an object, behind one element.
	const prefix = `{"":[0`
	in.JSON.Reset(io.MultiReader(bytes.NewReader([]byte(prefix)), &in.guard), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	for range 4 {
		if _, err := in.JSON.ReadToken(); err != nil {
			return nil, err
		}
	}
	return standIn(scan.hash), nil
}

// SkipLine finds the end of a line that the decoder refused, where each line is a value, and returns what stands for it, as Array does.
func (in *Input) SkipLine(cause error) (jsontext.Value, error) {
	if !in.skippable(cause) {
		return nil, cause
	}
	rest := bufio.NewReader(io.MultiReader(bytes.NewReader(bytes.Clone(in.JSON.UnreadBuffer())), in.guard.reader))
	sum := sha256.New()
	for begun, skipped := false, 0; ; skipped++ {
		c, err := rest.ReadByte()
		if err != nil || skipped == MaxSkipped {
			return nil, cause
		}
		if begun && c == '\n' {
			break
		}
		begun = begun || c > ' '
		sum.Write([]byte{c})
	}
	in.guard.err = nil
	in.guard.reader = rest
	in.Next()
	in.JSON.Reset(&in.guard, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	return standIn(sum), nil
}

// skippable says whether an error is a value's and not the body's.
func (in *Input) skippable(cause error) bool {
	if in.guard.err != nil {
		return errors.Is(in.guard.err, ErrValueTooLong)
	}
	return !errors.Is(cause, io.ErrUnexpectedEOF)
}

// standIn is what stands for a value with that hash.
func standIn(sum hash.Hash) jsontext.Value {
	return jsontext.Value(Unreadable + hex.EncodeToString(sum.Sum(nil)) + `"`)
}

// elementScanner finds the end of an element by its strings and brackets.
type elementScanner struct {
	hash     hash.Hash // of the element's bytes
	begun    bool      // past the comma and blanks before the element
	inString bool
	escaped  bool
	depth    int
	last     byte // the last that is no blank, outside of strings
}

// MaxSkipped is how much of an element is skipped, in bytes: what is longer has no end.
const MaxSkipped = 32 << 20

// errNoElement is an element without an end.
var errNoElement = errors.New("the element has no end")

// skip reads to the comma or bracket behind the element, and returns what of the last piece wasn't skipped, beginning there.
func (s *elementScanner) skip(body io.Reader) (after []byte, err error) {
	for piece := make([]byte, BodyBuffer); ; {
		n, err := body.Read(piece)
		switch end, wrong := s.scan(piece[:n]); {
		case wrong != nil:
			return nil, wrong
		case end >= 0:
			return piece[end:n], nil
		}
		if err != nil {
			return nil, errors.Join(errNoElement, err)
		}
	}
}

// scan takes the next bytes and returns where the element ends in them, -1 if it goes on.
func (s *elementScanner) scan(piece []byte) (int, error) {
	from := 0
	for i, c := range piece {
		if !s.begun {
			if c == ',' || isBlank(c) {
				continue
			}
			s.begun, from = true, i
		}
		switch end, err := s.next(c); {
		case err != nil:
			return 0, err
		case end:
			s.hash.Write(piece[from:i])
			return i, nil
		}
	}
	if s.begun {
		s.hash.Write(piece[from:])
	}
	return -1, nil
}

func isBlank(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// next takes a byte and says whether the element has ended before it. A string stands between punctuation: where it doesn't, a quotation
// mark is missing or too many, and what follows may be another row.
func (s *elementScanner) next(c byte) (end bool, err error) {
	switch {
	case s.escaped:
		s.escaped = false
		return false, nil
	case s.inString:
		s.escaped = c == '\\'
		s.inString = c != '"'
		return false, nil
	case isBlank(c):
		return false, nil
	}
	before := s.last
	s.last = c
	switch c {
	case '"':
		s.inString = true
		if before != 0 && before != '{' && before != '[' && before != ':' && before != ',' {
			return false, errNoElement
		}
	case '{', '[':
		s.depth++
	case '}', ']', ',':
		if s.depth == 0 {
			return c != '}', errIf(c == '}')
		}
		if c != ',' {
			s.depth--
		}
	case ':':
	default:
		if before == '"' {
			return false, errNoElement
		}
	}
	return false, nil
}

func errIf(wrong bool) error {
	if wrong {
		return errNoElement
	}
	return nil
}
