// Package position stores positions of streams as records of a fixed size behind a byte that names
// their form.
package position

import (
	"encoding/binary"

	"github.com/cdr-exporter/cdr-exporter/collector/advice"
)

// Append appends the stored form of records, which have a fixed size.
func Append[T any](dst []byte, form byte, records []T) []byte {
	dst, _ = binary.Append(append(dst, form), binary.BigEndian, records) // it fails for what has no fixed size
	return dst
}

// Parse reads records; of no data there are none.
func Parse[T any](data []byte, form byte) (records []T, err error) {
	if len(data) == 0 {
		return nil, nil
	}
	records = make([]T, (len(data)-1)/binary.Size(*new(T)))
	if n, err := binary.Decode(data[1:], binary.BigEndian, records); err != nil || n < len(data)-1 || data[0] != form {
		return nil, ErrDamaged
	}
	return records, nil
}

// ErrDamaged is a stored position that this program didn't write.
var ErrDamaged = &advice.Error{
	What: "the stored position of the feed is damaged, or was written by another version of the program",
	Todo: "go on with the version that wrote it, restore a backup of the ledger, or move the ledger away and " +
		"start anew (docs/ledger.md)",
}
