package declared

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/pack"
)

// beforeFirst is the key before the first row, so that a row 0 is read.
const beforeFirst = -1

// sqlPosition is how far a table was read. Its marks say when: a row is asked for again only for its lookback, since the ledger forgets some days
// later that it was counted, and a table with few rows has the same ones among its last for weeks.
type sqlPosition struct {
	reached int64 // the highest key
	marks   []sqlMark
}

// sqlMark says that by an instant all rows up to a key had been read.
type sqlMark struct {
	at  int64 // Unix time
	key int64
}

// after is the key behind which rows are asked for: the last keys of the overlap again, but none that was read before an instant.
func (p *sqlPosition) after(overlap int64, readBefore time.Time) int64 {
	after := p.reached - overlap
	for _, m := range p.marks {
		if m.at <= readBefore.Unix() {
			after = max(after, m.key)
		}
	}
	return max(after, beforeFirst)
}

// reach notes that all rows up to a key have been read now. Marks stand an eighth of the lookback apart, so there are few of them.
func (p *sqlPosition) reach(key int64, now time.Time, lookback time.Duration) {
	if key <= p.reached {
		return
	}
	p.reached = key
	n := len(p.marks)
	if n >= 2 && time.Duration(now.Unix()-p.marks[n-2].at)*time.Second < lookback/8 {
		p.marks = p.marks[:n-1]
	}
	p.marks = append(p.marks, sqlMark{now.Unix(), key})
	for len(p.marks) >= 2 && p.marks[1].at <= now.Add(-lookback).Unix() {
		p.marks = p.marks[1:] // the next one says more
	}
}

func (p *sqlPosition) encode() []byte {
	data := binary.AppendVarint(nil, p.reached)
	for _, m := range p.marks {
		data = binary.AppendVarint(binary.AppendVarint(data, m.at), m.key)
	}
	return data
}

func decodeSQLPosition(data []byte) (p sqlPosition, err error) {
	p.reached = beforeFirst
	if len(data) == 0 {
		return p, nil
	}
	r := pack.Reader{Data: data}
	for p.reached = r.Varint(); len(r.Data) > 0; {
		p.marks = append(p.marks, sqlMark{r.Varint(), r.Varint()})
	}
	if r.Bad {
		err = errors.New("the position in the table can't be read")
	}
	return p, err
}
