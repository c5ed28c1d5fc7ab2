package counting

import (
	"cmp"
	"slices"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// Keys are the keys whose state a page needs.
type Keys struct {
	IDs []Key
	// Tasks are those that Enqueue and Done of the page name.
	Tasks []TaskKey
	// BadRows are hashes of the rows that were set aside, those of Invalid first.
	BadRows []Hash
}

// Key is the hash of a record or fact, and the buckets in which to look for it.
type Key struct {
	Hash
	// Buckets are looked through in this order; nil is all that aren't forgotten.
	Buckets []int64
}

// TaskKey names a task.
type TaskKey struct{ Kind, Key string }

// Place is where something is remembered.
type Place struct {
	Bucket int64
	Hash   Hash
}

// Known is what the ledger knows of Keys. Decide changes none of it.
type Known struct {
	State State
	// IDs are the states of Keys.IDs, without Data if the key is unknown. A further key of a record
	// has the record's state.
	IDs []Stored
	// Tasks are the tasks that wait or were set aside.
	Tasks map[TaskKey]work.Item
	// DueCalls are the keys of waiting calls, in Tasks, that may be whole after the read that the page
	// ends. Surplus are the ones that count as they are, because too many wait.
	DueCalls []Hash
	// Waiting is the number of calls that wait.
	Waiting int
	Surplus map[Hash]bool
	// BadRows are the hashes of Keys.BadRows that are known.
	BadRows map[Hash]bool
	// Trunks are the numbers of the feed's trunks, from 1; past TrunkLimit they are folded (counting.md 22).
	Trunks     map[string]int64
	TrunkLimit int
}

// Stored is what is remembered of a record or fact, in the forms of row.go.
type Stored struct {
	Place
	Data []byte
}

// entry is a record of the page that is decided.
type entry struct {
	record *cdr.Record
	keys   []Hash // of its id first, then of its other ids
	// hours are the keys of its id with the hour of its start, the hour before and the hour after,
	// in a feed that is read by arrival.
	hours  []Hash
	call   Hash   // the key of its call, before links are followed; 0: it is a call by itself
	names  []Hash // under which its children name it
	body   []byte // the stored form of this version, behind the head
	fields []fieldHash
}

// Keys begins a decision: it reads a page into entries and returns all keys that deciding them needs.
func (d *Decision) Keys(page *Page, settings *Settings, hasher *Hasher) *Keys {
	d.page, d.settings, d.hasher = page, settings, hasher
	d.buckets = d.buckets[:0]
	clear(d.asked)
	clear(d.leads)
	k := &d.needed
	*k = Keys{IDs: k.IDs[:0], Tasks: k.Tasks[:0], BadRows: k.BadRows[:0]}
	d.entries = slices.Grow(d.entries[:0], len(page.Records))[:len(page.Records)]
	for i, r := range page.Records {
		d.readEntry(&d.entries[i], r)
		d.addKeys(&d.entries[i])
	}
	d.ignored = d.ignored[:0]
	for i := range page.Ignored {
		if r := page.Ignored[i].Leg; r != nil && settings.Legs {
			var e entry
			d.readEntry(&e, r)
			d.addKeys(&e)
			d.ignored = append(d.ignored, e)
		}
	}
	for i := range page.Unmapped {
		if u := &page.Unmapped[i]; u.Record != nil {
			d.addKey(hasher.unmapped(u), d.factBuckets(u.Record.Start))
		}
	}
	for _, tasks := range [...][]work.Item{page.Done, page.Enqueue} {
		for i := range tasks {
			k.Tasks = append(k.Tasks, TaskKey{tasks[i].Kind, tasks[i].Key})
		}
	}
	for i := range page.Enqueue {
		if w := &page.Enqueue[i]; d.namesVersion(w) {
			k.IDs = append(k.IDs, Key{Hash: hasher.RecordHash(w.Key)})
		}
	}
	for _, rows := range [...][]BadRow{page.Invalid, page.Ignored} {
		for i := range rows {
			k.BadRows = append(k.BadRows, hasher.keyOf(kindSetAside, string(rows[i].Content)))
		}
	}
	return k
}

// readEntry hashes a record's keys and fields and makes its row, in the memory of an entry of an earlier page.
func (d *Decision) readEntry(e *entry, r *cdr.Record) {
	h := d.hasher
	*e = entry{
		record: r, keys: e.keys[:0], names: e.names[:0], hours: e.hours[:0],
		body: e.body[:0], fields: h.fields(e.fields[:0], r),
	}
	e.keys = append(e.keys, h.RecordKey(r))
	for _, id := range r.AltIDs {
		e.keys = append(e.keys, h.RecordHash(id))
	}
	if r.ID != "" && r.Synthetic != "" {
		e.keys = append(e.keys, h.synthetic(r))
	}
	if d.settings.ByArrival && r.ID != "" {
		for _, apart := range [...]int64{0, -1, 1} {
			e.hours = append(e.hours, h.hourHash(r.ID, HourBucket(r.Start)+apart))
		}
	}
	e.call, e.names = h.CallKeys(e.names, r, &d.settings.Rules)
	for _, name := range e.names {
		if _, is := d.leads[name]; !is && name != e.call {
			d.leads[name] = e.call
		}
	}
	first := rememberedRecordOf(r, e.fields, d.settings.Currency)
	if d.settings.FoundAnywhere() {
		first.start = r.Start.Unix()
	}
	e.body = first.appendBody(e.body)
}

// rememberedRecordOf is what is remembered of a record's first version. A charge is kept with the currency that it was
// counted in.
func rememberedRecordOf(r *cdr.Record, fields []fieldHash, fallback string) rememberedRecord {
	first := rememberedRecord{
		ChargeLabels: facts.LabelsOf(r), outcome: r.Outcome, version: r.Version, schema: fieldSchema, fields: fields,
	}
	for _, c := range r.Charges {
		c.Currency = cmp.Or(c.Currency, fallback)
		first.charges = append(first.charges, c)
	}
	return first
}

// addKeys adds all keys that deciding a record may ask for.
func (d *Decision) addKeys(e *entry) {
	h, r := d.hasher, e.record
	for _, keys := range [...][]Hash{e.keys, e.hours} {
		for _, key := range keys {
			d.addKey(key, d.recordBuckets(r.Start))
		}
	}
	if e.call != 0 {
		d.addCallKey(&d.needed, e.call, r.Start)
		for _, name := range e.names {
			d.addCallKey(&d.needed, name, r.Start)
		}
		if !d.settings.Parents { // else More knows the parents
			d.addCallFactKeys(&d.needed, e, e.call)
		}
	}
	for _, recording := range r.Recordings {
		d.addKey(h.keyOf(kindRecording, recording.ID), d.factBuckets(r.Start))
	}
	for i := range r.Sessions { // they lie where their record does
		d.addKey(h.session(e.keys[0], r.Sessions[i].ID), d.recordBuckets(r.Start))
	}
}

func (d *Decision) addKey(key Hash, buckets []int64) {
	d.needed.IDs = append(d.needed.IDs, Key{key, buckets})
}
