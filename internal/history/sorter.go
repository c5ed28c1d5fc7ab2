package history

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// key is where a change lies: in the order in which changes are written.
type key struct {
	family, series int
	// at is when it is seen, in milliseconds since 1970.
	at int64
	// part is sumPart, or one of a histogram's buckets behind it.
	part int
}

// sumPart is a counter's value and a histogram's sum.
const sumPart = 0

func (k key) compare(o key) int {
	return cmp.Or(cmp.Compare(k.family, o.family), cmp.Compare(k.series, o.series), cmp.Compare(k.at, o.at), cmp.Compare(k.part, o.part))
}

// amount is by how much something grows: a whole number, or money.
type amount struct {
	n     int64
	money cdr.Money
}

func (a *amount) add(b *amount) {
	a.n += b.n
	if b.money.Sign() != 0 {
		a.money = a.money.Add(&b.money)
	}
}

// change is an amount at its key.
type change struct {
	key
	amount
}

const (
	// mostBuffered changes are held in memory; then they are written to a run.
	mostBuffered = 1 << 16
	// mostRuns of one size are kept; then they become one of the next.
	mostRuns = 16
)

// sorter sorts changes that don't fit into memory, and adds up those of one key. Runs are
// sorted files; those of one level are of about one size.
type sorter struct {
	folder string
	most   int
	buffer map[key]amount
	levels [][]string // the runs' files
	files  int
}

func newSorter(folder string, most int) *sorter {
	return &sorter{folder: folder, most: most, buffer: make(map[key]amount)}
}

// add takes a change.
func (s *sorter) add(k key, a *amount) {
	sum := s.buffer[k]
	sum.add(a)
	s.buffer[k] = sum
}

// relieve writes the buffer to disk if it is full.
func (s *sorter) relieve() error {
	if len(s.buffer) < s.most {
		return nil
	}
	return s.spill()
}

// spill writes the buffer as a run.
func (s *sorter) spill() error {
	keys := slices.SortedFunc(maps.Keys(s.buffer), key.compare)
	w, err := s.create()
	if err != nil {
		return err
	}
	for _, k := range keys {
		w.write(&change{k, s.buffer[k]})
	}
	clear(s.buffer)
	if err := w.close(); err != nil {
		return err
	}
	return s.keep(0, w.name)
}

// create begins a run.
func (s *sorter) create() (*runWriter, error) {
	s.files++
	return createRun(filepath.Join(s.folder, "run-"+strconv.Itoa(s.files)))
}

// keep keeps a run, and makes one of the next level of a level that is full.
func (s *sorter) keep(level int, name string) error {
	if level == len(s.levels) {
		s.levels = append(s.levels, nil)
	}
	s.levels[level] = append(s.levels[level], name)
	if len(s.levels[level]) < mostRuns {
		return nil
	}
	full := s.levels[level]
	s.levels[level] = nil
	w, err := s.create()
	if err != nil {
		return err
	}
	err = merge(full, func(c *change) error { w.write(c); return nil })
	if err = cmp.Or(err, w.close()); err != nil {
		return err
	}
	for _, old := range full {
		if err := os.Remove(old); err != nil {
			return fmt.Errorf("remove a sorted part of the history: %w", err)
		}
	}
	return s.keep(level+1, w.name)
}

// each gives every key once, in order, with its sum. No more can be added then.
func (s *sorter) each(f func(*change) error) error {
	if err := s.spill(); err != nil {
		return err
	}
	return merge(slices.Concat(s.levels...), f)
}
