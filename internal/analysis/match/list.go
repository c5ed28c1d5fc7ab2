package match

import (
	"cmp"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/analysis/disksort"
)

// LongestTolerance bounds Settings.Tolerance.
const LongestTolerance = 10 * time.Minute

// List is calls in the order of their starts, on disk.
type List struct{ sorter *disksort.Sorter }

// NewList makes an empty list, with its temporary file in a folder.
func NewList(folder string) *List { return &List{disksort.New(folder)} }

// Close removes the temporary file.
func (l *List) Close() error { return l.sorter.Close() }

// Add adds a call with its partner, of which one may be nil.
func (l *List) Add(c Class, left, right *Call) error {
	entry := append(sortedStart(nil, cmp.Or(left, right).Start), byte(c), 0)
	for i, call := range [...]*Call{left, right} {
		if call != nil {
			entry[listHead-1] |= 1 << i
			entry = call.append(entry)
		}
	}
	return l.sorter.Add(entry)
}

// listHead is how long an entry is before its calls: start, class, and which sides there are.
const listHead = 8 + 2

// All goes through the list.
func (l *List) All(use func(c Class, left, right *Call) error) error {
	for entry, err := range l.sorter.All() {
		if err != nil {
			return err
		}
		var calls [2]*Call
		for i, rest := 0, entry[listHead:]; i < len(calls); i++ {
			if entry[listHead-1]>>i&1 == 0 {
				continue
			}
			c, more, err := parseCall(rest)
			if err != nil {
				return err
			}
			calls[i], rest = &c, more
		}
		if err := use(Class(entry[listHead-2]), calls[0], calls[1]); err != nil {
			return err
		}
	}
	return nil
}
