package counting

import (
	"cmp"
	"slices"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// Keys are what a page needs to know.
type Keys struct {
	IDs []Key
	// Tasks are those that Enqueue and Done of the page name.
	Tasks []TaskKey
	// BadRows are hashes of the rows that were set aside, those of Invalid first.
	BadRows []Hash
}

// Key is what a record or fact is known by, and where that is looked for.
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
	// IDs are what is known by each of Keys.IDs; nothing has no Data. Of a further key of a record it is the record's.
	IDs []Stored
	// Tasks are those that wait or were set aside.
	Tasks map[TaskKey]Task
	// BadRows are the hashes of Keys.BadRows that are known.
	BadRows map[Hash]bool
	// Trunks are the numbers of the feed's trunks, from 1; past TrunkLimit they are folded (counting.md 22).
	Trunks     map[string]int64
	TrunkLimit int
	// Now is the second of the local clock since 1970, by which trailing windows go.
	Now int64
}

// Stored is what is remembered of a record or fact, in the forms of row.go.
type Stored struct {
	Place
	Data []byte
}

// entry is a record of the page that is decided.
type entry struct {
	record     *cdr.Record
	keys       []Hash // its own first, then those of its other ids
	group      Hash   // if the record has a group
	parent     Hash   // if it is a child
	bucket     int64  // where it is remembered if it is new
	body       []byte // the stored form of this version, behind the head
	fields     []fieldHash
	extraNames []string // the names of the provider's own fields, the last of fields
}

// Keys begins a decision: it reads a page into entries and returns all keys that deciding them needs.
func (d *Decision) Keys(page *Page, settings *Settings, hasher *Hasher) *Keys {
	d.page, d.settings, d.hasher = page, settings, hasher
	d.related = false
	d.entries, d.keys, d.buckets, d.arena, d.fields, d.extraNames = d.entries[:0], d.keys[:0], d.buckets[:0], d.arena[:0], d.fields[:0], d.extraNames[:0]
	k := &d.needed
	*k = Keys{IDs: k.IDs[:0], Tasks: k.Tasks[:0], BadRows: k.BadRows[:0]}
	for _, r := range page.Records {
		d.entries = append(d.entries, d.newEntry(r))
		d.addKeys(&d.entries[len(d.entries)-1])
	}
	for _, tasks := range [...][]Task{page.Done, page.Enqueue} {
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
			k.BadRows = append(k.BadRows, hasher.factKey(kindSetAside, string(rows[i].Content)))
		}
	}
	return k
}

// newEntry hashes a record's keys and fields and makes its row.
func (d *Decision) newEntry(r *cdr.Record) entry {
	h := d.hasher
	e := entry{record: r, bucket: d.bucketFor(r.Start)}
	at := len(d.keys)
	if r.ID != "" {
		d.keys = append(d.keys, h.RecordHash(r.ID))
	} else {
		d.keys = append(d.keys, h.synthetic(r))
	}
	for _, id := range r.AltIDs {
		d.keys = append(d.keys, h.RecordHash(id))
	}
	if r.ID != "" && r.Synthetic != "" {
		d.keys = append(d.keys, h.synthetic(r))
	}
	e.keys = d.keys[at:len(d.keys):len(d.keys)]
	if r.Group != "" {
		e.group, d.related = h.factKey(kindGroup, r.Group), true
	}
	if d.settings.Parents && r.Parent != "" {
		if parent := h.RecordHash(r.Parent); !slices.Contains(e.keys, parent) {
			e.parent, d.related = parent, true
		}
	}
	at = len(d.fields)
	d.fields = h.fields(d.fields, r)
	e.fields = d.fields[at:len(d.fields):len(d.fields)]
	at = len(d.extraNames)
	for i := range r.Extra {
		d.extraNames = append(d.extraNames, r.Extra[i].Key)
	}
	e.extraNames = d.extraNames[at:len(d.extraNames):len(d.extraNames)]
	k := knownOf(r, e.fields, d.settings.Currency)
	at = len(d.arena)
	d.arena = k.appendBody(d.arena)
	e.body = d.arena[at:len(d.arena):len(d.arena)]
	return e
}

// knownOf is what is remembered of a record's first version. A charge is kept with the currency that it was counted in.
func knownOf(r *cdr.Record, fields []fieldHash, fallback string) known {
	k := known{
		ChargeLabels: metrics.ChargeLabels{Direction: r.Direction, CallType: r.CallType, Country: r.Country},
		outcome:      r.Outcome, version: r.Version, schema: fieldSchema, fields: fields,
	}
	for _, c := range r.Charges {
		c.Currency = cmp.Or(c.Currency, fallback)
		k.charges = append(k.charges, c)
	}
	return k
}

// addKeys adds all keys that deciding a record may ask for.
func (d *Decision) addKeys(e *entry) {
	h, r := d.hasher, e.record
	for _, key := range e.keys {
		d.addKey(key, d.recordBuckets(r.Start))
	}
	if r.Group != "" {
		d.addKey(e.group, d.factBuckets(r.Start))
	}
	for _, recording := range r.Recordings {
		d.addKey(h.factKey(kindRecording, recording.ID), d.factBuckets(r.Start))
	}
	for _, key := range e.keys {
		for i := range r.Sessions { // they lie where their record does
			d.addKey(h.session(key, r.Sessions[i].ID), d.recordBuckets(r.Start))
		}
	}
	if d.settings.Parents && !r.Outcome.Connected() {
		if e.parent != 0 {
			d.addKey(e.parent, d.parentBuckets(e))
			d.addKey(h.factKey(kindChild, r.Parent), d.factBuckets(r.Start))
		}
		for _, id := range recordIDs(r) {
			d.addKey(h.factKey(kindChild, id), d.factBuckets(r.Start))
		}
	}
}

func (d *Decision) addKey(key Hash, buckets []int64) {
	d.needed.IDs = append(d.needed.IDs, Key{key, buckets})
}

// recordIDs are the ids that a child may name a record by.
func recordIDs(r *cdr.Record) []string {
	if r.ID == "" {
		return r.AltIDs
	}
	return append([]string{r.ID}, r.AltIDs...)
}
