package declared

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"

	"github.com/cdr-exporter/cdr-exporter/internal/pack"
)

// wholePosition is which files were read.
type wholePosition struct {
	versions map[uint64]wholeEntry // by versionOf
	contents map[uint64]bool
}

// wholeEntry is a file that was read.
type wholeEntry struct {
	content uint64 // a hash of it
	day     int64  // when it was last seen, since 1970
}

const (
	// goneWholes is of how many files that are gone is remembered that they were read.
	goneWholes = 10_000

	wholeForm = 2 // of the stored position
)

// versionOf is a hash of what changes when a file is written to, and not when it is renamed.
func versionOf(f *listedFile) uint64 {
	b := binary.BigEndian.AppendUint64(nil, f.id)
	b = binary.BigEndian.AppendUint64(b, uint64(f.info.Size()))               //nolint:gosec // it is hashed
	b = binary.BigEndian.AppendUint64(b, uint64(f.info.ModTime().UnixNano())) //nolint:gosec // it is hashed
	sum := sha256.Sum256(b)
	return binary.BigEndian.Uint64(sum[:])
}

// see notes that a version of a file is there, and says whether it was read.
func (p *wholePosition) see(version uint64, day int64) bool {
	e, known := p.versions[version]
	if known && e.day != day {
		e.day = day
		p.versions[version] = e
	}
	return known
}

func (p *wholePosition) note(version uint64, e wholeEntry) {
	p.versions[version] = e
	p.contents[e.content] = true
}

// forget forgets of the files that weren't seen on a day those that are gone for longest.
func (p *wholePosition) forget(day int64) {
	gone := slices.DeleteFunc(slices.Collect(maps.Keys(p.versions)), func(version uint64) bool { return p.versions[version].day == day })
	if len(gone) <= goneWholes {
		return
	}
	slices.SortFunc(gone, func(a, b uint64) int {
		return cmp.Or(cmp.Compare(p.versions[a].day, p.versions[b].day), cmp.Compare(a, b))
	})
	for _, version := range gone[:len(gone)-goneWholes] {
		delete(p.versions, version)
	}
}

// append appends the stored form.
func (p *wholePosition) append(dst []byte) []byte {
	dst = append(dst, wholeForm)
	for _, version := range slices.Sorted(maps.Keys(p.versions)) {
		e := p.versions[version]
		dst = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(dst, version), e.content)
		dst = binary.AppendVarint(dst, e.day)
	}
	return dst
}

func parseWholePosition(data []byte) (*wholePosition, error) {
	p := &wholePosition{versions: make(map[uint64]wholeEntry), contents: make(map[uint64]bool)}
	if len(data) == 0 {
		return p, nil
	}
	r := pack.Reader{Data: data[1:]}
	for len(r.Data) > 0 {
		version := r.Number(8)
		if e := (wholeEntry{r.Number(8), r.Varint()}); !r.Bad {
			p.note(version, e)
		}
	}
	if r.Bad || data[0] != wholeForm {
		return nil, errFilePosition
	}
	return p, nil
}
