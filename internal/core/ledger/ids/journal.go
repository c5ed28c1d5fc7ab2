package ids

import (
	"encoding/binary"
	"maps"
	"slices"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/pack"
)

// journal is what commits brought to remember that isn't in blocks yet.
type journal struct {
	// places are, by bucket and key, where the state's length prefix begins in arena.
	places map[int64]map[counting.Hash]int
	arena  []byte
	rows   int
}

func (j *journal) clear() {
	*j = journal{places: make(map[int64]map[counting.Hash]int), arena: j.arena[:0]}
}

func appendToJournal(dst []byte, s *counting.Stored) []byte {
	dst = binary.AppendVarint(dst, s.Bucket)
	dst = binary.BigEndian.AppendUint64(dst, uint64(s.Hash))
	return pack.AppendText(dst, s.Data)
}

// add adds a row, which is durable; an empty one is none.
func (j *journal) add(row []byte) error {
	if len(row) > 0 {
		j.rows++
	}
	r := pack.Reader{Data: row}
	for len(r.Data) > 0 {
		bucket, key := r.Varint(), r.Number(8)
		data := r.Bytes(r.Uvarint())
		if j.places[bucket] == nil {
			j.places[bucket] = make(map[counting.Hash]int)
		}
		j.places[bucket][counting.Hash(key)] = len(j.arena)
		j.arena = pack.AppendText(j.arena, data)
	}
	if r.Bad {
		return counting.ErrRow
	}
	return nil
}

// bucket is what the journal has of a bucket, in order of the keys.
func (j *journal) bucket(bucket int64) (all []counting.Stored) {
	places := j.places[bucket]
	all = make([]counting.Stored, 0, len(places))
	for _, key := range slices.Sorted(maps.Keys(places)) {
		all = append(all,
			counting.Stored{Place: counting.Place{Bucket: bucket, Hash: key}, Data: textAt(j.arena, places[key])})
	}
	return all
}

// textAt is what pack.AppendText has appended at an offset.
func textAt(data []byte, at int) []byte {
	size, n := binary.Uvarint(data[at:])
	at += n
	return data[at : at+int(size) : at+int(size)]
}
