package outbox

import (
	"database/sql"
	"fmt"
	"time"

	"github.com/klauspost/compress/s2"

	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/engine"
)

const (
	// BatchRecords is how many records a batch has at most.
	BatchRecords = 1000
	// batchBytes is the size at which a batch is closed. It is sent as a whole; receivers take 4 MiB by default (gRPC).
	batchBytes = 1 << 20
)

// Draft is what one page adds to a queue. It keeps its memory from page to page.
type Draft struct {
	// Data has the log records, or spans, one after the other; Ends is where each of them ends.
	Data   []byte
	Ends   []int
	packed []byte
	heads  []head
}

// Reset empties the draft.
func (d *Draft) Reset() { d.Data, d.Ends, d.heads = d.Data[:0], d.Ends[:0], d.heads[:0] }

// Write writes drafts, by signal, as batches of a feed's commit.
func Write(s *engine.Session, drafts *[Signals]Draft, feed, seq int64, now time.Time) error {
	part := int64(0)
	for signal := range drafts {
		d, from, records := &drafts[signal], 0, int64(0)
		for i, end := range d.Ends {
			if records++; records < BatchRecords && end-from < batchBytes && i < len(d.Ends)-1 {
				continue
			}
			h := head{key: key{feed, seq, part}, records: records, signal: Signal(signal), created: now}
			// The keys of attributes repeat in each record: a sixth of the bytes is left.
			d.packed = s2.Encode(d.packed[:cap(d.packed)], d.Data[from:end])
			if _, err := s.Exec(`INSERT INTO outbox (feed, seq, part, signal, records, created, data) VALUES (?, ?, ?,
				?, ?, ?, ?)`,
				h.feed, h.seq, h.part, int64(h.signal), h.records, engine.Micros(h.created), d.packed); err != nil {
				return err
			}
			d.heads = append(d.heads, h)
			part, from, records = part+1, end, 0
		}
	}
	return nil
}

// Count is how many log records, or spans, lie in the table.
func Count(s *engine.Session, signal Signal) (records int64, err error) {
	err = s.ScanRow(`SELECT COALESCE(sum(records), 0) FROM outbox WHERE signal = ?`, []any{int64(signal)}, &records)
	return records, err
}

// Load reads what waits of all feeds that this process sends for. Batches of one feed keep their order where clocks
// don't.
func Load(s *engine.Session, queues *[Signals]Queue, senders [2]string) error {
	heads, err := engine.ReadRows(s,
		`SELECT o.feed, o.seq, o.part, o.signal, o.records, o.created FROM outbox o JOIN feeds f ON f.id = o.feed
		WHERE f.owner IN (?, ?) ORDER BY max(o.created) OVER (PARTITION BY o.feed ORDER BY o.seq, o.part), o.feed,
		o.seq, o.part`,
		[]any{senders[0], senders[1]},
		func(h *head) []any {
			return []any{&h.feed, &h.seq, &h.part, &h.signal, &h.records, engine.Time(&h.created)}
		})
	if err != nil {
		return err
	}
	stored := make(map[key]bool)
	for _, h := range heads {
		stored[h.key] = true
	}
	for i := range queues {
		queues[i].remove(func(h head) bool { // those that stay keep their ids
			stays := stored[h.key]
			delete(stored, h.key)
			return !stays
		})
	}
	for _, h := range heads {
		if stored[h.key] {
			queues[h.signal].addHeads(h)
		}
	}
	return nil
}

// Verify finds a batch that is damaged.
func Verify(s *engine.Session) error {
	return s.ScanAll(`SELECT seq, records, data FROM outbox ORDER BY feed, seq, part`, nil, func(rows *sql.Rows) error {
		var seq, records int64
		var data []byte
		if err := rows.Scan(&seq, &records, &data); err != nil {
			return err
		}
		if _, err := s2.Decode(nil, data); err != nil || records <= 0 {
			return fmt.Errorf("the batch of commit %d in the outbox is damaged: its %d log records or spans "+
				"will be set aside", seq, records)
		}
		return nil
	})
}
