package ledger

import (
	"database/sql"
	"fmt"
	"time"
)

// row is a line of the table feeds, as of its last commit.
type row struct {
	id         int64
	epoch, seq int64
	state      State
}

// advance moves the sequence number; ErrFenced if somebody else did.
func (r *row) advance(e *engine) error {
	result, err := e.exec(`UPDATE feeds SET seq = seq + 1 WHERE id = ? AND epoch = ? AND seq = ?`, r.id, r.epoch, r.seq)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n != 1 {
		return ErrFenced
	}
	return nil
}

// load reads the line of an id.
func (r *row) load(e *engine, id int64) error {
	var origin, floor, watermark, newest, done int64
	err := e.scanRow(`SELECT id, epoch, seq, origin, floor, watermark, newest, history_done, records, plan, connected_from FROM feeds WHERE id = ?`, []any{id},
		&r.id, &r.epoch, &r.seq, &origin, &floor, &watermark, &newest, &done, &r.state.Records, &r.state.Plan, &r.state.connectedFrom)
	if err != nil {
		return fmt.Errorf("read the state of feed %d: %w", id, err)
	}
	r.state.Origin, r.state.Floor = fromMicros(origin), fromMicros(floor)
	r.state.Watermark, r.state.NewestCall = fromMicros(watermark), fromMicros(newest)
	r.state.HistoryDone = done != 0
	return nil
}

// save writes the state; the transaction has moved the sequence number already.
func (r *row) save(e *engine, s *State) error {
	_, err := e.exec(`UPDATE feeds SET floor = ?, watermark = ?, newest = ?, history_done = ?, records = ?, plan = ?, connected_from = ? WHERE id = ?`,
		micros(s.Floor), micros(s.Watermark), micros(s.NewestCall), flag(s.HistoryDone), int64(s.Records), s.Plan, s.connectedFrom, r.id)
	return err
}

// micros is a time as the ledger keeps it: microseconds since 1970, 0 for none.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// scanAll calls each for every row until it fails, and closes rows.
func scanAll(rows *sql.Rows, each func() error) (err error) {
	defer func() {
		if closing := rows.Close(); err == nil {
			err = closing
		}
	}()
	for rows.Next() {
		if err := each(); err != nil {
			return err
		}
	}
	return rows.Err()
}
