package ledger

import (
	"bytes"
	"cmp"
	"database/sql"
	"encoding/binary"
	"math"
	"slices"
	"time"
)

// lookupState is what is known of the page's records, and the memory to find it.
type lookupState struct {
	// states is what is known, by every key under which it is.
	states map[hash]*state
	spare  []*state // the first used are in states
	used   int

	wanted  []wanted
	aliases []foundAlias
	args    []any
	buckets []int64 // of a feed without hours: those that aren't forgotten
}

// wanted is one key to look for in one bucket.
type wanted struct {
	hour int64
	hash hash
}

// foundAlias is a key that leads to another.
type foundAlias struct {
	key, of hash
	hour    int64
}

// lookup reads all that is known of the page.
func (p *pageCommit) lookup() error {
	if err := p.lookupRecords(); err != nil {
		return err
	}
	if err := p.lookupFacts(); err != nil {
		return err
	}
	if p.grouped || p.children {
		p.indexEntries()
	}
	if p.children {
		return p.lookupParents()
	}
	return nil
}

// lookupRecords reads what is known of the records themselves: each key in its own hour,
// and what wasn't found there in the hour within 15 minutes (counting.md 15).
func (p *pageCommit) lookupRecords() error {
	if p.spec.Hourless {
		return p.lookupEverywhere()
	}
	for i := range p.entries {
		e := &p.entries[i]
		for _, key := range e.keys {
			p.want(e.hour, key)
		}
	}
	if err := p.fetch(); err != nil {
		return err
	}
	for i := range p.entries {
		e := &p.entries[i]
		hour := neighbour(e.record.Start)
		for _, key := range e.keys {
			if hour != e.hour && p.states[key] == nil {
				p.want(hour, key)
			}
		}
	}
	return p.fetch()
}

// lookupEverywhere reads what is known of the records, and of those that tasks are for, in
// every bucket that isn't forgotten.
func (p *pageCommit) lookupEverywhere() error {
	if err := p.findBuckets(); err != nil {
		return err
	}
	for i := range p.entries {
		for _, key := range p.entries[i].keys {
			p.wantEverywhere(key)
		}
	}
	for i := range p.page.Enqueue {
		if w := &p.page.Enqueue[i]; w.ofRecord() {
			p.wantEverywhere(p.taskKey(w))
		}
	}
	return p.fetch()
}

// findBuckets finds the buckets that the feed has something in and that aren't forgotten:
// what lies beyond is as good as deleted, since the floor was raised over it.
func (p *pageCommit) findBuckets() error {
	p.buckets = p.buckets[:0]
	last := lastBucket(p.row.state.Floor)
	for after := int64(math.MinInt64); after < last; {
		var bucket sql.NullInt64
		err := p.ledger.engine.scanRow(`SELECT min(hour) FROM seen WHERE feed = ? AND hour > ? AND hour <= ?`,
			[]any{p.row.id, after, last}, &bucket)
		if err != nil || !bucket.Valid {
			return err
		}
		p.buckets = append(p.buckets, bucket.Int64)
		after = bucket.Int64
	}
	return nil
}

// lookupFacts reads what is known beside the records: their groups, their recordings, the
// sessions of those that are known, whether a child has counted the failure of a new one,
// and the rows that were set aside.
func (p *pageCommit) lookupFacts() error {
	h := &p.ledger.hasher
	for i := range p.entries {
		e := &p.entries[i]
		r, st := e.record, p.find(e)
		if r.Group != "" {
			p.wantNear(r.Start, e.group)
		}
		for _, recording := range r.Recordings {
			p.wantNear(r.Start, h.factKey(kindRecording, recording.ID))
		}
		if st != nil {
			for i := range r.Sessions { // they lie where their record does
				p.want(st.hour, h.session(st, &r.Sessions[i]))
			}
		}
		if p.spec.Parents && !r.Outcome.Connected() && st == nil {
			for key := range h.childKeys(r) {
				p.wantNear(r.Start, key)
			}
		}
	}
	for _, rows := range [...][]BadRow{p.page.Invalid, p.page.Ignored} {
		for i := range rows {
			p.want(setAsideHour, h.setAside(&rows[i]))
		}
	}
	return p.fetch()
}

// parentHours is how far apart a record and its parent may start.
const parentHours = 24

// lookupParents reads what is known of the parents of new records that failed: first
// around the hour of the child's start, where nearly all are, then as far as parentHours.
// Without hours they are read wherever they are. A parent that is on the page itself is
// known as such, or isn't.
func (p *pageCommit) lookupParents() error {
	for _, reach := range [...]int64{1, parentHours} {
		for i := range p.entries {
			e := &p.entries[i]
			if !e.child || e.record.Outcome.Connected() || p.states[e.parent] != nil || p.find(e) != nil {
				continue
			}
			if _, here := p.sorting.index[e.parent]; here {
				continue
			}
			if p.spec.Hourless {
				p.wantEverywhere(e.parent)
				continue
			}
			for hour := e.hour - reach; hour <= e.hour+reach; hour++ {
				p.want(hour, e.parent)
			}
		}
		if err := p.fetch(); err != nil {
			return err
		}
	}
	return nil
}

// want asks for a key in a bucket.
func (p *pageCommit) want(hour int64, key hash) { p.wanted = append(p.wanted, wanted{hour, key}) }

// wantNear asks for a fact in the buckets where one of a record with that start may lie.
func (p *pageCommit) wantNear(start time.Time, key hash) {
	p.want(bucketOf(start), key)
	p.want(nearBucket(start), key)
}

// wantEverywhere asks for a key in every bucket that isn't forgotten.
func (p *pageCommit) wantEverywhere(key hash) {
	for _, bucket := range p.buckets {
		p.want(bucket, key)
	}
}

// fetch reads the keys that were asked for, each once and in the order of the table, and
// the records that aliases among them lead to.
func (p *pageCommit) fetch() error {
	slices.SortFunc(p.wanted, func(a, b wanted) int {
		return cmp.Or(cmp.Compare(a.hour, b.hour), bytes.Compare(a.hash[:], b.hash[:]))
	})
	p.wanted = slices.Compact(p.wanted)
	if err := p.selectSeen(p.wanted); err != nil {
		return err
	}
	for _, a := range p.aliases {
		if p.states[a.of] == nil {
			if err := p.selectSeen([]wanted{{hour: a.hour, hash: a.of}}); err != nil {
				return err
			}
		}
		if st := p.states[a.of]; st != nil {
			p.states[a.key] = st
		}
	}
	p.wanted, p.aliases = p.wanted[:0], p.aliases[:0]
	return nil
}

// selectSeen reads keys, in batches.
func (p *pageCommit) selectSeen(keys []wanted) error {
	for len(keys) > 0 {
		n := batchOf(len(keys))
		args := p.args[:0]
		for i := range keys[:n] {
			args = append(args, keys[i].hour, keys[i].hash[:])
		}
		p.args = append(args, p.row.id)
		rows, err := p.ledger.engine.query(seenSelects[n], p.args...)
		if err != nil {
			return err
		}
		if err := scanAll(rows, func() error { return p.scanSeen(rows) }); err != nil {
			return p.ledger.engine.explain(err)
		}
		keys = keys[n:]
	}
	return nil
}

// scanSeen takes one row of the table seen.
func (p *pageCommit) scanSeen(rows *sql.Rows) error {
	var hour int64
	var key, data sql.RawBytes
	if err := rows.Scan(&hour, &key, &data); err != nil {
		return err
	}
	if len(key) != len(hash{}) {
		return errRow
	}
	if aliasHour, of, ok := parseAlias(data); ok {
		p.aliases = append(p.aliases, foundAlias{key: hash(key), of: of, hour: aliasHour})
		return nil
	}
	st := p.newState(hour, hash(key))
	st.stored = append(st.stored, data...)
	return nil
}

// newState makes a key known.
func (p *pageCommit) newState(hour int64, key hash) *state {
	if p.used == len(p.spare) {
		p.spare = append(p.spare, new(state))
	}
	st := p.spare[p.used]
	p.used++
	*st = state{hour: hour, hash: key, stored: st.stored[:0]}
	p.states[key] = st
	return st
}

// find is what is known of a record by any of its keys.
func (p *pageCommit) find(e *entry) *state {
	for _, key := range e.keys {
		if st := p.states[key]; st != nil {
			return st
		}
	}
	return nil
}

// writeState lets a state be written as it is when the page was applied.
func (p *pageCommit) writeState(st *state) {
	if !st.dirty {
		st.dirty = true
		p.writes = append(p.writes, idWrite{hour: st.hour, hash: st.hash, st: st})
	}
}

// remember makes a fact known that was looked for and says whether it is new.
func (p *pageCommit) remember(hour int64, key hash, at time.Time) bool {
	if p.states[key] != nil {
		return false
	}
	p.newState(hour, key)
	p.writes = append(p.writes, idWrite{hour: hour, hash: key, data: factData(at)})
	return true
}

// factData is the stored form of a fact: when it was seen, so that forms compare
// as their times do.
func factData(at time.Time) []byte {
	return binary.BigEndian.AppendUint64([]byte{rowFact}, uint64(max(at.Unix(), 0)))
}
