package ringcentral

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
)

const (
	// chunkRows is how many rows are handed on at once: a page of RingCentral's.
	chunkRows = perPage
	// chunkBytes bounds the rows of a batch, as they were written.
	chunkBytes = 32 << 20
)

// The bounds of an answer that can't be handed on in pieces: RingCentral speaks of a
// thousand rows, and some more.
const (
	maxWholeRows  = 20_000
	maxWholeBytes = 128 << 20
)

// errTooManyRows ends an answer that can't be what it is taken for.
var errTooManyRows = errors.New("the answer has more rows than can be held")

// batch collects the rows of a page, mapped. Its memory is used again once they were
// handed on.
type batch struct {
	mapper *mapper
	// emit is nil for an answer that is handed on as a whole, by take.
	emit func(*collector.Batch) error
	// emitErr is what emit returned: it ends the read as it is.
	emitErr error

	page             int
	begins           bool // nothing of the page was handed on yet
	row              row
	records          wire.Records
	invalid, ignored []collector.BadRow
	bytes            int
}

func newBatch(m *mapper, emit func(*collector.Batch) error) *batch {
	return &batch{mapper: m, emit: emit}
}

// begin implements rowTaker. A page may begin again since it broke.
func (b *batch) begin(page int) {
	b.reset()
	b.page, b.begins = page, true
}

// add implements rowTaker: it maps a row, and says where it stood. The row's memory is
// the caller's.
func (b *batch) add(value jsontext.Value, number int) error {
	if err := b.makeRoom(); err != nil {
		return err
	}
	b.bytes += len(value)
	news := len(b.mapper.unmapped)
	problem, ignored := decodeRow(value, &b.row), ""
	if problem == "" {
		ignored = b.mapper.ignored(&b.row)
	}
	if problem == "" && ignored == "" {
		r := b.records.Next()
		if problem = b.mapper.mapRow(&b.row, r); problem == "" {
			b.records.Keep()
			return nil
		}
		b.mapper.unmapped = b.mapper.unmapped[:news]
	}
	bad := collector.BadRow{Content: bytes.Clone(value), At: fmt.Sprintf("page %d, row %d", b.page, number), Problem: problem}
	if problem == "" {
		bad.Problem = ignored
		b.ignored = append(b.ignored, bad)
	} else {
		b.invalid = append(b.invalid, bad)
	}
	return nil
}

// makeRoom hands on what there is once it is much.
func (b *batch) makeRoom() error {
	rows := b.records.Len() + len(b.invalid) + len(b.ignored)
	switch {
	case b.emit == nil && (rows >= maxWholeRows || b.bytes >= maxWholeBytes):
		return errTooManyRows
	case b.emit != nil && (rows >= chunkRows || b.bytes >= chunkBytes):
		return b.flush(false)
	}
	return nil
}

// take is what there is. Last says that nothing follows it in this read.
func (b *batch) take(last bool) *collector.Batch {
	return &collector.Batch{
		Records: b.records.Kept(), Invalid: b.invalid, Ignored: b.ignored, Unmapped: b.mapper.unmapped,
		Page: b.page, Begins: b.begins, Last: last,
	}
}

// flush hands on what there is.
func (b *batch) flush(last bool) error {
	if b.records.Len()+len(b.invalid)+len(b.ignored)+len(b.mapper.unmapped) > 0 {
		b.emitErr = b.emit(b.take(last))
		b.begins = false
	}
	b.reset()
	return b.emitErr
}

// reset forgets what wasn't handed on, as when a page broke.
func (b *batch) reset() {
	b.records.Reset()
	b.bytes = 0
	b.invalid, b.ignored, b.mapper.unmapped = b.invalid[:0], b.ignored[:0], b.mapper.unmapped[:0]
}
