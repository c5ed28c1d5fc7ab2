package declared

import (
	"hash/maphash"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
)

// dayCount counts the rows of a day that is read whole, to compare it with the provider's own total. Of another span it counts nothing.
type dayCount struct {
	day  time.Time
	seed maphash.Seed
	rows map[uint64]bool // those that were read, each once; nil: the span is no day
}

func newDayCount(f *Feed, asked span) *dayCount {
	if f.Total == nil || f.Filter.By == byInserted || asked.to.Sub(asked.from) != dayLength || !asked.from.Equal(asked.from.Truncate(dayLength)) {
		return new(dayCount)
	}
	return &dayCount{day: asked.from.UTC(), seed: maphash.MakeSeed(), rows: make(map[uint64]bool)}
}

func (d *dayCount) add(rows []rawRow) {
	if d.rows == nil {
		return
	}
	for i := range rows {
		d.rows[maphash.Bytes(d.seed, rows[i].raw)] = true
	}
}

// total compares what was read with a total, unless there is none.
func (d *dayCount) total(theirs int) []collector.DayTotal {
	if d.rows == nil || theirs < 0 {
		return nil
	}
	return []collector.DayTotal{{Day: d.day, Ours: len(d.rows), Theirs: theirs}}
}
