package wire

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// Unreadable begins the JSON string that stands for a row which can't be read; a hash of its bytes follows, so that the same
// row is known again.
const Unreadable = `"unreadable `

func standIn(row []byte) jsontext.Value {
	sum := sha256.Sum256(row)
	return jsontext.Value(Unreadable + hex.EncodeToString(sum[:]) + `"`)
}

// skipElement steps over an element of an array that the decoder refused, so that one bad row doesn't cost a page, and returns what
// stands for the element. If no end can be found, it returns the cause.
//
// Strings and brackets are enough to find the end, even if other things are wrong between them: a raw control character, NaN, a number with a
// leading zero, nesting too deep. Where a quotation mark is missing or too many, the end is uncertain, and the page fails.
func (in *Input) skipElement(cause error, first bool) (jsontext.Value, error) {
	if errors.Is(cause, io.ErrUnexpectedEOF) {
		return nil, cause
	}
	rest := in.body[in.JSON.InputOffset():]
	begin := len(rest) - len(bytes.TrimLeft(rest, ", \n\t\r"))
	length := elementLength(rest[begin:])
	if length <= 0 || !first && begin == 0 {
		return nil, cause
	}
	row := standIn(rest[begin : begin+length])
	// The decoder, which reads in place, is given a zero to read instead.
	gap := rest[:begin+length]
	for i := range gap {
		gap[i] = ' '
	}
	gap[len(gap)-1] = '0'
	if !first {
		gap[0] = ','
	}
	_, err := in.JSON.ReadValue()
	return row, err
}

// elementLength is how long the element is that a body begins with; -1 if it has no certain end. A string stands between punctuation: where
// it doesn't, a quotation mark is missing or too many, and what follows may be another row.
func elementLength(body []byte) int {
	var last byte // that is no blank, outside of strings
	depth := 0
	for i := 0; i < len(body); i++ {
		c, before := body[i], last
		if isBlank(c) {
			continue
		}
		last = c
		switch c {
		case '"':
			if before != 0 && bytes.IndexByte([]byte("{[:,"), before) < 0 {
				return -1
			}
			for i++; i < len(body) && body[i] != '"'; i++ {
				if body[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			depth++
		case '}', ']', ',':
			switch {
			case depth == 0 && c == '}':
				return -1
			case depth == 0:
				return i
			case c != ',':
				depth--
			}
		case ':':
		default:
			if before == '"' {
				return -1
			}
		}
	}
	return -1
}

func isBlank(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }
