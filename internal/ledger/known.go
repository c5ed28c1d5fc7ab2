package ledger

import (
	"database/sql"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/counting"
)

// readKnown reads what is known of all keys of the page.
func (p *pageCommit) readKnown() error {
	k := &p.known
	*k = counting.Known{
		State: *p.committed.Load(), IDs: k.IDs[:0],
		Trunks: p.trunks, TrunkLimit: p.ledger.settings.Options.SeriesLimit, Now: p.now.Unix(),
	}
	for _, read := range [...]func() error{p.readIDs, p.readTasks, p.readBadRows} {
		if err := read(); err != nil {
			return err
		}
	}
	return nil
}

func (p *pageCommit) readIDs() error {
	var all []int64 // the buckets that aren't forgotten
	for i := range p.keys.IDs {
		key := &p.keys.IDs[i]
		buckets := key.Buckets
		if buckets == nil {
			if all == nil {
				all = p.ids.bucketsUpTo(counting.LastBucket(p.known.State.Floor))
			}
			buckets = all
		}
		stored, err := p.ids.find(p.ledger.engine, key.Hash, buckets)
		if err != nil {
			return err
		}
		p.known.IDs = append(p.known.IDs, stored)
	}
	return nil
}

// find returns what is known under a key, from the first of the buckets that has it; for an alias, that of its record. It is valid until the next
// commit.
func (s *idStore) find(e *engine, key counting.Hash, buckets []int64) (counting.Stored, error) {
	for _, bucket := range buckets {
		data, err := s.lookup(e, bucket, key)
		if err != nil {
			return counting.Stored{}, err
		}
		if data == nil {
			continue
		}
		stored := counting.Stored{Place: counting.Place{Bucket: bucket, Hash: key}, Data: data}
		of, isAlias := stored.Alias()
		if !isAlias {
			return stored, nil
		}
		if data, err = s.lookup(e, of.Bucket, of.Hash); err != nil {
			return counting.Stored{}, err
		}
		if data != nil {
			return counting.Stored{Place: of, Data: data}, nil
		}
	}
	return counting.Stored{}, nil
}

// keysPerQuery is how many keys one query looks up.
const keysPerQuery = 64

// queryIn runs a query that ends in IN for all keys, some at a time; each takes as many arguments as form has question marks.
func queryIn(s *session, query, form string, feed int64, keys []any, scan func(*sql.Rows) error) error {
	for size := strings.Count(form, "?"); len(keys) > 0; {
		n := min(keysPerQuery, len(keys)/size)
		if n < keysPerQuery {
			n = 1 // few numbers of keys, for each of which a statement is prepared
		}
		text := query + "(" + form + strings.Repeat(", "+form, n-1) + ")"
		if err := s.scanAll(text, append([]any{feed}, keys[:n*size]...), scan); err != nil {
			return err
		}
		keys = keys[n*size:]
	}
	return nil
}

func (p *pageCommit) readTasks() error {
	p.args = p.args[:0]
	for _, key := range p.keys.Tasks {
		p.args = append(p.args, key.Kind, key.Key)
	}
	p.known.Tasks = make(map[counting.TaskKey]counting.Task)
	return queryIn(&p.ledger.engine.session, `SELECT `+taskColumns+` FROM tasks WHERE feed = ? AND (kind, key) IN `, `(?, ?)`, p.id, p.args,
		func(rows *sql.Rows) error {
			var w counting.Task
			err := rows.Scan(taskTargets(&w)...)
			p.known.Tasks[counting.TaskKey{Kind: w.Kind, Key: w.Key}] = w
			return err
		})
}

func (p *pageCommit) readBadRows() error {
	p.args = p.args[:0]
	for _, hash := range p.keys.BadRows {
		p.args = append(p.args, int64(hash))
	}
	p.known.BadRows = make(map[counting.Hash]bool)
	return queryIn(&p.ledger.engine.session, `SELECT hash FROM bad_rows WHERE feed = ? AND hash IN `, `?`, p.id, p.args,
		func(rows *sql.Rows) error {
			var hash int64
			err := rows.Scan(&hash)
			p.known.BadRows[counting.Hash(hash)] = true
			return err
		})
}
