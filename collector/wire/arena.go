package wire

import (
	"bytes"
	"unicode/utf8"
	"unsafe"

	"github.com/go-json-experiment/json/jsontext"
)

// minBlock is the size of an arena's first block, in bytes.
const minBlock = 32 << 10

// Arena holds the strings of a page that were unescaped. Its
// memory is used again for the next page, so what it gave holds until Reset. The zero
// value is ready; it is for one goroutine.
type Arena struct{ block []byte }

// Copy keeps a copy of b.
func (a *Arena) Copy(b []byte) []byte {
	return a.Append(len(b), func(block []byte) []byte { return append(block, b...) })
}

// Append gives the piece that write appends, which is of at most so many bytes. A block
// that is full stays with those who have a piece of it.
func (a *Arena) Append(most int, write func(block []byte) []byte) []byte {
	if cap(a.block)-len(a.block) < most {
		a.block = make([]byte, 0, max(minBlock, 2*cap(a.block), most))
	}
	begin := len(a.block)
	a.block = write(a.block)
	return a.block[begin:len(a.block):len(a.block)]
}

// Text is what a JSON string says, given without its quotes: valid UTF-8 also where the
// answer isn't, which repaired tells. It is a view of content, or of the arena.
func (a *Arena) Text(content []byte) (text string, repaired bool) {
	repaired = !utf8.Valid(content)
	if !repaired && bytes.IndexByte(content, '\\') < 0 {
		return View(content), false
	}
	return View(a.Unquote(content)), repaired
}

// Unquote is what a JSON string says whose content, given without its quotes, has
// escapes or isn't UTF-8.
func (a *Arena) Unquote(content []byte) []byte {
	quoted := append(append([]byte{'"'}, content...), '"')
	// The text is never longer than its JSON, but for bytes that aren't UTF-8, which
	// become three.
	return a.Append(3*len(content), func(block []byte) []byte {
		block, _ = jsontext.AppendUnquote(block, quoted) // the error says that something wasn't UTF-8; it has been replaced
		return block
	})
}

// Reset takes everything back.
func (a *Arena) Reset() { a.block = a.block[:0] }

// View is a string that shares the memory of a piece of an arena, and so holds until
// its Reset.
func View(piece []byte) string { return unsafe.String(unsafe.SliceData(piece), len(piece)) }
