package match

import (
	"cmp"
	"encoding/binary"
	"errors"
	"hash/maphash"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cdr-exporter/cdr-exporter/internal/analysis/disksort"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
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
	// OpenSince: records that start since then may still become final; earlier ones count as they are (counting.md 17).
	OpenSince time.Time
}

// Book is the calls of one side. Its records are told apart, and become calls, by the functions of counting. It isn't
// safe for concurrent use.
type Book struct {
	settings BookSettings
	hasher   counting.Hasher
	numbers  *numbers
	rows     *disksort.Sorter // by call, record, start and order
	order    uint64           // in which records are read
	// roots lead from the key of a record to the one of its parent's call, of a feed with Rules.Parents.
	roots map[counting.Hash]counting.Hash
	// first and last are the earliest and the latest start of the rows.
	first, last       time.Time
	durations, prices bool     // there are any
	parties           [2]party // callers and callees
}

// NewBook makes an empty book.
func NewBook(s BookSettings) *Book {
	hasher, err := counting.NewHasher(counting.NewSecret())
	if err != nil {
		panic(err) // it is a secret of ours
	}
	return &Book{
		settings: s, hasher: hasher, numbers: newNumbers(s.Country), parties: [2]party{newParty(), newParty()},
		rows: disksort.New(s.Folder), roots: make(map[counting.Hash]counting.Hash),
	}
}

// Close removes the temporary files.
func (b *Book) Close() error { return b.rows.Close() }

// seed is for hashes of one process.
var seed = maphash.MakeSeed()

// Add adds a record, of which it keeps a copy. One that may still become final, or without a call, isn't added.
func (b *Book) Add(r *cdr.Record) error {
	if r.NoCall || r.Provisional && !r.Start.Before(b.settings.OpenSince) {
		return nil
	}
	b.order++
	record := b.hasher.RecordKey(r)
	if b.settings.Trunk != "" {
		return b.addLegs(r, uint64(record))
	}
	b.prices = b.prices || len(r.Charges) > 0 // zero is a price
	e := entry{Call: b.callOf(r), version: r.Version}
	call, names := b.hasher.CallKeys(nil, r, &b.settings.Rules)
	if call == 0 {
		return b.addRow(uint64(record), uint64(record), &e)
	}
	for _, name := range names {
		if own, root := b.rootOf(name), b.rootOf(call); own != root {
			b.roots[own] = root
		}
	}
	if err := e.setLeg(r); err != nil {
		return err
	}
	return b.addRow(uint64(call), uint64(record), &e)
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
	for up, is := b.roots[key]; is; up, is = b.roots[key] {
		if next, is := b.roots[up]; is {
			b.roots[key] = next
		}
		key = up
	}
	return key
}

// addLegs adds the legs of a record that used the trunk. Legs of a call that share a channel are one.
func (b *Book) addLegs(r *cdr.Record, record uint64) error {
	legs, e := r.CallLegs(), entry{Call: b.callOf(r), version: r.Version}
	call, _ := b.hasher.CallKeys(nil, r, &b.settings.Rules)
	own := *r
	for i := range legs {
		l := &legs[i]
		if l.Trunk != b.settings.Trunk || l.Master {
			continue
		}
		b.prices = b.prices || len(r.Charges) > 0
		key := maphash.Comparable(seed, [...]string{strconv.FormatUint(record, 16), cmp.Or(l.ID, strconv.Itoa(i))})
		e.Start, e.Direction = cmp.Or(l.Start, r.Start), l.Direction
		if len(r.Legs) > 0 || l.Implied {
			connected := l.Connected()
			e.Duration, e.NoDuration = connected.To.Sub(connected.From), false
		}
		of := key
		if e.leg = ""; l.Channel != "" && call != 0 {
			of = maphash.Comparable(seed, [...]string{strconv.FormatUint(uint64(call), 16), l.Trunk, l.Channel})
			own.Start, own.Direction, own.Legs, own.Second = e.Start, e.Direction, []cdr.Leg{*l}, nil
			own.Legs[0].Implied = false
			if err := e.setLeg(&own); err != nil {
				return err
			}
		}
		if err := b.addRow(of, key, &e); err != nil {
			return err
		}
		e.Price, own.Charges = "", nil // a leg's own isn't known: the first one has it all
	}
	return nil
}

// addRow adds a version of a record.
func (b *Book) addRow(call, record uint64, e *entry) error {
	if b.first.IsZero() || e.Start.Before(b.first) {
		b.first = e.Start
	}
	if e.Start.After(b.last) {
		b.last = e.Start
	}
	b.parties[0].add(e.Caller)
	b.parties[1].add(e.Callee)
	b.durations = b.durations || !e.NoDuration
	return e.add(b.rows, call, record, timeKey(e.Start), b.order)
}

// setLeg keeps a record that makes a call together with others.
func (e *entry) setLeg(r *cdr.Record) error {
	leg := *r
	leg.Extra, leg.Sessions, leg.Streams, leg.Visits = nil, nil, nil, nil
	text, err := json.Marshal(&leg, counting.StoredRecord)
	e.leg = string(text)
	return err
}

// makeCalls passes on the calls that start in a range.
func (b *Book) makeCalls(from, to time.Time, use func(*Call) error) (err error) {
	rows := b.rows
	if len(b.roots) > 0 { // now it is known which call each row belongs to
		rows = disksort.New(b.settings.Folder)
		defer func() { err = errors.Join(err, rows.Close()) }()
		for row, err := range b.rows.All() {
			if err == nil {
				binary.BigEndian.PutUint64(row, uint64(b.rootOf(counting.Hash(binary.BigEndian.Uint64(row)))))
				err = rows.Add(row)
			}
			if err != nil {
				return err
			}
		}
	}
	var group []entry // the rows of one call, the newest of each record
	var ofCall, ofRecord, ofOrder uint64
	for row, err := range rows.All() {
		if err != nil {
			return err
		}
		var call, record, start, order uint64
		e, err := parseEntry(row, &call, &record, &start, &order)
		if err == nil && len(group) > 0 && (call != ofCall || len(group) >= counting.MostLegs) {
			err = b.makeCall(group, from, to, use)
			group = group[:0]
		}
		if err != nil {
			return err
		}
		n := len(group) - 1
		switch {
		case n < 0 || record != ofRecord, b.settings.Rules.ByArrival && e.Start.Sub(group[n].Start) > counting.SameCall:
			group = append(group, e)
		case cmp.Or(cmp.Compare(e.version, group[n].version), cmp.Compare(order, ofOrder)) > 0:
			group[n] = e
		default:
			continue
		}
		ofCall, ofRecord, ofOrder = call, record, order
	}
	return b.makeCall(group, from, to, use)
}

// makeCall passes on the calls of rows that belong together, if they start in a range.
func (b *Book) makeCall(group []entry, from, to time.Time, use func(*Call) error) error {
	var legs []*cdr.Record
	add := func(c *Call) error {
		if c.Start.Before(from) || !c.Start.Before(to) {
			return nil
		}
		return use(c)
	}
	for i := range group {
		if e := &group[i]; e.leg == "" || b.settings.Trunk != "" && len(group) == 1 {
			if err := add(&e.Call); err != nil {
				return err
			}
			continue
		}
		r := new(cdr.Record)
		if err := json.Unmarshal([]byte(group[i].leg), r, counting.StoredRecord); err != nil {
			return errStored
		}
		legs = append(legs, r)
	}
	for _, r := range counting.MakeCalls(legs) {
		c := b.callOf(r)
		if err := add(&c); err != nil {
			return err
		}
	}
	return nil
}
