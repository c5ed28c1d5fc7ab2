package declared

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

	"github.com/cdr-exporter/cdr-exporter/collector/advice"
)

// linesPosition is how far files that grow were read. What is in files distinguishes them: an inode
// is used again, first bytes may be the same, and a file comes back under another name or as a
// copy. Each lies in its slot of the stored form, so that a file more changes few bytes of it.
type linesPosition struct {
	entries []*fileEntry
	slots   []storedEntry
	free    []int // slots of no file
}

// fileEntry is a file of which something was read.
type fileEntry struct {
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
	First chain
	// Now is up to where it was read, Older up to where on an earlier day: after a crash of the
	// machine a file may be shorter.
	Now, Older mark
	Day        int64 // when it was last seen, since 1970
}

// mark is a place in a file, which is a row's end. Files with the same mark have the same bytes up
// to there.
type mark struct {
	Offset int64
	Chain  chain
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
	_, err := io.CopyN(sum, &contextReader{ctx, io.NewSectionReader(file, from, to-from)}, to-from)
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
func (m mark) fits(ctx context.Context, file io.ReaderAt, size int64) (bool, error) {
	if m.Offset == 0 || m.Offset > size {
		return m.Offset == 0, nil
	}
	sum, err := hashOf(ctx, file, m.Offset)
	if err != nil {
		return false, err
	}
	return chainOf(sum) == m.Chain, nil
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
func (e *fileEntry) seeFile(file *listedFile, day int64) {
	if e.Day != day {
		e.Older = e.Now
	}
	e.file, e.Day, file.entry = file, day, e
}

// addEntry adds a file in a slot.
func (p *linesPosition) addEntry(e *fileEntry) {
	if n := len(p.free); n > 0 {
		e.slot, p.free = p.free[n-1], p.free[:n-1]
	} else {
		e.slot = len(p.slots)
		p.slots = append(p.slots, storedEntry{})
	}
	p.entries = append(p.entries, e)
}

// forget forgets what two entries say of the same place, and the files that are gone for longest.
func (p *linesPosition) forget(int64) {
	known := make(map[mark]bool)
	slices.SortStableFunc(p.entries, func(a, b *fileEntry) int { return cmp.Compare(b.Day, a.Day) })
	gone := 0
	p.entries = slices.DeleteFunc(p.entries, func(e *fileEntry) bool {
		if e.file != nil {
			known[e.Now] = true
			return false
		}
		gone++
		if gone <= goneFiles && (e.ID != 0 || e.Now.Offset > 0 && !known[e.Now]) {
			return false
		}
		p.slots[e.slot] = storedEntry{}
		p.free = append(p.free, e.slot)
		return true
	})
}

// append appends the stored form.
func (p *linesPosition) append(dst []byte) []byte {
	for _, e := range p.entries {
		p.slots[e.slot] = e.storedEntry
	}
	return appendSlots(dst, linesForm, p.slots)
}

// appendSlots appends slots, which are of a fixed size, behind a form.
func appendSlots[T comparable](dst []byte, form byte, slots []T) []byte {
	dst, _ = binary.Append(append(dst, form), binary.BigEndian, slots) // it fails for what has no fixed size
	return dst
}

func parseSlots[T comparable](data []byte, form byte) (slots []T, err error) {
	if len(data) == 0 {
		return nil, nil
	}
	slots = make([]T, (len(data)-1)/binary.Size(*new(T)))
	if n, err := binary.Decode(data[1:], binary.BigEndian, slots); err != nil || n < len(data)-1 || data[0] != form {
		return nil, errPosition
	}
	return slots, nil
}

// errPosition is a stored position that this program didn't write.
var errPosition = &advice.Error{
	What: "the stored position of the feed is damaged, or was written by another version of the program",
	Todo: "go on with the version that wrote it, restore a backup of the ledger, or move the ledger away and " +
		"start anew (docs/ledger.md)",
}

func parseLinesPosition(data []byte) (*linesPosition, error) {
	slots, err := parseSlots[storedEntry](data, linesForm)
	p := &linesPosition{slots: slots}
	for slot, stored := range slots {
		switch {
		case stored == storedEntry{}:
			p.free = append(p.free, slot)
		case stored.Older.Offset < 0 || stored.Older.Offset > stored.Now.Offset:
			return p, errPosition
		default:
			p.entries = append(p.entries, &fileEntry{storedEntry: stored, slot: slot})
		}
	}
	return p, err
}

// dayOf numbers the days since 1970.
func dayOf(at time.Time) int64 { return at.Unix() / (24 * 3600) }
