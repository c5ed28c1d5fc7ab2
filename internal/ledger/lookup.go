package ledger

import "time"

// lookup is what is known under a key, in the first of the buckets that has it; nil if nothing is. What was found once, or made known
// by the page, is found again whatever the buckets are.
func (p *pageCommit) lookup(key hash, buckets ...int64) *state {
	if st := p.states[key]; st != nil || p.err != nil {
		return st
	}
	for _, bucket := range buckets {
		data := p.read(bucket, key)
		if data == nil {
			continue
		}
		first, of, isAlias := parseAlias(data)
		if !isAlias {
			return p.newState(bucket, key, data...)
		}
		st := p.states[of]
		if st == nil {
			if data = p.read(first, of); data == nil {
				continue
			}
			st = p.newState(first, of, data...)
		}
		p.states[key] = st
		return st
	}
	return nil
}

func (p *pageCommit) read(bucket int64, key hash) []byte {
	data, err := p.ids.lookup(p.ledger.engine, bucket, key)
	p.failed(err)
	return data
}

// lookupNear finds a fact in the buckets where one of a record with that start may lie.
func (p *pageCommit) lookupNear(key hash, start time.Time) *state {
	return p.lookup(key, bucketOf(start), nearBucket(start))
}

// lookupRecords finds what is known of the records themselves: each key in its own hour,
// and what wasn't found there in the hour within 15 minutes (counting.md 15). Without hours they, and those that tasks are
// for, are found in every bucket that isn't forgotten: what lies beyond is as good as deleted, since the floor was raised over it.
func (p *pageCommit) lookupRecords() {
	if p.spec.Hourless {
		p.buckets = p.ids.bucketsUpTo(lastBucket(p.was.Floor))
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
			p.lookup(key, p.buckets...)
		}
	}
}

// parentHours is how far apart a record and its parent may start.
const parentHours = 24

// lookupParent finds the parent of a record: from the hour of the child's start outwards, or without hours wherever it is.
func (p *pageCommit) lookupParent(e *entry) *state {
	if !p.spec.Hourless {
		p.buckets = append(p.buckets[:0], e.bucket)
		for apart := int64(1); apart <= parentHours; apart++ {
			p.buckets = append(p.buckets, e.bucket-apart, e.bucket+apart)
		}
	}
	return p.lookup(e.parent, p.buckets...)
}

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

func (p *pageCommit) addFact(bucket int64, key hash) {
	p.writeState(p.newState(bucket, key, rowFact))
}
