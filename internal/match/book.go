package match

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"hash/maphash"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"

	"github.com/cdr-exporter/cdr-exporter/internal/calls"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/counting"
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

// Book is the calls of one side. It isn't safe for concurrent use.
type Book struct {
	settings BookSettings
	numbers  *numbers
	rows     *sorter // by call, record, start and order
	calls    *sorter // by numbers and start
	order    uint64
	// roots lead from the key of a record to the one of its parent's call, of a feed with Rules.Parents.
	roots map[uint64]uint64
	// first and last are the earliest and the latest start of the rows.
	first, last       time.Time
	durations, prices bool       // there are any
	found, listed     int        // calls in the range, and rows
	parties           [2]masking // of callers and callees
}

// NewBook makes an empty book.
func NewBook(s BookSettings) *Book {
	return &Book{settings: s, numbers: newNumbers(s.Country), rows: &sorter{folder: s.Folder}, calls: &sorter{folder: s.Folder}, roots: make(map[uint64]uint64)}
}

// Close removes the temporary files.
func (b *Book) Close() error { return errors.Join(b.rows.close(), b.calls.close()) }

// row is a version of a record, or of a leg.
type row struct {
	Call

	call, record uint64 // hashes of what it is known by
	version      int64
	order        uint64 // in which it was read
	leg          []byte // JSON of its legs, where legs make a call
}

// storedLegs is the form of legs. A provider's text may be of any bytes.
var storedLegs = json.JoinOptions(json.OmitZeroStructFields(true), jsonv1.FormatDurationAsNano(true), jsontext.AllowInvalidUTF8(true))

// seed is for hashes of one process.
var seed = maphash.MakeSeed()

func hash(kind byte, texts ...string) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	_ = h.WriteByte(kind)
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
	id := r.ID
	if id == "" && r.Synthetic != "" {
		id = "\x00" + r.Synthetic + "\x00" + strconv.Itoa(r.Twin)
	} else if id == "" {
		id = "\x00" + strconv.FormatUint(b.order, 10)
	}
	record := hash('r', id)
	w := row{
		Call: Call{
			ID: r.ID, Start: r.Start, Duration: r.Duration, NoDuration: r.NoDuration, Direction: r.Direction,
			Caller: b.numbers.normal(r.CallerNumber), Callee: b.numbers.normal(r.CalleeNumber), Price: priceOf(r.Charges, b.settings.Currency),
		},
		call: record, record: record, version: r.Version,
	}
	if b.settings.Trunk != "" {
		return b.addLegs(r, &w)
	}
	if rules := b.settings.Rules; rules.Legs && (rules.Parents || r.CallKey != "") {
		legs := slices.Clone(r.Legs)
		if len(legs) == 0 {
			legs = []cdr.Leg{r.Leg()}
		}
		for i := range legs {
			legs[i].ID = cmp.Or(legs[i].ID, id+"/"+strconv.Itoa(i))
		}
		var err error
		if w.leg, err = json.Marshal(legs, storedLegs); err != nil {
			return err
		}
		w.call = b.bindCall(r, record)
	}
	return b.addRow(&w)
}

// bindCall is the key of the call that a record is a leg of, as the ledger finds it (counting.md, "Calls").
func (b *Book) bindCall(r *cdr.Record, record uint64) uint64 {
	key := uint64(0)
	if r.CallKey != "" {
		key = hash('k', r.CallKey)
	}
	if !b.settings.Rules.Parents {
		return cmp.Or(key, record)
	}
	ids := r.AltIDs
	if r.ID != "" {
		ids = append([]string{r.ID}, ids...)
	}
	var names []uint64
	if key != 0 {
		names = append(names, key)
	}
	for _, id := range ids {
		names = append(names, hash('i', id))
	}
	if r.Parent != "" && !slices.Contains(ids, r.Parent) {
		key = hash('i', r.Parent)
	} else if key == 0 && len(names) > 0 {
		key = names[0]
	}
	if key == 0 {
		return record
	}
	for _, name := range names {
		if own, root := b.rootOf(name), b.rootOf(key); own != root {
			b.roots[own] = root
		}
	}
	return key
}

func (b *Book) rootOf(key uint64) uint64 {
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
func (b *Book) addLegs(r *cdr.Record, w *row) error {
	legs := r.Legs
	if len(legs) == 0 {
		legs = []cdr.Leg{r.Leg()}
	}
	price := w.Price // a leg's own isn't known: the first one has it all
	for i := range legs {
		l, part := &legs[i], *w
		if l.Trunk != b.settings.Trunk || l.Master {
			continue
		}
		part.record = hash('l', strconv.FormatUint(w.record, 16), cmp.Or(l.ID, strconv.Itoa(i)))
		if l.Channel != "" {
			part.record = hash('c', r.CallKey, l.Trunk, l.Channel)
		}
		part.call = part.record
		part.Start, part.Direction = cmp.Or(l.Start, r.Start), l.Direction
		if len(r.Legs) > 0 {
			connected := l.Connected()
			part.Duration, part.NoDuration = connected.To.Sub(connected.From), false
		}
		part.Price, price = price, ""
		if err := b.addRow(&part); err != nil {
			return err
		}
	}
	return nil
}

func (b *Book) addRow(w *row) error {
	if b.listed++; b.first.IsZero() || w.Start.Before(b.first) {
		b.first = w.Start
	}
	if w.Start.After(b.last) {
		b.last = w.Start
	}
	b.parties[0].add(w.Caller)
	b.parties[1].add(w.Callee)
	b.durations, b.prices = b.durations || !w.NoDuration, b.prices || w.Price != ""
	w.order = b.order
	return b.rows.add(w.append(nil))
}

// sortedStart is a start in an order of bytes.
func sortedStart(dst []byte, at time.Time) []byte {
	return binary.BigEndian.AppendUint64(dst, uint64(at.UnixNano())^1<<63) //nolint:gosec // the order stays
}

func (w *row) append(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint64(dst, w.call)
	dst = binary.BigEndian.AppendUint64(dst, w.record)
	dst = sortedStart(dst, w.Start)
	dst = binary.BigEndian.AppendUint64(dst, w.order)
	dst = binary.AppendVarint(dst, w.version)
	return append(w.Call.append(dst), w.leg...)
}

func parseRow(data []byte) (w row, err error) {
	const head = 4 * 8
	if len(data) < head {
		return w, errStored
	}
	w.call, w.record = binary.BigEndian.Uint64(data), binary.BigEndian.Uint64(data[8:])
	version, size := binary.Varint(data[head:])
	if size <= 0 {
		return w, errStored
	}
	w.version, w.order = version, binary.BigEndian.Uint64(data[3*8:])
	w.Call, w.leg, err = parseCall(data[head+size:])
	w.leg = bytes.Clone(w.leg) // empty: none
	return w, err
}

// sortByCall sorts the rows once more, now that it is known which call each belongs to.
func (b *Book) sortByCall() error {
	if len(b.roots) == 0 {
		return nil
	}
	again := &sorter{folder: b.settings.Folder}
	for entry, err := range b.rows.all() {
		if err != nil {
			return errors.Join(err, again.close())
		}
		binary.BigEndian.PutUint64(entry, b.rootOf(binary.BigEndian.Uint64(entry)))
		if err := again.add(entry); err != nil {
			return errors.Join(err, again.close())
		}
	}
	was := b.rows
	b.rows, b.roots = again, nil
	return was.close()
}

// makeCalls makes the calls of the rows that start in a range, sorted by what both books know of their numbers.
func (b *Book) makeCalls(from, to time.Time, callers, callees masking) error {
	if err := b.sortByCall(); err != nil {
		return err
	}
	var group []row
	end := func() error {
		for _, c := range b.callsOf(group) {
			if c.Start.Before(from) || !c.Start.Before(to) {
				continue
			}
			key := binary.BigEndian.AppendUint64(nil, hash('n', callers.key(c.Caller), callees.key(c.Callee)))
			if err := b.calls.add(c.append(sortedStart(key, c.Start))); err != nil {
				return err
			}
			b.found++
		}
		group = group[:0]
		return nil
	}
	for entry, err := range b.rows.all() {
		if err != nil {
			return err
		}
		w, err := parseRow(entry)
		if err != nil {
			return err
		}
		if len(group) > 0 && (group[0].call != w.call || len(group) >= counting.MostLegs) {
			if err := end(); err != nil {
				return err
			}
		}
		n := len(group)
		switch {
		case n == 0 || group[n-1].record != w.record,
			b.settings.Rules.ByArrival && w.Start.Sub(group[n-1].Start) > counting.SameCall: // counting.md 38
			group = append(group, w)
		case cmp.Or(cmp.Compare(w.version, group[n-1].version), cmp.Compare(w.order, group[n-1].order)) > 0:
			group[n-1] = w
		}
	}
	return end()
}

// callsOf are the calls of rows that belong together.
func (b *Book) callsOf(group []row) (all []Call) {
	var legs []row
	for i := range group {
		if len(group[i].leg) == 0 {
			all = append(all, group[i].Call)
		} else {
			legs = append(legs, group[i])
		}
	}
	slices.SortStableFunc(legs, func(a, b row) int { return a.Start.Compare(b.Start) })
	for len(legs) > 0 {
		n := 1
		for n < len(legs) && legs[n].Start.Sub(legs[0].Start) <= calls.Longest {
			n++
		}
		all = append(all, callOf(legs[:n]))
		legs = legs[n:]
	}
	return all
}

// callOf makes a call of its legs, as the ledger does (internal/counting).
func callOf(rows []row) Call {
	var flat []cdr.Leg
	var owner []int
	sums := make(map[string]cdr.Money)
	for i := range rows {
		var legs []cdr.Leg
		if err := json.Unmarshal(rows[i].leg, &legs, storedLegs); err != nil {
			continue // Add wrote it
		}
		for range legs {
			owner = append(owner, i)
		}
		flat = append(flat, legs...)
		addPrice(sums, rows[i].Price)
	}
	if len(flat) == 0 {
		return rows[0].Call
	}
	made := calls.Of(flat)
	c := rows[owner[made.Origin]].Call
	c.Start, c.Direction, c.Price = made.Start, made.Direction, priceText(sums)
	connected := calls.Length(made.Connected)
	switch {
	case len(flat) > 1:
		c.Duration, c.NoDuration = connected, len(made.Connected) == 0
		if made.Outcome == cdr.Answered {
			c.Duration = calls.Length(made.Talk)
		}
	case c.NoDuration && connected > 0:
		c.Duration, c.NoDuration = connected, false
	}
	return c
}
