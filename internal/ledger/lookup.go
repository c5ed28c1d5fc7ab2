package ledger

import "time"

// lookup finds all that is known of the page.
func (p *pageCommit) lookup() error {
	if err := p.lookupRecords(); err != nil {
		return err
	}
	for i := range p.entries {
		if err := p.lookupFacts(&p.entries[i]); err != nil {
			return err
		}
	}
	return p.lookupParents()
}

// lookupRecords finds what is known of the records themselves: each key in its own hour,
// and what wasn't found there in the hour within 15 minutes (counting.md 15). Without hours it finds them, and those that tasks are
// for, in every bucket that isn't forgotten: what lies beyond is as good as deleted, since the floor was raised over it.
func (p *pageCommit) lookupRecords() error {
	if p.spec.Hourless {
		p.buckets = p.ids.bucketsUpTo(lastBucket(p.row.state.Floor))
	}
	for i := range p.entries {
		e := &p.entries[i]
		if !p.spec.Hourless {
			p.buckets = append(p.buckets[:0], e.bucket)
			if near := neighbour(e.record.Start); near != e.bucket {
				p.buckets = append(p.buckets, near)
			}
		}
		for _, key := range e.keys {
			if err := p.lookupKey(key, p.buckets...); err != nil {
				return err
			}
		}
	}
	if !p.spec.Hourless {
		return nil
	}
	for i := range p.page.Enqueue {
		if w := &p.page.Enqueue[i]; w.ofRecord() {
			if err := p.lookupKey(p.ledger.hasher.idKey(w.Key), p.buckets...); err != nil {
				return err
			}
		}
	}
	return nil
}

// lookupFacts finds what is known beside a record: its group, its recordings, its
// sessions if it is known, and whether a child has counted its failure if it is new.
func (p *pageCommit) lookupFacts(e *entry) error {
	h, r, st := &p.ledger.hasher, e.record, p.find(e)
	if r.Group != "" {
		if err := p.lookupNear(e.group, r.Start); err != nil {
			return err
		}
	}
	for _, recording := range r.Recordings {
		if err := p.lookupNear(h.factKey(kindRecording, recording.ID), r.Start); err != nil {
			return err
		}
	}
	if st != nil {
		for i := range r.Sessions { // they lie where their record does
			if err := p.lookupKey(h.session(st, &r.Sessions[i]), st.bucket); err != nil {
				return err
			}
		}
		return nil
	}
	if p.spec.Parents && !r.Outcome.Connected() {
		for key := range h.childKeys(r) {
			if err := p.lookupNear(key, r.Start); err != nil {
				return err
			}
		}
	}
	return nil
}

// parentHours is how far apart a record and its parent may start.
const parentHours = 24

// lookupParents finds what is known of the parents of new records that failed: from the hour of
// the child's start outwards. Without hours they are found wherever they are. A parent that is on the page itself is
// known as such, or isn't.
func (p *pageCommit) lookupParents() error {
	if p.grouped || p.children {
		p.indexEntries()
	}
	for i := range p.entries {
		e := &p.entries[i]
		if !e.child || e.record.Outcome.Connected() || p.find(e) != nil {
			continue
		}
		if _, here := p.firsts[e.parent]; here {
			continue
		}
		buckets := p.buckets
		if !p.spec.Hourless {
			buckets = append(buckets[:0], e.bucket)
			for apart := int64(1); apart <= parentHours; apart++ {
				buckets = append(buckets, e.bucket-apart, e.bucket+apart)
			}
			p.buckets = buckets
		}
		if err := p.lookupKey(e.parent, buckets...); err != nil {
			return err
		}
	}
	return nil
}

// lookupNear finds a fact in the buckets where one of a record with that start may lie.
func (p *pageCommit) lookupNear(key hash, start time.Time) error {
	return p.lookupKey(key, bucketOf(start), nearBucket(start))
}

// lookupKey makes what is known under a key part of states, from the first of the buckets that has it.
func (p *pageCommit) lookupKey(key hash, buckets ...int64) error {
	if p.states[key] != nil {
		return nil
	}
	for _, bucket := range buckets {
		data, err := p.ids.lookup(p.ledger.engine, bucket, key)
		if err != nil {
			return err
		}
		if data == nil {
			continue
		}
		aliasBucket, of, isAlias := parseAlias(data)
		if !isAlias {
			p.newState(bucket, key, data...)
			return nil
		}
		if p.states[of] == nil {
			if data, err = p.ids.lookup(p.ledger.engine, aliasBucket, of); err != nil {
				return err
			}
			if data != nil {
				p.newState(aliasBucket, of, data...)
			}
		}
		if st := p.states[of]; st != nil {
			p.states[key] = st
			return nil
		}
	}
	return nil
}

// newState makes a key known.
func (p *pageCommit) newState(bucket int64, key hash, stored ...byte) *state {
	if p.used == len(p.spare) {
		p.spare = append(p.spare, new(state))
	}
	st := p.spare[p.used]
	p.used++
	*st = state{bucket: bucket, hash: key, stored: append(st.stored[:0], stored...)}
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
		p.writes = append(p.writes, st)
	}
}

// remember makes a fact known that was looked for and says whether it is new.
func (p *pageCommit) remember(bucket int64, key hash) bool {
	if p.states[key] != nil {
		return false
	}
	p.writeState(p.newState(bucket, key, rowFact))
	return true
}
