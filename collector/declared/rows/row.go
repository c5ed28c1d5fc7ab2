package rows

import (
	"bytes"
	"crypto/sha256"
	"hash"

	"github.com/go-json-experiment/json/jsontext"
)

// Row is a row as it was written: JSON, or the values of columns, whose text may be missing.
type Row struct {
	Raw             []byte
	Columns, Fields []string // nil for JSON
	Problem         string   // why it can't be read, or empty
}

// PlacedRow is a row of a file, without the end of its line.
type PlacedRow struct {
	Row

	Mark       // behind it
	Bare int64 // where its text ends, without the end of its line
}

// Mark is a place in a file, which is a row's end. Files with the same mark have the same bytes up
// to there.
type Mark struct {
	Offset int64
	Chain  Chain
}

// Chain is a hash of all bytes of a file up to a place. It identifies a file as far as it was read,
// and a row without an id: it is the same for the same row of a copy, and differs for rows that are
// alike within a file.
type Chain [16]byte

// ChainOf is the chain of the bytes in a hash.
func ChainOf(sum hash.Hash) (c Chain) {
	copy(c[:], sum.Sum(nil))
	return c
}

// Next is the chain behind a row of a document.
func (c Chain) Next(row []byte) Chain {
	sum := sha256.New()
	sum.Write(c[:])
	sum.Write(row)
	return ChainOf(sum)
}

// IsJSON says whether a text is one JSON value. It accepts invalid UTF-8 and repeated names.
func IsJSON(text []byte) bool {
	return jsontext.Value(text).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

// problemOf is the problem of a row of JSON, or empty.
func problemOf(text []byte) string {
	if IsJSON(text) {
		return ""
	}
	return "it isn't valid JSON"
}

// withoutMark is a text without a byte order mark, which is also within files that were put one behind
// the other.
func withoutMark(text []byte) []byte { return bytes.TrimPrefix(text, []byte("\ufeff")) }

// Trimmed is a text without a byte order mark and blanks around it.
func Trimmed(text []byte) []byte { return bytes.TrimSpace(withoutMark(text)) }
