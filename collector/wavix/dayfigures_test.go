package wavix

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"testing"
	"time"
)

var updateDay = flag.Bool("update-day", false, "write testdata/day-figures.txt anew")

const dayFiguresFile = "testdata/day-figures.txt"

const (
	millionRows  = 1_000_000
	newPerMinute = 700
	latePerHour  = 300
)

// bigDay is a day of a million rows, none of which is kept: row i is the i-th that was
// published at once. Late rows are few and are. Each request takes a second, in which the
// day grows.
type bigDay struct {
	perPage int
	newest  bool // the list begins with the latest
	byID    bool // late rows are where they were published, not where they started

	began    time.Time
	now      time.Time
	grown    time.Time
	rows     int
	late     []lateRow
	handed   []bool
	requests int
	random   func(int64) int64
}

// lateRow comes after so many rows that were published at once.
type lateRow struct {
	after  int
	key    uint64
	start  int64
	came   time.Time
	handed bool
}

func newBigDay(perPage int, newest, byID bool) *bigDay {
	f := newFakeDay(oldestFirst, perPage)
	b := &bigDay{perPage: perPage, newest: newest, byID: byID, rows: millionRows, random: f.random.Int64N}
	b.began = fakeQuery.Day
	b.now = b.began.Add(time.Duration(b.start(b.rows)) * time.Second)
	b.grown = b.now
	b.handed = make([]bool, b.rows, b.rows+b.rows)
	return b
}

// start is when row i started, in seconds of the day.
func (b *bigDay) start(i int) int64 { return int64(i) * 60 / newPerMinute }

// pass lets time pass.
func (b *bigDay) pass(d time.Duration) {
	b.now = b.now.Add(d)
	for !b.now.Before(b.grown.Add(time.Second)) {
		b.grown = b.grown.Add(time.Second)
		for b.start(b.rows) <= b.grown.Unix()-b.began.Unix() {
			b.rows, b.handed = b.rows+1, append(b.handed, false)
		}
		if b.random(3600) < latePerHour {
			after := int(b.random(int64(b.rows)))
			row := lateRow{after: after, key: 1<<63 | uint64(b.random(1<<62)), start: b.start(after), came: b.grown}
			if b.byID {
				row.after = b.rows
			}
			at, _ := slices.BinarySearchFunc(b.late, row, func(x, y lateRow) int { return cmp.Or(cmp.Compare(x.after, y.after), -1) })
			b.late = slices.Insert(b.late, at, row)
		}
	}
}

// Page implements pager.
func (b *bigDay) Page(_ context.Context, _ query, page, perPage int) (pageInfo, error) {
	b.requests++
	b.pass(time.Second)
	size, total := min(perPage, b.perPage), b.rows+len(b.late)
	info := pageInfo{Total: total, PerPage: size}
	from, to := min((page-1)*size, total), min(page*size, total)
	if b.newest {
		from, to = total-to, total-from
	}
	// n is how many late rows are before the page.
	n := 0
	for n < len(b.late) && b.late[n].after+n < from {
		n++
	}
	for at, i := from, from-n; at < to; at++ {
		if n < len(b.late) && b.late[n].after <= i {
			b.late[n].handed = true
			info.Keys, info.Times = append(info.Keys, b.late[n].key), append(info.Times, b.began.Unix()+b.late[n].start)
			n++
			continue
		}
		b.handed[i] = true
		info.Keys, info.Times = append(info.Keys, uint64(i)), append(info.Times, b.began.Unix()+b.start(i))
		i++
	}
	if b.newest {
		slices.Reverse(info.Keys)
		slices.Reverse(info.Times)
	}
	return info, nil
}

// Whole implements pager.
func (b *bigDay) Whole(context.Context, query, func([]uint64) error) (bool, error) {
	return false, nil
}

// missing counts the rows that started from a time on up to another, were published by a
// third and weren't handed on.
func (b *bigDay) missing(from, to, published time.Time) int {
	n, first, last := 0, from.Unix()-b.began.Unix(), to.Unix()-b.began.Unix()
	for i := range b.handed {
		if at := b.start(i); !b.handed[i] && at >= first && at <= last && at <= published.Unix()-b.began.Unix() {
			n++
		}
	}
	for _, row := range b.late {
		if !row.handed && !row.came.After(published) && row.start >= first && row.start <= last {
			n++
		}
	}
	return n
}

// read reads a range and looks whether all of it was handed on that had come in before. It
// returns what it cost.
func (b *bigDay) read(t *testing.T, d *dayReader, from, to time.Time) int {
	t.Helper()
	before, began := b.requests, b.now
	if _, err := d.read(context.Background(), fakeQuery, from, to, false); err != nil {
		t.Fatal(err)
	}
	if n := b.missing(from, to, began); n > 0 {
		t.Errorf("%d calls were not handed on", n)
	}
	return b.requests - before
}

// TestDayFigures measures what it costs to read a day of a million rows each minute.
func TestDayFigures(t *testing.T) {
	var got bytes.Buffer
	fmt.Fprintf(&got, "A day of a million calls of one type, in requests of a second each. %d calls a minute come in at once and %d late, at\n"+
		"random places of the day.\n", newPerMinute, latePerHour/60)
	for _, perPage := range []int{100, 1000} {
		fmt.Fprintf(&got, "\n%d calls a page, so that all pages are %d:\n\n", perPage, millionRows/perPage)
		fmt.Fprint(&got, "                               after a    the last 9 minutes,\n"+
			"  order of the list            restart    read each minute\n"+
			"                                          mean   at most\n")
		for _, order := range []struct {
			name         string
			newest, byID bool
		}{
			{"by time, latest first", true, false},
			{"by time, oldest first", false, false},
			{"as published, latest first", true, true},
			{"as published, oldest first", false, true},
		} {
			t.Run(fmt.Sprintf("%s, %d a page", order.name, perPage), func(t *testing.T) {
				measureDay(t, &got, order.name, newBigDay(perPage, order.newest, order.byID))
			})
		}
	}
	if *updateDay {
		if err := os.WriteFile(dayFiguresFile, got.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(dayFiguresFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%s has other figures: go test -run DayFigures -update-day, and look at what changed:\n%s", dayFiguresFile, got.Bytes())
	}
}

func measureDay(t *testing.T, w io.Writer, name string, b *bigDay) {
	t.Helper()
	d := newDayReader(b, func() time.Time { return b.now })
	const window, minutes = 9 * time.Minute, 60
	each := func() (mean float64, most int) {
		sum := 0
		for range minutes {
			began := b.now
			n := b.read(t, d, b.now.Add(-window), b.now)
			sum, most = sum+n, max(most, n)
			b.pass(max(0, began.Add(time.Minute).Sub(b.now)))
		}
		return float64(sum) / minutes, most
	}
	first := b.read(t, d, b.now.Add(-window), b.now)
	mean, most := each()
	fmt.Fprintf(w, "  %-28s %6d    %6.1f   %6d\n", name, first, mean, most)
}
