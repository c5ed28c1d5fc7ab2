package wavix

import (
	"slices"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

const (
	// wholeAnswer stands for the page of an answer that has none.
	wholeAnswer = 0
	// maxHeld bounds the records that are kept back in one query. What is beyond is
	// handed on at once.
	maxHeld = 10_000
)

// twins tells rows without an id apart that say the same, within one query: are they
// several calls, or one that was read several times? Rows move from page to page while
// the pages are read, and pages are read again, also in other sizes.
//
// A row counts where its page last had it, for each size of pages by itself; there are
// as many as the size with the most of them shows. A first one is handed on at once, a
// further one only when the query is done, if there still are so many; and a row that
// ends one page and begins the next, while the total grew, is one that moved. So whoever
// numbers what was handed on (counting.md 18) never takes one call for two.
type twins struct {
	views map[int]*twinView // by the size of pages
	view  *twinView
	page  int
	now   *seenPage
	told  int // rows of now whose keys were told
	// doubt is the page before, if it ends as the present one begins.
	doubt *seenPage

	handed  map[uint64]int // how often each was handed on
	pending []uint64       // to be handed on with the batch
	held    []heldRow
}

// twinView is what pages of one size showed.
type twinView struct {
	pages map[int]*seenPage // those with such rows
	count map[uint64]int    // how often each is listed
}

// seenPage is what a page held when it was last read.
type seenPage struct {
	rows  []seenRow
	total int // pagination.total; -1: not said
	has   bool
}

// seenRow is a row by the hash of its id, or of what it says.
type seenRow struct {
	hash uint64
	// ordinal counts the rows that say the same, from 1; 0 for a row with an id.
	ordinal int
}

// heldRow is a row that may be one that was read before.
type heldRow struct {
	view      *twinView
	page, row int
	hash      uint64
	record    *cdr.Record
}

func newTwins() *twins {
	return &twins{views: map[int]*twinView{}, handed: map[uint64]int{}}
}

// begin begins a page, or begins it again.
func (t *twins) begin(page, perPage int) {
	t.view = t.views[perPage]
	if t.view == nil {
		t.view = &twinView{pages: map[int]*seenPage{}, count: map[uint64]int{}}
		t.views[perPage] = t.view
	}
	t.forget(page)
	t.page, t.told, t.doubt = page, 0, nil
	t.pending = t.pending[:0]
	if t.now == nil || t.now.has {
		t.now = new(seenPage)
	}
	*t.now = seenPage{rows: t.now.rows[:0], total: -1}
}

// forget takes a page back.
func (t *twins) forget(page int) {
	old := t.view.pages[page]
	if old == nil {
		return
	}
	for _, row := range old.rows {
		if row.ordinal > 0 {
			t.view.count[row.hash]--
		}
	}
	t.held = slices.DeleteFunc(t.held, func(h heldRow) bool { return h.view == t.view && h.page == page })
	delete(t.view.pages, page)
}

// named notes a row with an id, or one that is known by its content alone.
func (t *twins) named(hash uint64) { t.now.rows = append(t.now.rows, seenRow{hash: hash}) }

// verdict is what becomes of a row without an id.
type verdict uint8

const (
	handOn verdict = iota // it is a call
	known                 // it was handed on before
	hold                  // the end of the query tells
)

// nameless notes a row without an id.
func (t *twins) nameless(hash uint64) verdict {
	if !t.now.has {
		t.now.has = true
		t.view.pages[t.page] = t.now
	}
	t.view.count[hash]++
	n := t.view.count[hash]
	t.now.rows = append(t.now.rows, seenRow{hash: hash, ordinal: n})
	switch {
	case n <= t.handed[hash]:
		return known
	case n == 1 || t.page == wholeAnswer || len(t.held) >= maxHeld:
		t.pending = append(t.pending, hash)
		return handOn
	}
	return hold
}

// keep holds back the record of the row that was noted last.
func (t *twins) keep(r *cdr.Record) {
	last := len(t.now.rows) - 1
	t.held = append(t.held, heldRow{view: t.view, page: t.page, row: last, hash: t.now.rows[last].hash, record: r})
}

// flushed says that the rows noted so far were handed on.
func (t *twins) flushed() {
	for _, hash := range t.pending {
		t.handed[hash]++
	}
	t.pending = t.pending[:0]
}

// end ends a page that was read whole, whose answer gave a total, or -1.
func (t *twins) end(total int) {
	t.now.total, t.doubt = total, nil
	before := t.view.pages[t.page-1]
	switch {
	case before == nil || !t.now.has || t.page == wholeAnswer+1:
	case before.total >= 0 && total >= 0:
		t.moved(before, total-before.total)
	case t.overlap(before, len(before.rows)) > 0:
		t.doubt = before
	}
}

// doubtful says that the page begins with what ends the page before, and nobody knows
// whether rows came in between: settled says it.
func (t *twins) doubtful() bool { return t.doubt != nil }

func (t *twins) settled(cameIn bool) {
	if cameIn {
		t.moved(t.doubt, len(t.doubt.rows))
	}
	t.doubt = nil
}

// overlap is how many rows, at most some, end a page and begin the present one.
func (t *twins) overlap(before *seenPage, most int) int {
	n := min(most, len(before.rows), len(t.now.rows))
	for n > 0 && !sameRows(before.rows[len(before.rows)-n:], t.now.rows[:n]) {
		n--
	}
	return max(n, 0)
}

// moved takes back the rows that the page before had already: while it was read, so many
// rows at most came in ahead of them.
func (t *twins) moved(before *seenPage, most int) {
	n := t.overlap(before, most)
	for i := range t.now.rows[:n] {
		row := &t.now.rows[i]
		if row.ordinal > 0 {
			t.view.count[row.hash]--
			row.ordinal = 0
		}
	}
	t.held = slices.DeleteFunc(t.held, func(h heldRow) bool { return h.view == t.view && h.page == t.page && h.row < n })
}

func sameRows(a, b []seenRow) bool {
	return slices.EqualFunc(a, b, func(x, y seenRow) bool { return x.hash == y.hash })
}

// settle returns the records that were held back and are calls: the query is done.
func (t *twins) settle() []*cdr.Record {
	var calls []*cdr.Record
	for _, h := range t.held {
		if h.view.count[h.hash] > t.handed[h.hash] {
			t.handed[h.hash]++
			calls = append(calls, h.record)
		}
	}
	t.held = nil
	return calls
}

// keys appends the keys of the rows since the last call: those that say the same differ
// by how many there are. Of an answer without pages nothing else is remembered of a row
// with an id.
func (t *twins) keys(keys []uint64) []uint64 {
	const odd = 0x9e3779b97f4a7c15
	kept := t.now.rows[:t.told]
	for _, row := range t.now.rows[t.told:] {
		key := row.hash
		if row.ordinal > 1 {
			key ^= uint64(row.ordinal) * odd
		}
		keys = append(keys, key)
		if row.ordinal > 0 || t.page != wholeAnswer {
			kept = append(kept, row)
		}
	}
	t.now.rows = kept
	t.told = len(kept)
	return keys
}
