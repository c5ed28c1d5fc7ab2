package wavix

import (
	"context"
	"time"
)

// query is one day of one type, in the provider's own days: it knows no smaller span.
type query struct {
	Day  time.Time // midnight UTC of the calendar day: from=to=Day
	Kind string    // placed or received
}

// pageInfo is what a page said.
type pageInfo struct {
	Total   int      // pagination.total; -1: not said (csv)
	PerPage int      // pagination.per_page as read back: the provider may clamp what was asked for; 0: not said (csv)
	Keys    []uint64 // a stable key of each row in order (of its id, else of what it says); valid until the next call
	Times   []int64  // the start of each row in unix seconds, in the order of Keys, 0 for a row that has none; nil: not known; valid until the next call
}

// pager reads the pages of a query and hands their rows on.
type pager interface {
	// Page reads one page, from 1, of perPage rows. The first page of one row is the cheapest way to ask for
	// the total: it is asked for as JSON in every format, so it says Total; as CSV else it may hand on
	// nothing. A bad row has a key too, or the rows after it would seem to have moved.
	Page(ctx context.Context, q query, page, perPage int) (pageInfo, error)
	// Whole reads all of a query in one answer and calls each with the keys of its rows as they come.
	// ok is false if the format has no such answer.
	Whole(ctx context.Context, q query, each func(keys []uint64) error) (ok bool, err error)
}
