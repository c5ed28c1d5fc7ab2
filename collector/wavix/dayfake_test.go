package wavix

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"
)

// listOrder is how a fakeDay lists its rows.
type listOrder uint8

const (
	oldestFirst listOrder = iota
	latestFirst
	byID         // in the order in which they were published, oldest first
	latestByID   // the same, latest first
	mixed        // in an order that has nothing to do with time, but stays
	reshuffled   // in another order each time
	byMinute     // oldest first; rows of the same minute in another order each time
	numberOfKind // how many there are
)

var errBroken = errors.New("the connection broke")

// fakeRow is a row of a fakeDay.
type fakeRow struct {
	key   uint64
	start int64
}

// fakeDay is a provider's list of one day, and the pager that reads it. Its rows are kept
// in the order of time or of publication, or mixed.
type fakeDay struct {
	order  listOrder
	clamp  int  // the largest page it gives
	silent bool // it says no total but on pages of one row
	mute   bool // it says none at all
	blind  bool // rows have no times
	lie    int  // what it adds to the total
	slip   int  // rows that the total is ahead of the list for one answer after each insertion
	export func(rows []fakeRow, each func([]uint64) error) (bool, error)
	// before runs before each request.
	before func(request int)

	rows     []fakeRow
	handed   map[uint64]int
	requests int
	shown    int // rows
	fail     map[int]bool
	random   *rand.Rand
	now      time.Time
}

var fakeQuery = query{Day: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), Kind: "placed"}

func newFakeDay(order listOrder, clamp int) *fakeDay {
	return &fakeDay{
		order: order, clamp: clamp, handed: map[uint64]int{}, fail: map[int]bool{},
		random: rand.New(rand.NewPCG(1, uint64(clamp))), now: fakeQuery.Day.Add(25 * time.Hour),
	}
}

// publish adds a row that started at a second of the day.
func (f *fakeDay) publish(second int64) uint64 {
	row := fakeRow{key: f.random.Uint64(), start: fakeQuery.Day.Unix() + second}
	f.add(row)
	return row.key
}

// add puts a row where it belongs.
func (f *fakeDay) add(row fakeRow) {
	at := len(f.rows)
	switch f.order {
	case oldestFirst, latestFirst, byMinute:
		at, _ = slices.BinarySearchFunc(f.rows, row.start, func(r fakeRow, start int64) int { return cmp.Compare(r.start, start+1) })
	case mixed, reshuffled:
		at, _ = slices.BinarySearchFunc(f.rows, row.key, func(r fakeRow, key uint64) int { return cmp.Compare(r.key, key) })
	case byID, latestByID, numberOfKind: // at the end
	}
	f.rows = slices.Insert(f.rows, at, row)
}

// list is the rows from one place up to another, as the provider lists them.
func (f *fakeDay) list(from, to int) []fakeRow {
	from, to = min(from, len(f.rows)), min(to, len(f.rows))
	switch f.order {
	case latestFirst, latestByID:
		rows := slices.Clone(f.rows[len(f.rows)-to : len(f.rows)-from])
		slices.Reverse(rows)
		return rows
	case reshuffled:
		rows := slices.Clone(f.rows)
		f.random.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		return rows[from:to]
	case oldestFirst, byID, mixed, numberOfKind: // as they are kept
	case byMinute:
		rows := slices.Clone(f.rows)
		for i := 0; i < len(rows); {
			j := i
			for j < len(rows) && rows[j].start/60 == rows[i].start/60 {
				j++
			}
			f.random.Shuffle(j-i, func(a, b int) { rows[i+a], rows[i+b] = rows[i+b], rows[i+a] })
			for ; i < j; i++ {
				rows[i].start -= rows[i].start % 60
			}
		}
		return rows[from:to]
	}
	return f.rows[from:to]
}

// asked counts a request, and says whether it fails.
func (f *fakeDay) asked() error {
	f.requests++
	if f.before != nil {
		f.before(f.requests)
	}
	if f.fail[f.requests] {
		return errBroken
	}
	return nil
}

// Page implements pager.
func (f *fakeDay) Page(_ context.Context, _ query, page, perPage int) (pageInfo, error) {
	if err := f.asked(); err != nil {
		return pageInfo{}, err
	}
	size := min(perPage, f.clamp)
	info := pageInfo{Total: len(f.rows) + f.lie + f.slip, PerPage: size}
	f.slip = 0
	if f.mute || f.silent && perPage > 1 {
		info.Total = -1
	}
	for _, row := range f.list((page-1)*size, page*size) {
		info.Keys = append(info.Keys, row.key)
		if !f.blind {
			info.Times = append(info.Times, row.start)
		}
		f.handed[row.key]++
	}
	f.shown += len(info.Keys)
	return info, nil
}

// Whole implements pager.
func (f *fakeDay) Whole(_ context.Context, _ query, each func([]uint64) error) (bool, error) {
	if f.export == nil {
		return false, nil
	}
	if err := f.asked(); err != nil {
		return true, err
	}
	return f.export(f.list(0, len(f.rows)), func(keys []uint64) error {
		for _, key := range keys {
			f.handed[key]++
		}
		f.shown += len(keys)
		return each(keys)
	})
}

// missing counts the rows of a list that weren't handed on.
func (f *fakeDay) missing(rows []fakeRow) int {
	n := 0
	for _, row := range rows {
		if f.handed[row.key] == 0 {
			n++
		}
	}
	return n
}
