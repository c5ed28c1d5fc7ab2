package ledger

import (
	"bytes"
	"cmp"
	"database/sql"
	"encoding/binary"
	"slices"
	"time"
)

// setAsideHour is where rows are known by their content: they have no hour.
const setAsideHour = 0

// batchSizes are how many keys or rows one statement takes, largest first: few
// texts, so that every statement is prepared once.
var batchSizes = [...]int{256, 32, 4, 1}

// lookup is the working memory of findKnown.
type lookup struct {
	wanted  []wanted
	args    []any
	aliases []foundAlias
}

// wanted is one key to look for in one hour.
type wanted struct {
	hour int64
	hash hash
}

// foundAlias is a key that leads to another.
type foundAlias struct {
	key, of hash
	hour    int64
}

// findKnown reads what is known of the page's records: each key in its own hour,
// and what wasn't found there in the hour within 15 minutes (counting.md 15).
func (l *Ledger) findKnown(p *pageWork, feed int64) error {
	for _, hour := range []func(*entry) int64{
		func(e *entry) int64 { return e.hour },
		func(e *entry) int64 { return neighbour(e.record.Start) },
	} {
		if err := l.search(p, feed, hour); err != nil {
			return err
		}
	}
	return nil
}

// search looks for the keys that aren't known yet, in the hour that of gives.
func (l *Ledger) search(p *pageWork, feed int64, of func(*entry) int64) error {
	look := &p.look
	first := len(p.states) == 0
	look.wanted = look.wanted[:0]
	for i := range p.entries {
		e := &p.entries[i]
		hour := of(e)
		if !first && hour == e.hour {
			continue
		}
		if p.states[e.hash] == nil {
			look.wanted = append(look.wanted, wanted{hour: hour, hash: e.hash})
		}
		for _, alt := range e.alts {
			if p.states[alt] == nil {
				look.wanted = append(look.wanted, wanted{hour: hour, hash: alt})
			}
		}
	}
	return l.fetchAll(p, feed)
}

// fetchAll reads the keys of look.wanted, each once and in the order of the table, and
// the records that aliases among them lead to.
func (l *Ledger) fetchAll(p *pageWork, feed int64) error {
	look := &p.look
	look.aliases = look.aliases[:0]
	slices.SortFunc(look.wanted, func(a, b wanted) int {
		return cmp.Or(cmp.Compare(a.hour, b.hour), bytes.Compare(a.hash[:], b.hash[:]))
	})
	look.wanted = slices.Compact(look.wanted)
	if err := l.fetch(p, feed, look.wanted); err != nil {
		return err
	}
	for _, a := range look.aliases {
		if err := l.follow(p, feed, a); err != nil {
			return err
		}
	}
	return nil
}

// fetch reads keys, in batches.
func (l *Ledger) fetch(p *pageWork, feed int64, keys []wanted) error {
	for len(keys) > 0 {
		n := batchOf(len(keys))
		args := p.look.args[:0]
		for i := range keys[:n] {
			args = append(args, keys[i].hour, keys[i].hash[:])
		}
		p.look.args = append(args, feed)
		rows, err := l.engine.query(seenSelects[n], p.look.args...)
		if err != nil {
			return err
		}
		if err := scanAll(rows, func() error { return p.found(rows) }); err != nil {
			return l.engine.explain(err)
		}
		keys = keys[n:]
	}
	return nil
}

// found takes one row of the table seen.
func (p *pageWork) found(rows *sql.Rows) error {
	var hour int64
	var key, data sql.RawBytes
	if err := rows.Scan(&hour, &key, &data); err != nil {
		return err
	}
	if len(key) != len(hash{}) {
		return errRow
	}
	if aliasHour, of, ok := parseAlias(data); ok {
		p.look.aliases = append(p.look.aliases, foundAlias{key: hash(key), of: of, hour: aliasHour})
		return nil
	}
	st := p.newState()
	st.hour, st.hash = hour, hash(key)
	st.stored = append(st.stored, data...)
	p.states[st.hash] = st
	return nil
}

// follow finds the record that an alias leads to.
func (l *Ledger) follow(p *pageWork, feed int64, a foundAlias) error {
	if p.states[a.of] == nil {
		if err := l.fetch(p, feed, []wanted{{hour: a.hour, hash: a.of}}); err != nil {
			return err
		}
	}
	if st := p.states[a.of]; st != nil {
		p.states[a.key] = st
	}
	return nil
}

// findFacts reads what is known beside the page's records: their groups, their
// recordings, the sessions of those that are known, and whether a child has counted the failure of a new one.
func (f *Feed) findFacts(p *pageWork) error {
	p.look.wanted = p.look.wanted[:0]
	for i := range p.entries {
		e := &p.entries[i]
		r := e.record
		if r.Group != "" {
			p.want(r.Start, e.group)
		}
		for _, rec := range r.Recordings {
			p.want(r.Start, f.ledger.hasher.of(kindRecording, rec.ID))
		}
		if len(r.Sessions) > 0 {
			f.wantSessions(p, e)
		}
		if f.spec.Parents && !r.Outcome.Connected() && p.find(e) == nil {
			for h := range f.childKeys(r) {
				p.want(r.Start, h)
			}
		}
	}
	return f.ledger.fetchAll(p, f.row.id)
}

// wantSessions asks for the sessions of a record that is known, which lie where it does.
func (f *Feed) wantSessions(p *pageWork, e *entry) {
	st := p.find(e)
	if st == nil {
		return
	}
	for i := range e.record.Sessions {
		h := f.ledger.hasher.session(st, &e.record.Sessions[i])
		p.look.wanted = append(p.look.wanted, wanted{hour: st.hour, hash: h})
	}
}

// want asks for a fact in the spans where one of a record with that start may lie.
func (p *pageWork) want(start time.Time, h hash) {
	p.look.wanted = append(p.look.wanted, wanted{hour: spanOf(start), hash: h}, wanted{hour: nearSpan(start), hash: h})
}

// once remembers a fact that is only counted and says whether it is new.
func (f *Feed) once(p *pageWork, hour int64, h hash, at time.Time) (bool, error) {
	if p.states[h] != nil {
		return false, nil
	}
	if err := f.ledger.fetch(p, f.row.id, []wanted{{hour: hour, hash: h}}); err != nil {
		return false, err
	}
	return p.remember(hour, h, at), nil
}

// remember writes down a fact that was looked for and says whether it is new.
func (p *pageWork) remember(hour int64, h hash, at time.Time) bool {
	if p.states[h] != nil {
		return false
	}
	st := p.newState()
	st.hour, st.hash = hour, h
	p.states[h] = st
	p.writes = append(p.writes, idWrite{hour: hour, hash: h, data: factData(at)})
	return true
}

// factData is the stored form of a fact: when it was seen, so that forms compare
// as their times do.
func factData(at time.Time) []byte {
	return binary.BigEndian.AppendUint64([]byte{rowFact}, uint64(max(at.Unix(), 0)))
}

// batchOf is the largest batch that n fill.
func batchOf(n int) int {
	for _, size := range batchSizes {
		if n >= size {
			return size
		}
	}
	return 1
}
