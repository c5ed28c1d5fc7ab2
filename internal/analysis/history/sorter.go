package history

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cdr-exporter/cdr-exporter/internal/analysis/disksort"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/pack"
)

// change is by how much a record changes a series. Changes are written in the order of the first three fields.
type change struct {
	family, series int
	// at is when it is seen, in milliseconds since 1970.
	at int64
	// n is the growth of a counter, or what a histogram observes; money is the growth of a counter of money.
	n     int64
	money cdr.Money
}

// sorter sorts changes on disk.
type sorter struct {
	entries *disksort.Sorter
	err     error // of the first change that couldn't be kept
}

// add adds a change; after an error it does nothing.
func (s *sorter) add(c *change) {
	if s.err == nil {
		s.err = s.entries.Add(c.append(nil))
	}
}

// append appends the stored form, whose bytes are in the order of changes.
func (c *change) append(dst []byte) []byte {
	for _, n := range [...]int64{int64(c.family), int64(c.series), c.at} {
		dst = binary.BigEndian.AppendUint64(dst, uint64(n)) //nolint:gosec // none is below 0
	}
	return pack.AppendText(binary.AppendVarint(dst, c.n), c.money.String())
}

func parseChange(entry []byte) (c change, err error) {
	r := pack.Reader{Data: entry}
	number := func() int64 { return int64(r.Number(8)) } //nolint:gosec // as append wrote it
	c.family, c.series, c.at, c.n = int(number()), int(number()), number(), r.Varint()
	money := r.Text()
	if r.Bad {
		return c, errors.New("a temporary file was changed")
	}
	c.money, err = cdr.ParseMoneySum(money)
	return c, err
}

func (s *sorter) each(ctx context.Context, f func(*change) error) error {
	for entry, err := range s.entries.All() {
		var c change
		if err == nil {
			c, err = parseChange(entry)
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("read changes: %w", err)
		}
		if err := f(&c); err != nil {
			return err
		}
	}
	return nil
}
