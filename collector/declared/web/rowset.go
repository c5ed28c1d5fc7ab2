package web

import (
	"hash/maphash"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// rowSet has the different rows of a list. A row is the same as another one if it has the same id.
// Rows without an id are different rows, even if they are equal.
type rowSet struct {
	keys  map[uint64]struct{}
	equal map[uint64]int // number of equal rows without an id, by digest
}

func newRowSet() *rowSet {
	return &rowSet{keys: make(map[uint64]struct{}), equal: make(map[uint64]int)}
}

// rowSeed is the seed of the hashes of ids and rows.
var rowSeed = maphash.MakeSeed()

// digestsOf are hashes of rows as they are written.
func digestsOf(page []rows.Row) []uint64 {
	digests := make([]uint64, len(page))
	for i := range page {
		digests[i] = maphash.Bytes(rowSeed, page[i].Raw)
	}
	return digests
}

// add adds a row by its record, which is nil if the row isn't a call or can't be read.
func (s *rowSet) add(r *cdr.Record, digest uint64) {
	key := digest
	switch {
	case r == nil:
	case r.ID != "":
		key = maphash.String(rowSeed, r.ID)
	default:
		s.equal[digest]++
		key = maphash.Comparable(rowSeed, [2]uint64{digest, uint64(s.equal[digest])})
	}
	s.keys[key] = struct{}{}
}

func (s *rowSet) size() int { return len(s.keys) }

// dayRows are the different calls of each UTC day.
type dayRows map[time.Time]*rowSet

func (d dayRows) add(at time.Time, r *cdr.Record, digest uint64) {
	day := at.UTC().Truncate(dayLength)
	if d[day] == nil {
		d[day] = newRowSet()
	}
	d[day].add(r, digest)
}

// size is the number of different calls of a day.
func (d dayRows) size(day time.Time) int {
	if d[day] == nil {
		return 0
	}
	return d[day].size()
}

// forIDs are the ids of one read's rows, by hash, if the feed reads a list for each of several values.
type forIDs map[uint64]forID

// forID is which list gave a row first, and which version of it.
type forID struct {
	values      string
	start       time.Time
	version     int64
	provisional bool
}

// inOther says whether a list for other values has given the row already. If each list gives it differently, it
// would change with every read.
func (f forIDs) inOther(r *cdr.Record, values string, rules *collector.Rules) bool {
	if r.ID == "" {
		return false
	}
	key := maphash.String(rowSeed, r.ID)
	was, there := f[key]
	isCall := there && rules.MayBeOne(r.Start, was.start) // systems use ids again
	if isCall && was.values != values && r.Version <= was.version && (r.Provisional || !was.provisional) {
		return true
	}
	f[key] = forID{values, r.Start, r.Version, r.Provisional}
	return false
}
