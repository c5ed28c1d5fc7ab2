package files

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
	"io"
	"path/filepath"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/position"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
)

// filesPosition is how far files were read. What is in files distinguishes them: an inode is used
// again, first bytes may be the same, and a file comes back under another name or as a copy. Each lies
// in its slot of the stored form, so that a file more changes few bytes of it.
type filesPosition struct {
	entries []*entry
	slots   []storedEntry
	free    []int // slots of no file
	gone    int   // how many deleted files are remembered
}

// entry is a file of which something was read.
type entry struct {
	storedEntry

	slot   int
	head   []byte // bytes of the file from headAt on, if they were read in this look
	headAt int64
	file   *listedFile // of this look; nil: it isn't there
}

// storedEntry is of a fixed size, as what it holds: they are stored as they are.
type storedEntry struct {
	ID   uint64 // see idOf; 0: no present file is known to be this one
	Name uint64 // hash of the name that it was first found under
	// Change is the time of the file's last change (changeOf) when its bytes were last compared with
	// what was read. While it stays the same, they aren't compared again. For a whole or a compressed
	// file it is the file's versionOf.
	Change int64
	// First is a hash of its first lines, see linesLook.firstLines; zero: not known yet.
	First rows.Chain
	// Now is up to where it was read, Older up to where on an earlier day: after a crash of the
	// machine a file may be shorter. Of a document Older is the place of its last row.
	Now, Older rows.Mark
	// Good is up to where the last row ends that could be read under the Wording. Rows behind it are read
	// again once the definition says something else.
	Good    rows.Mark
	Wording uint64
	// NowNames and GoodNames are where the names begin that hold for rows behind Now and Good: a program may write
	// other ones into the same file.
	NowNames, GoodNames int64
	// Identity is what identified its rows, and Changed when that was last another, in seconds; 0: never.
	Identity uint64
	Changed  int64
	Day      int64 // when it was last seen, since 1970
}

const (
	// goneLines and goneWholes are the numbers of deleted files whose positions are remembered.
	goneLines  = 1000
	goneWholes = 10_000

	form = 11 // of the stored position
)

// nameHash is a hash of a file's name without its folder, which may be mounted elsewhere or be written differently.
func nameHash(path string) uint64 {
	sum := sha256.Sum256([]byte(filepath.Base(path)))
	return binary.BigEndian.Uint64(sum[:])
}

// hashTo writes the bytes of a file from one place to another into a hash.
func hashTo(ctx context.Context, sum hash.Hash, file io.ReaderAt, from, to int64) error {
	_, err := io.CopyN(sum, rows.WithContext(ctx, io.NewSectionReader(file, from, to-from)), to-from)
	if errors.Is(err, io.EOF) {
		err = errTruncated
	}
	return err
}

// hashOf is the hash of a file's bytes up to a place.
func hashOf(ctx context.Context, file io.ReaderAt, to int64) (hash.Hash, error) {
	sum := sha256.New()
	return sum, hashTo(ctx, sum, file, 0, to)
}

// fits says whether a file has, up to the mark, what was read up to there.
func fits(ctx context.Context, m rows.Mark, file io.ReaderAt, size int64) (bool, error) {
	if m.Offset == 0 || m.Offset > size {
		return m.Offset == 0, nil
	}
	sum, err := hashOf(ctx, file, m.Offset)
	if err != nil {
		return false, err
	}
	return rows.ChainOf(sum) == m.Chain, nil
}

// printed is how many bytes at the beginning of a file and before a place are looked at while it is
// read.
const printed = 1 << 10

// printOf is a hash of a file's first bytes and those before an offset.
func printOf(file io.ReaderAt, offset int64) (sum [sha256.Size]byte, err error) {
	size := min(offset, printed)
	bytes := make([]byte, 2*size)
	if _, err := file.ReadAt(bytes[:size], 0); err != nil && size > 0 {
		return sum, err
	}
	if _, err := file.ReadAt(bytes[size:], offset-size); err != nil && size > 0 {
		return sum, err
	}
	return sha256.Sum256(bytes), nil
}

// seeFile notes that the file is there on a day, with the bytes that were read of it.
func (e *entry) seeFile(file *listedFile, day int64) {
	if e.Day != day {
		e.Older = e.Now
	}
	e.file, e.Day, file.entry = file, day, e
}

// retry goes back to the last row that could be read if the definition was changed since. No row behind it was counted.
func (e *storedEntry) retry(s *Settings) {
	if e.Identity != s.Identity && e.Good.Offset > 0 {
		e.Changed = s.Now().Unix()
	}
	if e.Wording != s.Wording && e.Good != e.Now {
		e.Now, e.NowNames, e.Change = e.Good, e.GoodNames, 0
		if e.Older.Offset >= e.Now.Offset {
			e.Older = e.Now
		}
	}
	e.Wording, e.Identity = s.Wording, s.Identity
}

// addEntry adds a file in a slot.
func (l *look) addEntry(e *entry) {
	e.Wording, e.Identity = l.Wording, l.Identity
	if n := len(l.free); n > 0 {
		e.slot, l.free = l.free[n-1], l.free[:n-1]
	} else {
		e.slot = len(l.slots)
		l.slots = append(l.slots, storedEntry{})
	}
	l.entries = append(l.entries, e)
}

// forget forgets what two entries say of the same place, and the files that are gone for longest.
func (p *filesPosition) forget() {
	known := make(map[rows.Mark]bool)
	slices.SortStableFunc(p.entries, func(a, b *entry) int { return cmp.Compare(b.Day, a.Day) })
	gone := 0
	p.entries = slices.DeleteFunc(p.entries, func(e *entry) bool {
		if e.file != nil {
			known[e.Now] = true
			return false
		}
		gone++
		if gone <= p.gone && (e.ID != 0 || e.Now.Offset > 0 && !known[e.Now]) {
			return false
		}
		p.slots[e.slot] = storedEntry{} // free from the next look on
		return true
	})
}

// append appends the stored form.
func (p *filesPosition) append(dst []byte) []byte {
	for _, e := range p.entries {
		p.slots[e.slot] = e.storedEntry
	}
	return position.Append(dst, form, p.slots)
}

// parse reads the stored form.
func (l *look) parse() (err error) {
	l.slots, err = position.Parse[storedEntry](l.stored, form)
	for slot, stored := range l.slots {
		switch {
		case stored == storedEntry{}:
			l.free = append(l.free, slot)
		case min(stored.Older.Offset, stored.Good.Offset, stored.NowNames, stored.GoodNames) < 0,
			max(stored.Older.Offset, stored.Good.Offset, stored.NowNames, stored.GoodNames) > stored.Now.Offset:
			return position.ErrDamaged
		default:
			stored.retry(&l.Settings)
			l.changed = max(l.changed, stored.Changed)
			l.entries = append(l.entries, &entry{storedEntry: stored, slot: slot})
		}
	}
	return err
}

// dayOf numbers the days since 1970.
func dayOf(at time.Time) int64 { return at.Unix() / (24 * 3600) }
