package match

import "time"

// LongestTolerance bounds Settings.Tolerance.
const LongestTolerance = 10 * time.Minute

// List is calls in the order of their starts, on disk.
type List struct{ sorter sorter }

// NewList makes an empty list, with its temporary file in a folder.
func NewList(folder string) *List { return &List{sorter{folder: folder}} }

// Close removes the temporary file.
func (l *List) Close() error { return l.sorter.close() }

// Add adds a call with its partner, of which one may be nil.
func (l *List) Add(c Class, left, right *Call) error {
	first := left
	if first == nil {
		first = right
	}
	entry, sides := sortedStart(nil, first.Start), byte(0)
	for i, call := range [...]*Call{left, right} {
		if call != nil {
			sides |= 1 << i
		}
	}
	entry = append(entry, byte(c), sides)
	for _, call := range [...]*Call{left, right} {
		if call != nil {
			entry = call.append(entry)
		}
	}
	return l.sorter.add(entry)
}

// All goes through the list.
func (l *List) All(use func(c Class, left, right *Call) error) error {
	const head = 8 + 2
	for entry, err := range l.sorter.all() {
		if err != nil {
			return err
		}
		if len(entry) < head {
			return errStored
		}
		var calls [2]*Call
		rest := entry[head:]
		for i := range calls {
			if entry[head-1]>>i&1 == 0 {
				continue
			}
			c, more, err := parseCall(rest)
			if err != nil {
				return err
			}
			calls[i], rest = &c, more
		}
		if err := use(Class(entry[head-2]), calls[0], calls[1]); err != nil {
			return err
		}
	}
	return nil
}
