package wavix

import "unsafe"

// minBlock is the size of an arena's first block, in bytes.
const minBlock = 32 << 10

// arena holds the bytes of a batch: its rows, and strings that were unescaped. Its
// memory is used again for the next batch, so what it gave holds until reset.
type arena struct{ block []byte }

// copy keeps a copy of b.
func (a *arena) copy(b []byte) []byte {
	a.reserve(len(b))
	begin := len(a.block)
	a.block = append(a.block, b...)
	return a.block[begin:len(a.block):len(a.block)]
}

// reserve makes room for n bytes. A block that is full stays with those who have a
// piece of it.
func (a *arena) reserve(n int) {
	if cap(a.block)-len(a.block) < n {
		a.block = make([]byte, 0, max(minBlock, 2*cap(a.block), n))
	}
}

// reset takes everything back.
func (a *arena) reset() { a.block = a.block[:0] }

// view is a string that shares the memory of a piece of the arena, and so holds until
// its reset.
func view(piece []byte) string { return unsafe.String(unsafe.SliceData(piece), len(piece)) }
