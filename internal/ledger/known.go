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

func (p *pageCommit) readIDs() (err error) {
	p.known.IDs, err = p.ids.Known(p.known.IDs, p.keys.IDs, p.known.State.Floor)
	return err
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
