// Package disksort sorts entries by their bytes. Entries that don't fit into memory are on disk, in
// sorted runs of a file without a lasting name; reading merges the runs. It isn't safe for concurrent use.
package disksort

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
)

// memory bounds the entries of a sorter that are in memory, in bytes.
const memory = 2 << 20

// Sorter has entries, which are read as often as needed, in the order of their bytes.
type Sorter struct {
	folder string
	arena  []byte
	ends   []int // of the entries in arena
	file   *os.File
	runs   []run
	size   int64
}

// run is a sorted part of the file.
type run struct{ from, to int64 }

// New makes a sorter without entries, whose file is in a folder.
func New(folder string) *Sorter { return &Sorter{folder: folder} }

// Close removes the file.
func (s *Sorter) Close() error {
	if s.file == nil {
		return nil
	}
	return errors.Join(s.file.Close(), os.Remove(s.file.Name()))
}

// Add adds an entry; it copies the bytes.
func (s *Sorter) Add(entry []byte) error {
	if len(s.arena)+len(entry) > memory && len(s.ends) > 0 {
		if err := s.spill(); err != nil {
			return explain(err)
		}
	}
	s.arena = append(s.arena, entry...)
	s.ends = append(s.ends, len(s.arena))
	return nil
}

func explain(err error) error {
	return fmt.Errorf("sort on disk: free some space where temporary files go (TMPDIR): %w", err)
}

// inMemory are the entries in memory, in order.
func (s *Sorter) inMemory() [][]byte {
	entries, from := make([][]byte, len(s.ends)), 0
	for i, end := range s.ends {
		entries[i], from = s.arena[from:end], end
	}
	slices.SortFunc(entries, bytes.Compare)
	return entries
}

// spill writes the entries in memory as a run.
func (s *Sorter) spill() (err error) {
	if s.file == nil {
		if s.file, err = os.CreateTemp(s.folder, "sorted-"); err != nil {
			return err
		}
	}
	out, from := bufio.NewWriterSize(s.file, 1<<16), s.size
	var length [binary.MaxVarintLen64]byte
	for _, entry := range s.inMemory() {
		n := binary.PutUvarint(length[:], uint64(len(entry)))
		_, _ = out.Write(length[:n]) // Flush returns its error
		_, _ = out.Write(entry)
		s.size += int64(n + len(entry))
	}
	s.runs = append(s.runs, run{from, s.size})
	s.arena, s.ends = s.arena[:0], s.ends[:0]
	return out.Flush()
}

// All yields all entries in order, equal ones too. An entry is valid until the next one.
func (s *Sorter) All() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if len(s.runs) == 0 {
			for _, entry := range s.inMemory() {
				if !yield(entry, nil) {
					return
				}
			}
			return
		}
		if err := s.merge(yield); err != nil {
			yield(nil, explain(err))
		}
	}
}

// merge yields the entries of all runs in order.
func (s *Sorter) merge(yield func([]byte, error) bool) error {
	if len(s.ends) > 0 {
		if err := s.spill(); err != nil {
			return err
		}
	}
	s.arena, s.ends = nil, nil
	var readers []*runReader // in the order of their entries
	for _, r := range s.runs {
		reader := &runReader{in: bufio.NewReaderSize(io.NewSectionReader(s.file, r.from, r.to-r.from), 1<<15)}
		if err := reader.next(); err != nil {
			return err
		}
		readers = append(readers, reader)
	}
	slices.SortFunc(readers, compareReaders)
	for len(readers) > 0 {
		first := readers[0]
		if !yield(first.entry, nil) {
			return nil
		}
		switch err := first.next(); {
		case errors.Is(err, io.EOF):
			readers = readers[1:]
		case err != nil:
			return err
		default:
			others, _ := slices.BinarySearchFunc(readers[1:], first, compareReaders)
			copy(readers, readers[1:1+others])
			readers[others] = first
		}
	}
	return nil
}

// runReader reads a run.
type runReader struct {
	in    *bufio.Reader
	entry []byte
}

func compareReaders(a, b *runReader) int { return bytes.Compare(a.entry, b.entry) }

func (r *runReader) next() error {
	n, err := binary.ReadUvarint(r.in)
	if err != nil {
		return err // io.EOF only between entries
	}
	r.entry = slices.Grow(r.entry[:0], int(n))[:n] //nolint:gosec // Add had it in memory
	_, err = io.ReadFull(r.in, r.entry)
	return err
}
