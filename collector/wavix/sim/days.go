package sim

import (
	"sync"
	"time"
)

// maxIndexed is how many rows the indexes of days hold in memory, at 40 bytes each.
const maxIndexed = 6_000_000

// dayKey is what an index depends on. Days of several time zones overlap.
type dayKey struct {
	from, to    int64
	order       Order
	copiesCount bool
}

// days are the indexes that were made. The zero value has none.
type days struct {
	mu    sync.Mutex
	known map[dayKey]*day
	// made are the keys in the order of their making.
	made []dayKey
	held int
}

// of is the index of a span.
func (d *days) of(a *Account, key dayKey) *day {
	found := d.find(key)
	found.once.Do(func() {
		found.build(a, key.order, key.copiesCount)
		d.hold(key, found)
	})
	return found
}

func (d *days) find(key dayKey) *day {
	d.mu.Lock()
	defer d.mu.Unlock()
	found := d.known[key]
	if found == nil {
		found = &day{from: key.from, to: key.to}
		if d.known == nil {
			d.known = make(map[dayKey]*day)
		}
		d.known[key] = found
		d.made = append(d.made, key)
	}
	return found
}

// hold counts what was built and lets go of what was made long ago.
func (d *days) hold(key dayKey, built *day) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.known[key] == built {
		built.held = len(built.lists[placed].rows) + len(built.lists[received].rows)
		d.held += built.held
	}
	for d.held > maxIndexed && len(d.made) > 1 {
		d.drop(d.made[0])
		d.made = d.made[1:]
	}
}

func (d *days) drop(key dayKey) {
	if old := d.known[key]; old != nil {
		d.held -= old.held
		delete(d.known, key)
	}
}

// forget drops what depends on the calls that start in a span.
func (d *days) forget(from, to time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	first, last := from.Add(-maxOffset).UnixMilli(), to.Add(maxOffset).UnixMilli()
	kept := d.made[:0]
	for _, key := range d.made {
		if key.from <= last && first < key.to {
			d.drop(key)
			continue
		}
		kept = append(kept, key)
	}
	d.made = kept
}
