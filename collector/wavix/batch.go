package wavix

import (
	"hash/maphash"
	"slices"
	"strconv"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

const (
	// chunkRows is how many rows are handed on at once.
	chunkRows = 500
	// chunkBytes bounds the rows of a batch, which are kept until it is handed on.
	chunkBytes = 8 << 20
)

// batch collects the rows of an answer, mapped, and hands them on. Its memory is used
// again once they were. It is for one goroutine.
type batch struct {
	fields fields
	mapper mapper
	arena  wire.Arena
	seed   maphash.Seed
	kin    *kin
	twins  *twins

	emit func(*collector.Page) error
	// emitErr is what emit returned: it ends the read as it is.
	emitErr error
	// floor is from when on calls are handed on.
	floor time.Time
	// told takes the keys of rows after they were handed on; nil: they wait for the
	// answer's end.
	told func(keys []uint64) error
	// keys and times are those of the answer's rows, in order.
	keys  []uint64
	times []int64

	kind   string // of the query
	about  string // the query, for positions
	total  int    // of the query when it began, if that was asked for by itself; else -1
	page   int    // of the answer; wholeAnswer if it has none
	number int    // of the answers of a read
	rows   int    // of the answer
	spoilt bool   // the last of them was set aside

	records wire.Records
	out     []*cdr.Record
	invalid []collector.BadRow
	waiting int // rows since the last flush, those that aren't handed on too
	bytes   int // of these
}

func newBatch(countries *cdr.Countries, emergency *cdr.EmergencyNumbers) *batch {
	b := &batch{seed: maphash.MakeSeed(), twins: newTwins()}
	b.kin = newKin(b.hash)
	b.fields = fields{names: newNames(), arena: &b.arena}
	b.mapper = mapper{countries: countries, emergency: emergency, arena: &b.arena}
	return b
}

func (b *batch) hash(text string) uint64 { return maphash.String(b.seed, text) }

// open begins a read.
func (b *batch) open(floor time.Time, emit func(*collector.Page) error) {
	b.reset()
	b.floor, b.emit, b.emitErr, b.number, b.told = floor, emit, nil, 0, nil
}

// query begins a query.
func (b *batch) query(q query) {
	b.kind, b.about, b.twins, b.total = q.Kind, q.Day.Format(time.DateOnly)+" "+q.Kind, newTwins(), -1
}

// begin begins an answer, or begins it again since it broke.
func (b *batch) begin(page, perPage int) {
	b.reset()
	b.twins.begin(page, perPage)
	b.page, b.rows, b.keys, b.times = page, 0, b.keys[:0], b.times[:0]
	b.number++
}

// object adds a row that jsontext has validated. The row's memory is the caller's.
func (b *batch) object(row []byte) error {
	return b.add(row, func(row []byte) string {
		if row[0] != '{' {
			b.fields.begin()
			return "it is no object"
		}
		b.fields.parse(row)
		return ""
	})
}

// add adds a row, which parse reads into the fields, and says what is wrong with it as
// a whole.
func (b *batch) add(row []byte, parse func(row []byte) (problem string)) error {
	if b.waiting >= chunkRows || b.bytes >= chunkBytes {
		if err := b.flush(); err != nil {
			return err
		}
	}
	b.rows++
	b.waiting++
	row = b.arena.Copy(row)
	b.bytes += len(row)
	r, news := b.records.Next(), len(b.mapper.unmapped)
	problem := parse(row)
	if problem == "" {
		b.mapper.mapRow(&b.fields, b.kind, r)
		problem = b.fields.problem
	}
	b.times = append(b.times, unixOf(r.Start))
	if b.spoilt = problem != ""; !b.spoilt {
		b.take(r)
		return nil
	}
	b.mapper.unmapped = b.mapper.unmapped[:news]
	b.setAside(row, problem)
	return nil
}

// setAside keeps a row that can't be read. It is known again by its id, if it has
// anything in that place, since the same row of a page and of a stream may have other
// members in another order; else by its content, and so it is but one if it is there
// several times (counting.md 14).
func (b *batch) setAside(row []byte, problem string) {
	if id := b.fields.anyID(); id != "" {
		row = []byte(b.kind + ":" + id)
	} else {
		row = append([]byte(b.kind+" "), b.fields.sorted(row)...)
	}
	b.twins.named(maphash.Bytes(b.seed, row))
	b.invalid = append(b.invalid, collector.BadRow{Content: row, At: b.position(), Problem: problem})
}

// position is where the present row stood.
func (b *batch) position() string {
	row := ", row " + strconv.Itoa(b.rows)
	if b.page == wholeAnswer {
		return b.about + row
	}
	return b.about + ", page " + strconv.Itoa(b.page) + row
}

// take takes the next record, which is mapped, unless it was handed on before.
func (b *batch) take(r *cdr.Record) {
	b.kin.note(r)
	if r.ID != "" {
		b.twins.named(b.hash(r.ID))
	} else {
		switch b.twins.nameless(b.hash(r.Synthetic)) {
		case known:
			return
		case hold:
			if !r.Start.Before(b.floor) {
				b.twins.keep(cloneRecord(r))
			}
			return
		case handOn:
		}
	}
	if !r.Start.Before(b.floor) {
		b.records.Keep()
	}
}

// unixOf is a start in unix seconds, 0 if there is none.
func unixOf(start time.Time) int64 {
	if start.IsZero() {
		return 0
	}
	return start.Unix()
}

// flush hands on what there is, but for parts of other calls, which wait.
func (b *batch) flush() error {
	b.out = b.out[:0]
	for _, r := range b.records.Kept() {
		if !b.waits(r) {
			b.out = append(b.out, r)
		}
	}
	if err := b.send(&collector.Page{Records: b.out, Invalid: b.invalid, Unmapped: b.mapper.unmapped}); err != nil {
		return err
	}
	b.twins.flushed()
	b.reset()
	if b.told == nil {
		return nil
	}
	b.keys, b.times = b.twins.keys(b.keys[:0]), b.times[:0]
	return b.told(b.keys)
}

// waits says whether a record is a part that waits for its parent. If it isn't, its
// parent has the key that is known so far.
func (b *batch) waits(r *cdr.Record) bool {
	if r.Parent == "" {
		return false
	}
	if b.kin.keep(r) {
		return true
	}
	b.kin.resolve(r)
	return false
}

// send hands a batch on, if it holds anything.
func (b *batch) send(batch *collector.Page) error {
	if len(batch.Records)+len(batch.Invalid)+len(batch.Unmapped) == 0 && !batch.Last {
		return nil
	}
	b.emitErr = b.emit(batch)
	return b.emitErr
}

// info is what an answer that has ended said. Rows that are listed twice in a row are
// one of those that the provider counted where there are more than there can be.
func (b *batch) info(total, perPage int) pageInfo {
	tooMany := perPage > 0 && len(b.keys) > perPage
	if total >= 0 && b.page > 0 {
		tooMany = tooMany || (b.page-1)*perPage+len(b.keys) > total
	}
	if tooMany {
		b.undouble()
	}
	return pageInfo{Total: total, PerPage: perPage, Keys: b.keys, Times: b.times}
}

// undouble drops the keys that are the same as the one before.
func (b *batch) undouble() {
	n := 0
	for i, key := range b.keys {
		if n == 0 || key != b.keys[n-1] {
			b.keys[n], b.times[n] = key, b.times[i]
			n++
		}
	}
	b.keys, b.times = b.keys[:n], b.times[:n]
}

// end ends an answer that was read whole.
func (b *batch) end(total int) error {
	b.twins.end(total)
	if err := b.flush(); err != nil {
		return err
	}
	if b.told == nil {
		b.keys = b.twins.keys(b.keys[:0])
	}
	return nil
}

// settle ends a query: what was kept back of it as a twin is handed on.
func (b *batch) settle() error {
	b.reset()
	return b.sendAll(slices.DeleteFunc(b.twins.settle(), b.waits))
}

// finish hands on the parts of all queries.
func (b *batch) finish() error { return b.sendAll(b.kin.release()) }

func (b *batch) sendAll(records []*cdr.Record) error {
	b.number++
	for chunk := range slices.Chunk(records, chunkRows) {
		if err := b.send(&collector.Page{Records: chunk}); err != nil {
			return err
		}
	}
	return nil
}

// reset forgets what wasn't handed on, as when an answer broke.
func (b *batch) reset() {
	b.records.Reset()
	b.waiting, b.bytes = 0, 0
	b.invalid, b.mapper.unmapped = b.invalid[:0], b.mapper.unmapped[:0]
	b.arena.Reset()
}
