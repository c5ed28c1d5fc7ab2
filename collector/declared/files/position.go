package files

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
	"io"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/position"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
)

// linesPosition is how far files that grow were read. What is in files distinguishes them: an inode
// is used again, first bytes may be the same, and a file comes back under another name or as a
// copy.
type linesPosition struct {
	entries []*entry
	slots   position.Slots[storedEntry]
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
	Path uint64 // hash of the path that it was first found at
	// Change is the time of the file's last change (changeOf) when its bytes were last compared with
	// what was read. While it stays the same, they aren't compared again.
	Change int64
	// First is a hash of its first lines, see linesLook.firstLines; zero: not known yet.
	First rows.Chain
	// Now is up to where it was read, Older up to where on an earlier day: after a crash of the
	// machine a file may be shorter.
	Now, Older rows.Mark
	Day        int64 // when it was last seen, since 1970
}

const (
	// goneFiles is the number of deleted files whose positions are remembered.
	goneFiles = 1000

	linesForm = 6 // of the stored position
)

// pathHash is a hash of a path.
func pathHash(path string) uint64 {
	sum := sha256.Sum256([]byte(path))
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

// addEntry adds a file in a slot.
func (p *linesPosition) addEntry(e *entry) {
	e.slot = p.slots.Take()
	p.entries = append(p.entries, e)
}

// forget forgets what two entries say of the same place, and the files that are gone for longest.
func (p *linesPosition) forget(int64) {
	known := make(map[rows.Mark]bool)
	slices.SortStableFunc(p.entries, func(a, b *entry) int { return cmp.Compare(b.Day, a.Day) })
	gone := 0
	p.entries = slices.DeleteFunc(p.entries, func(e *entry) bool {
		if e.file != nil {
			known[e.Now] = true
			return false
		}
		gone++
		if gone <= goneFiles && (e.ID != 0 || e.Now.Offset > 0 && !known[e.Now]) {
			return false
		}
		p.slots.Free(e.slot)
		return true
	})
}

// append appends the stored form.
func (p *linesPosition) append(dst []byte) []byte {
	for _, e := range p.entries {
		p.slots.All[e.slot] = e.storedEntry
	}
	return position.Append(dst, linesForm, p.slots.All)
}

func parseLinesPosition(data []byte) (*linesPosition, error) {
	slots, err := position.ParseSlots[storedEntry](data, linesForm)
	p := &linesPosition{slots: slots}
	for slot, stored := range slots.All {
		switch {
		case stored == storedEntry{}:
		case stored.Older.Offset < 0 || stored.Older.Offset > stored.Now.Offset:
			return p, position.ErrDamaged
		default:
			p.entries = append(p.entries, &entry{storedEntry: stored, slot: slot})
		}
	}
	return p, err
}

// dayOf numbers the days since 1970.
func dayOf(at time.Time) int64 { return at.Unix() / (24 * 3600) }
