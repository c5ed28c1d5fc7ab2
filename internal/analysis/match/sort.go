package match

import (
	"bufio"
	"bytes"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
)

// sortMemory bounds the entries of a sorter that are in memory, in bytes.
const sortMemory = 8 << 20

// sorter sorts entries by their bytes, in a file without a name. Entries are read as often as needed.
type sorter struct {
	folder string
	arena  []byte
	ends   []int // of the entries in arena
	file   *os.File
	runs   []run
	size   int64
}

// run is a sorted part of the file.
type run struct{ from, to int64 }

// add adds an entry; it copies the bytes.
func (s *sorter) add(entry []byte) error {
	if len(s.arena)+len(entry) > sortMemory && len(s.ends) > 0 {
		if err := s.spill(); err != nil {
			return onDisk(err)
		}
	}
	s.arena = append(s.arena, entry...)
	s.ends = append(s.ends, len(s.arena))
	return nil
}

func onDisk(err error) error {
	return fmt.Errorf("sort calls on disk: free some space where temporary files go (TMPDIR): %w", err)
}

// sorted are the entries in memory, in order.
func (s *sorter) sorted() [][]byte {
	entries, from := make([][]byte, len(s.ends)), 0
	for i, end := range s.ends {
		entries[i], from = s.arena[from:end], end
	}
	slices.SortFunc(entries, bytes.Compare)
	return entries
}

// spill writes what is in memory as a run.
func (s *sorter) spill() (err error) {
	if s.file == nil {
		if s.file, err = os.CreateTemp(s.folder, "calls-"); err != nil {
			return err
		}
	}
	out, from := bufio.NewWriterSize(s.file, 1<<16), s.size
	var length [binary.MaxVarintLen64]byte
	for _, entry := range s.sorted() {
		n := binary.PutUvarint(length[:], uint64(len(entry)))
		_, _ = out.Write(length[:n]) // Flush returns its error
		_, _ = out.Write(entry)
		s.size += int64(n + len(entry))
	}
	s.runs = append(s.runs, run{from, s.size})
	s.arena, s.ends = s.arena[:0], s.ends[:0]
	return out.Flush()
}

// all yields all entries in order. An entry is valid until the next one.
func (s *sorter) all() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if len(s.runs) > 0 && len(s.ends) > 0 {
			if err := s.spill(); err != nil {
				yield(nil, onDisk(err))
				return
			}
		}
		if len(s.runs) == 0 {
			for _, entry := range s.sorted() {
				if !yield(entry, nil) {
					return
				}
			}
			return
		}
		s.arena, s.ends = nil, nil
		var heads runHeap
		for _, r := range s.runs {
			h := &runReader{in: bufio.NewReaderSize(io.NewSectionReader(s.file, r.from, r.to-r.from), 1<<15)}
			if err := h.next(); err != nil {
				yield(nil, onDisk(err))
				return
			}
			heads = append(heads, h)
		}
		heap.Init(&heads)
		for len(heads) > 0 {
			if !yield(heads[0].entry, nil) {
				return
			}
			switch err := heads[0].next(); {
			case err == nil:
				heap.Fix(&heads, 0)
			case errors.Is(err, io.EOF):
				heap.Pop(&heads)
			default:
				yield(nil, onDisk(err))
				return
			}
		}
	}
}

func (s *sorter) close() error {
	if s.file == nil {
		return nil
	}
	return errors.Join(s.file.Close(), os.Remove(s.file.Name()))
}

// runReader reads a run.
type runReader struct {
	in    *bufio.Reader
	entry []byte
}

func (r *runReader) next() error {
	n, err := binary.ReadUvarint(r.in)
	if err != nil {
		return err // io.EOF only between entries
	}
	r.entry = slices.Grow(r.entry[:0], int(n))[:n] //nolint:gosec // add had it in memory
	_, err = io.ReadFull(r.in, r.entry)
	return err
}

type runHeap []*runReader

func (h runHeap) Len() int           { return len(h) }
func (h runHeap) Less(i, j int) bool { return bytes.Compare(h[i].entry, h[j].entry) < 0 }
func (h runHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface.
func (h *runHeap) Push(x any) { *h = append(*h, x.(*runReader)) } //nolint:forcetypeassert // only heap calls it

// Pop implements heap.Interface.
func (h *runHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
