package match

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"hash/maphash"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"

	"github.com/cdr-exporter/cdr-exporter/internal/analysis/disksort"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/pack"
)

// BookSettings say how the records of a book become calls.
type BookSettings struct {
	// Name is the book's in messages.
	Name string
	// Country is the one of numbers without a calling code, ISO 3166-1 alpha-2; empty: such numbers stay as they are.
	Country string
	// Trunk makes it a book of the legs that used a trunk; empty: of calls.
	Trunk string
	// Rules and Currency are the feed's.
	Rules    counting.Rules
	Currency string
	// Folder is for temporary files.
	Folder string
	// Zone, if set, is of times without one, so that an hour of a year is there twice.
	Zone *time.Location
}

// Book is the calls of one side. Its records are told apart, and become calls, by the functions of counting. It isn't
// safe for concurrent use.
type Book struct {
	settings BookSettings
	hasher   counting.Hasher
	numbers  *numbers
	rows     *disksort.Sorter // by call, record, start and order
	calls    *disksort.Sorter // by numbers and start
	order    uint64
	// roots lead from the key of a record to the one of its parent's call, of a feed with Rules.Parents.
	roots map[counting.Hash]counting.Hash
	// first and last are the earliest and the latest start of the rows.
	first, last       time.Time
	durations, prices bool       // there are any
	found, listed     int        // calls in the range, and rows
	parties           [2]masking // of callers and callees
}

// NewBook makes an empty book.
func NewBook(s BookSettings) *Book {
	hasher, err := counting.NewHasher(counting.NewSecret())
	if err != nil {
		panic(err) // it is a secret of ours
	}
	return &Book{
		settings: s, hasher: hasher, numbers: newNumbers(s.Country),
		rows: disksort.New(s.Folder), calls: disksort.New(s.Folder), roots: make(map[counting.Hash]counting.Hash),
	}
}

// Close removes the temporary files.
func (b *Book) Close() error { return errors.Join(b.rows.Close(), b.calls.Close()) }

// row is a version of a record.
type row struct {
	call, record uint64 // keys
	start        time.Time
	order        uint64 // in which it was read
	version      int64
	isLeg        bool
	body         []byte // a Call or, of a leg, the JSON of its record
}

// storedRecords is the form of records that are legs. A provider's text may be of any bytes.
var storedRecords = json.JoinOptions(
	json.OmitZeroStructFields(true), jsonv1.FormatDurationAsNano(true), jsontext.AllowInvalidUTF8(true),
)

// seed is for hashes of one process.
var seed = maphash.MakeSeed()

func hash(texts ...string) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	for _, text := range texts {
		_, _ = h.WriteString(text)
		_ = h.WriteByte(0)
	}
	return h.Sum64()
}

// Add adds a record, of which it keeps a copy. One that isn't final, or without a call, isn't added.
func (b *Book) Add(r *cdr.Record) error {
	if r.Provisional || r.NoCall {
		return nil
	}
	b.order++
	record := b.hasher.RecordKey(r)
	if b.settings.Trunk != "" {
		return b.addLegs(r, record)
	}
	call, names := b.hasher.CallKeys(nil, r, &b.settings.Rules)
	c := b.callOf(r)
	if call == 0 {
		return b.addRow(&row{call: uint64(record), record: uint64(record), version: r.Version, body: c.append(nil)}, &c)
	}
	for _, name := range names {
		if own, root := b.rootOf(name), b.rootOf(call); own != root {
			b.roots[own] = root
		}
	}
	leg := *r
	leg.Extra, leg.Sessions, leg.Streams, leg.Visits = nil, nil, nil, nil
	body, err := json.Marshal(&leg, storedRecords)
	if err != nil {
		return err
	}
	return b.addRow(&row{call: uint64(call), record: uint64(record), version: r.Version, isLeg: true, body: body}, &c)
}

// callOf is the call that a record is.
func (b *Book) callOf(r *cdr.Record) Call {
	return Call{
		ID: r.ID, Start: r.Start, Duration: r.Duration, NoDuration: r.NoDuration, Direction: r.Direction,
		Caller: b.numbers.normal(r.CallerNumber), Callee: b.numbers.normal(r.CalleeNumber),
		Price: priceOf(r.Charges, b.settings.Currency),
	}
}

func (b *Book) rootOf(key counting.Hash) counting.Hash {
	for {
		up, is := b.roots[key]
		if !is {
			return key
		}
		if next, is := b.roots[up]; is {
			b.roots[key] = next
		}
		key = up
	}
}

// addLegs adds the legs of a record that used the trunk. Legs that share a channel are one.
func (b *Book) addLegs(r *cdr.Record, record counting.Hash) error {
	legs := r.Legs
	if len(legs) == 0 {
		legs = []cdr.Leg{r.Leg()}
	}
	c := b.callOf(r)
	for i := range legs {
		l := &legs[i]
		if l.Trunk != b.settings.Trunk || l.Master {
			continue
		}
		key := hash("leg", strconv.FormatUint(uint64(record), 16), cmp.Or(l.ID, strconv.Itoa(i)))
		if l.Channel != "" {
			key = hash("channel", r.CallKey, l.Trunk, l.Channel)
		}
		c.Start, c.Direction = cmp.Or(l.Start, r.Start), l.Direction
		if len(r.Legs) > 0 {
			connected := l.Connected()
			c.Duration, c.NoDuration = connected.To.Sub(connected.From), false
		}
		if err := b.addRow(&row{call: key, record: key, version: r.Version, body: c.append(nil)}, &c); err != nil {
			return err
		}
		c.Price = "" // a leg's own isn't known: the first one has it all
	}
	return nil
}

// addRow adds the row of a call.
func (b *Book) addRow(w *row, c *Call) error {
	if b.listed++; b.first.IsZero() || c.Start.Before(b.first) {
		b.first = c.Start
	}
	if c.Start.After(b.last) {
		b.last = c.Start
	}
	b.parties[0].add(c.Caller)
	b.parties[1].add(c.Callee)
	b.durations, b.prices = b.durations || !c.NoDuration, b.prices || c.Price != ""
	w.start, w.order = c.Start, b.order
	return b.rows.Add(w.append(nil))
}

// sortedStart is a start in an order of bytes.
func sortedStart(dst []byte, at time.Time) []byte {
	return binary.BigEndian.AppendUint64(dst, uint64(at.UnixNano())^1<<63) //nolint:gosec // the order stays
}

func (w *row) append(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(dst, w.call), w.record)
	dst = binary.BigEndian.AppendUint64(sortedStart(dst, w.start), w.order)
	dst = append(binary.AppendVarint(dst, w.version), 0)
	if w.isLeg {
		dst[len(dst)-1] = 1
	}
	return append(dst, w.body...)
}

func parseRow(data []byte) (w row, err error) {
	r := pack.Reader{Data: data}
	w.call, w.record = r.Number(8), r.Number(8)
	w.start = time.Unix(0, int64(r.Number(8)^1<<63)) //nolint:gosec // as sortedStart wrote it
	w.order, w.version, w.isLeg = r.Number(8), r.Varint(), r.Number(1) == 1
	if r.Bad {
		return w, errStored
	}
	w.body = bytes.Clone(r.Data)
	return w, nil
}

// sortByCall sorts the rows once more, now that it is known which call each belongs to.
func (b *Book) sortByCall() error {
	if len(b.roots) == 0 {
		return nil
	}
	again := disksort.New(b.settings.Folder)
	for entry, err := range b.rows.All() {
		if err == nil {
			binary.BigEndian.PutUint64(entry, uint64(b.rootOf(counting.Hash(binary.BigEndian.Uint64(entry)))))
			err = again.Add(entry)
		}
		if err != nil {
			return errors.Join(err, again.Close())
		}
	}
	was := b.rows
	b.rows, b.roots = again, nil
	return was.Close()
}

// makeCalls makes the calls of the rows that start in a range, sorted by what both books know of their numbers.
func (b *Book) makeCalls(from, to time.Time, callers, callees masking) error {
	if err := b.sortByCall(); err != nil {
		return err
	}
	var group []row
	end := func() error {
		all, err := b.callsOf(group)
		for i := range all {
			c := &all[i]
			if err != nil || c.Start.Before(from) || !c.Start.Before(to) {
				continue
			}
			b.found++
			key := binary.BigEndian.AppendUint64(nil, hash(callers.key(c.Caller), callees.key(c.Callee)))
			err = b.calls.Add(c.append(sortedStart(key, c.Start)))
		}
		group = group[:0]
		return err
	}
	for entry, err := range b.rows.All() {
		if err != nil {
			return err
		}
		w, err := parseRow(entry)
		if err == nil && len(group) > 0 && (group[0].call != w.call || len(group) >= counting.MostLegs) {
			err = end()
		}
		if err != nil {
			return err
		}
		n := len(group)
		switch {
		case n == 0 || group[n-1].record != w.record,
			b.settings.Rules.ByArrival && w.start.Sub(group[n-1].start) > counting.SameCall:
			group = append(group, w)
		case cmp.Or(cmp.Compare(w.version, group[n-1].version), cmp.Compare(w.order, group[n-1].order)) > 0:
			group[n-1] = w
		}
	}
	return end()
}

// callsOf are the calls of rows that belong together.
func (b *Book) callsOf(group []row) (all []Call, err error) {
	var legs []*cdr.Record
	for i := range group {
		if group[i].isLeg {
			r := new(cdr.Record)
			if err := json.Unmarshal(group[i].body, r, storedRecords); err != nil {
				return nil, errStored
			}
			legs = append(legs, r)
			continue
		}
		c, _, err := parseCall(group[i].body)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	for _, r := range counting.MakeCalls(legs) {
		all = append(all, b.callOf(r))
	}
	return all, nil
}
