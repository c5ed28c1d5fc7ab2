package msgraph

import (
	"fmt"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
)

const (
	// chunkRows is how many rows are handed on at once: a page of Graph's.
	chunkRows = 1000
	// chunkBytes bounds the rows of a batch, which are kept until it is handed on.
	chunkBytes = 8 << 20
)

// batch collects the rows of a page, mapped. Its memory is used again once they were
// handed on.
type batch struct {
	feed   *logFeed
	fields fields
	mapper *mapper
	emit   func(*collector.Batch) error
	// emitErr is what emit returned: it ends the read as it is.
	emitErr error

	page    int
	begins  bool // nothing of the page was handed on yet
	records wire.Records
	invalid []collector.BadRow
	arena   wire.Arena
	bytes   int
}

func newBatch(feed *logFeed, emit func(*collector.Batch) error) *batch {
	b := &batch{feed: feed, emit: emit, mapper: newMapper(feed.countries, feed.emergency)}
	b.fields = fields{properties: newPropertyNames(feed.names), arena: &b.arena}
	return b
}

// add maps a row, which jsontext has validated, and says where it stood. The row's
// memory is the caller's.
func (b *batch) add(row []byte, page, number int) error {
	if b.records.Len()+len(b.invalid) >= chunkRows || b.bytes >= chunkBytes {
		if err := b.flush(false); err != nil {
			return err
		}
	}
	row = b.arena.Copy(row)
	b.bytes += len(row)
	problem := "it is no object"
	if row[0] == '{' {
		problem = b.mapRow(row)
	}
	if problem != "" {
		b.invalid = append(b.invalid, collector.BadRow{
			Content: row, At: fmt.Sprintf("page %d, row %d", page, number), Problem: problem,
		})
	}
	return nil
}

// mapRow maps an object to the next record, or says what is wrong with it.
func (b *batch) mapRow(row []byte) (problem string) {
	r := b.records.Next()
	news := len(b.mapper.unmapped)
	b.fields.parse(row)
	b.feed.mapRow(b.mapper, &b.fields, r)
	if b.fields.problem != "" {
		b.mapper.unmapped = b.mapper.unmapped[:news]
		return b.fields.problem
	}
	b.records.Keep()
	return ""
}

// flush hands on what there is. Last says that nothing follows it in this read.
func (b *batch) flush(last bool) error {
	if b.records.Len()+len(b.invalid) > 0 {
		b.emitErr = b.emit(&collector.Batch{
			Records: b.records.Kept(), Invalid: b.invalid, Unmapped: b.mapper.unmapped,
			Page: b.page, Begins: b.begins, Last: last,
		})
		b.begins = false
	}
	b.reset()
	return b.emitErr
}

// begin begins a page, or begins it again since it broke.
func (b *batch) begin(page int) {
	b.reset()
	b.page, b.begins = page, true
}

// reset forgets what wasn't handed on, as when a page broke.
func (b *batch) reset() {
	b.records.Reset()
	b.bytes = 0
	b.invalid, b.mapper.unmapped, b.fields.ids = b.invalid[:0], b.mapper.unmapped[:0], b.fields.ids[:0]
	b.arena.Reset()
}
