package wire

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Unreadable is the start of the JSON string that replaces a row which can't be read. A hash of the
// row's bytes follows it, so that the same row is recognized again.
const Unreadable = `"unreadable `

// Checked returns a row as it was written, or its replacement if it isn't valid JSON or is too
// long.
func Checked(row []byte) []byte {
	if isReadable(row) {
		return row
	}
	sum := sha256.Sum256(row)
	return []byte(Unreadable + hex.EncodeToString(sum[:]) + `"`)
}

func isReadable(row []byte) bool {
	return len(row) <= MaxValue && jsontext.Value(row).IsValid(lenient...)
}

// scanElements calls element for each value of the array whose opening bracket is before i, without checking it, and
// returns the position of the closing bracket. It finds the end of a value by strings and brackets alone, even if
// the value has other faults: a raw control character, NaN, a number with a leading zero, a missing
// colon or comma, or nesting that is too deep. So one bad row doesn't cost a page, and a row that
// is known by its bytes needs no check. If a quotation mark is missing or there is one too many,
// the end is uncertain, and the page fails.
func (in *Input) scanElements(i int, element func(raw []byte) error) (end int, err error) {
	if i = skipBlanks(in.body, i); i < len(in.body) && in.body[i] == ']' {
		return i, nil
	}
	for {
		length := elementLength(in.body[i:])
		if length <= 0 {
			return i, in.noElement(i)
		}
		if err := element(in.body[i : i+length]); err != nil {
			return i, err
		}
		if i = skipBlanks(in.body, i+length); in.body[i] == ']' {
			return i, nil
		}
		i = skipBlanks(in.body, i+1) // the comma
	}
}

// noElement is the error at position i of the body, where the end of an element is uncertain.
func (in *Input) noElement(i int) error {
	in.readFrom(i)
	_, err := in.JSON.ReadValue()
	if err == nil {
		i = skipBlanks(in.body, i+int(in.JSON.InputOffset()))
	}
	switch {
	case errors.Is(err, io.EOF), err == nil && i == len(in.body):
		return cutAt(len(in.body))
	case err == nil:
		return invalidAt(i)
	}
	return err
}

// elementLength is the length of the element at the start of a body, or -1 if its end is uncertain.
// The end is in front of a comma or the closing bracket. A string stands between punctuation;
// otherwise a quotation mark is missing or there is one too many, and the string may contain
// another row. A name stands within an object; otherwise part of the answer is missing.
func elementLength(body []byte) int {
	depth := 0
	for i := 0; i < len(body); i++ {
		switch c := body[i]; c {
		case '"':
			if i = textEnd(body, i); i < 0 || depth == 0 && body[skipBlanks(body, i+1)] == ':' {
				return -1
			}
		case '{', '[':
			depth++
		case ',':
			if depth == 0 {
				return len(bytes.TrimRight(body[:i], blanks))
			}
		case '}', ']':
			if depth == 0 && c == ']' {
				return len(bytes.TrimRight(body[:i], blanks))
			}
			if depth--; depth <= 0 {
				next := skipBlanks(body, i+1)
				if depth < 0 || next == len(body) || body[next] != ',' && body[next] != ']' {
					return -1
				}
				return i + 1
			}
		}
	}
	return -1
}

// textEnd is the position of the quotation mark that ends the string at i, or -1 if there is none,
// or if the string doesn't stand between punctuation. A colon or a comma may be missing if the
// string's neighbour can't be part of a text.
func textEnd(body []byte, i int) int {
	before := i - 1
	for before >= 0 && isBlank(body[before]) {
		before--
	}
	if before >= 0 && strings.IndexByte(":,{[", body[before]) < 0 && (before == i-1 || !endsValue(body[:before+1])) {
		return -1
	}
	end := stringEnd(body, i)
	if end < 0 {
		return -1
	}
	next := skipBlanks(body, end)
	if next == len(body) || strings.IndexByte(":,}]", body[next]) < 0 && (next == end || !beginsValue(body[next:])) {
		return -1
	}
	return end - 1
}

// endsValue says whether the last bytes of a piece of JSON can end a value; beginsValue says
// whether the first bytes can begin one.
func endsValue(piece []byte) bool {
	last := piece[len(piece)-1]
	return strings.IndexByte(`}]"0123456789`, last) >= 0 ||
		slices.ContainsFunc(literals, func(l string) bool { return bytes.HasSuffix(piece, []byte(l)) })
}

func beginsValue(piece []byte) bool {
	return strings.IndexByte(`{["`+NumberStarts, piece[0]) >= 0 ||
		slices.ContainsFunc(literals, func(l string) bool { return bytes.HasPrefix(piece, []byte(l)) })
}

var literals = []string{"true", "false", "null"}

const blanks = " \n\t\r"

func isBlank(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// skipBlanks returns the position of the first byte from i that isn't blank, or the length of the
// body.
func skipBlanks(body []byte, i int) int {
	for i < len(body) && isBlank(body[i]) {
		i++
	}
	return i
}
