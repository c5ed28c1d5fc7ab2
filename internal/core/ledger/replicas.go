package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/engine"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// Several replicas may have a ledger in PostgreSQL open at once. Each feed has one owner at a time:
// the column owner of its row. An owner that gives no sign of life for LeaseTime, by the database's
// clock, may be replaced: that changes the epoch, so that no commit of the former owner succeeds
// any more (Feed.advanceSeq).

// LeaseTime is how long a replica owns its feeds after its last sign of life.
const LeaseTime = 10 * time.Second

// forgottenAfter is when a replica that is gone is taken off the list.
const forgottenAfter = time.Hour

// ErrNotOwner says that another replica owns the feed now. Its metrics aren't shown here any more,
// and this Feed can't be used again.
var ErrNotOwner = errors.New("another replica owns the feed")

// Cluster is the living replicas and the owners of the feeds, at one instant.
type Cluster struct {
	// Replicas are those that live, in order of their start.
	Replicas []Replica
	Feeds    []FeedOwner
}

// Replica is one process that has the ledger open.
type Replica struct {
	Name, Address string
	Started       time.Time
}

// FeedOwner is a feed of the ledger with its owner.
type FeedOwner struct {
	Source, Feed string
	// Owner is the living replica that reads it; empty if there is none.
	Owner string
	// Holder is the replica that acquired it last and didn't give it up, even if that replica no
	// longer lives. Silent says that it gave no sign of life for half a lease or more.
	Holder string
	Silent bool
	// CallsPerHour is the number of calls that it has counted per hour of call time: the cost of reading it.
	CallsPerHour float64
	// State is without the reader's own position.
	State counting.State

	epoch int64
}

// Shared says whether other replicas may have the ledger open.
func (l *Ledger) Shared() bool { return l.settings.Postgres != nil }

// replica is the name of this process among those that share the ledger; empty if none do.
func (l *Ledger) replica() string {
	if !l.Shared() {
		return ""
	}
	return l.settings.Postgres.Replica
}

const (
	// microsNow is the database's clock, so the clocks of replicas may differ.
	microsNow = `CAST(extract(epoch FROM CURRENT_TIMESTAMP) * 1000000 AS BIGINT)`
	// isAlive is a condition on a row of replicas, with the length of a lease. A sign of life in
	// the future is by the clock of a primary that failed; a replica that lives soon gives another
	// one.
	isAlive = `abs(r.seen - ` + microsNow + `) < ?`
)

// Renew gives a sign of life, and returns the living replicas and the owners of the feeds. This
// replica keeps its feeds for LeaseTime after the call. Renew gives up after a third of that time, so
// that another try is in time.
func (l *Ledger) Renew(ctx context.Context) (c Cluster, err error) {
	began := l.settings.Now()
	ctx, cancel := context.WithTimeout(ctx, LeaseTime/3)
	defer cancel()
	reader, err := l.readSession(ctx)
	if err == nil {
		err = l.compareIdentity(reader.ScanRow)
	}
	if err == nil {
		_, err = reader.Exec(`INSERT INTO replicas (name, address, started, seen) VALUES (?, ?, `+microsNow+`, `+
			microsNow+`)
			ON CONFLICT (name) DO UPDATE SET seen = excluded.seen`, l.replica(), l.settings.Postgres.Address)
	}
	if err == nil {
		_, err = reader.Exec(`DELETE FROM replicas WHERE seen < `+microsNow+` - ?`, forgottenAfter.Microseconds())
	}
	if err == nil {
		c, err = readCluster(reader)
	}
	if err != nil {
		return Cluster{}, fmt.Errorf("renew the lease of this replica: %w", err)
	}
	if began.Sub(l.renewed) >= LeaseTime-time.Second { // nothing was shown meanwhile
		l.store.Unseen()
	}
	l.renewed = began
	return c, nil
}

func readCluster(s *engine.Session) (c Cluster, err error) {
	alive := []any{LeaseTime.Microseconds()}
	c.Replicas, err = engine.ReadRows(s, `SELECT r.name, r.address, r.started FROM replicas r WHERE `+isAlive+
		` ORDER BY r.started, r.name`, alive,
		func(r *Replica) []any { return []any{&r.Name, &r.Address, engine.Time(&r.Started)} })
	if err != nil {
		return c, err
	}
	err = s.ScanAll(`SELECT source, feed, CASE WHEN `+isAlive+` THEN owner ELSE '' END, owner, COALESCE(NOT `+isAlive+
		`, TRUE), epoch, `+stateColumns+`
		FROM feeds LEFT JOIN replicas r ON r.name = owner WHERE id <> 0 ORDER BY source,
		feed`, append(alive, LeaseTime.Microseconds()/2), func(rows *sql.Rows) error {
		var f FeedOwner
		err := rows.Scan(append([]any{&f.Source, &f.Feed, &f.Owner, &f.Holder, &f.Silent, &f.epoch},
			stateTargets(&f.State)...)...)
		if hours := f.State.Watermark.Sub(f.State.Origin).Hours(); hours > 0 {
			f.CallsPerHour = float64(f.State.Calls) / max(hours, 1)
		}
		c.Feeds = append(c.Feeds, f)
		return err
	})
	return c, err
}

// execOwnership runs a statement that changes only the ownership of feeds, and returns how many
// rows it changed. It doesn't wait for commits.
func (l *Ledger) execOwnership(ctx context.Context, text string, args ...any) (changed int64, err error) {
	reader, err := l.readSession(ctx)
	if err != nil {
		return 0, err
	}
	return reader.Exec(text, args...)
}

// Register makes the row of a feed if it is missing and checks that it is of the same account, as
// Feed does, without owning it.
func (l *Ledger) Register(ctx context.Context, spec FeedSpec) error {
	if err := l.mu.LockWithin(ctx); err != nil {
		return err
	}
	defer l.mu.Unlock()
	_, err := l.ensureLine(ctx, spec)
	return err
}

// sends, before a replica's name, is the owner of a feed that no replica reads; that replica sends
// its waiting records. A replica that reads the feed acquires it at once, since no replica has such
// a name.
const sends = "sends: "

// Acquire makes this replica the owner of a feed of a Cluster, for Feed to open. It returns false
// if another living replica owns the feed or was faster. The epoch in the row itself shows whether
// the owner changed since the Cluster was read: the condition on the table of replicas isn't
// enough, since after waiting for a lock it is still judged by the rows as they were before.
func (l *Ledger) Acquire(ctx context.Context, f *FeedOwner) (acquired bool, err error) {
	if f.Owner != "" {
		return f.Owner == l.replica(), nil
	}
	return l.acquireAs(ctx, f, l.replica())
}

func (l *Ledger) acquireAs(ctx context.Context, f *FeedOwner, owner string) (acquired bool, err error) {
	n, err := l.execOwnership(ctx,
		`UPDATE feeds SET owner = ?, epoch = epoch + 1 WHERE source = ? AND feed = ? AND epoch = ?
		AND NOT EXISTS (SELECT 1 FROM replicas r WHERE r.name = feeds.owner AND `+isAlive+`)`,
		owner, f.Source, f.Feed, f.epoch, LeaseTime.Microseconds())
	if err != nil {
		return false, fmt.Errorf("acquire feed %s/%s: %w", f.Source, f.Feed, err)
	}
	return n > 0, nil
}

// Drop removes a feed from memory, with its series and its waiting log records. Nothing of it is shown any more.
func (l *Ledger) Drop(source, feed string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f := l.feeds[source+"/"+feed]; f != nil {
		l.removeFeed(f)
	}
}

func (l *Ledger) removeFeed(f *Feed) {
	delete(l.feeds, f.name())
	f.lost = true
	f.ids.Release()
	l.store.Active(f.series, false)
	for s := range l.outboxes {
		l.outboxes[s].Forget(f.id)
	}
}

// Release gives up a feed after Drop, so that another replica can acquire it at once.
func (l *Ledger) Release(ctx context.Context, source, feed string) error {
	_, err := l.execOwnership(ctx,
		`UPDATE feeds SET owner = '', epoch = epoch + 1 WHERE source = ? AND feed = ? AND owner = ?`, source, feed,
		l.replica())
	return err
}

// Leave gives up all feeds and removes this replica from the list, before it closes the ledger.
func (l *Ledger) Leave(ctx context.Context) error {
	_, err := l.execOwnership(ctx, `UPDATE feeds SET owner = '', epoch = epoch + 1 WHERE owner = ? AND id <> 0`,
		l.replica())
	if err == nil {
		_, err = l.execOwnership(ctx, `DELETE FROM replicas WHERE name = ?`, l.replica())
	}
	return err
}

// Enqueue makes tasks durable for a feed, whichever replica owns it, and returns how many weren't
// waiting already. It fails if the ledger's feed of this name is of another account: replicas may
// have different configurations for a while.
func (l *Ledger) Enqueue(ctx context.Context, spec FeedSpec, tasks []work.Item) (queued int, err error) {
	if err := l.mu.LockWithin(ctx); err != nil {
		return 0, fmt.Errorf("enqueue for %s/%s: %w", spec.Source, spec.Feed, err)
	}
	defer l.mu.Unlock()
	if l.reserve.released && !l.fillReserve() { // the room that is left is for the outbox
		return 0, fmt.Errorf("enqueue for %s/%s: %w: free some space; the provider sends it again", spec.Source,
			spec.Feed, ErrFull)
	}
	err = l.commitChange(ctx, nil, func() error {
		queued = 0
		e := l.engine
		var id int64
		// The owner's commits change this row first, so none of them runs during this transaction.
		err := e.ScanRow(`UPDATE feeds SET epoch = epoch WHERE source = ? AND feed = ? AND fingerprint = ? RETURNING
			id`,
			[]any{spec.Source, spec.Feed, spec.Fingerprint}, &id)
		if errors.Is(err, sql.ErrNoRows) {
			return errors.New("the feed has no state of this account yet")
		}
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err // the sender may have posted it to another replica since
		}
		for i := range tasks {
			if tasks[i].Kind == work.Posted {
				if err := l.stamp(id, &tasks[i]); err != nil {
					return err
				}
			}
			isNew, err := addTask(&e.Session, id, &tasks[i])
			if err != nil {
				return err
			}
			queued += int(engine.Flag(isNew))
		}
		return nil
	}, nil)
	if err != nil {
		return 0, fmt.Errorf("enqueue for %s/%s: %w", spec.Source, spec.Feed, err)
	}
	return queued, nil
}

// stamp gives a posted record the time at which this replica receives it, but a later one than all
// others that wait have: clocks of replicas differ. The feed's row is locked.
func (l *Ledger) stamp(feed int64, w *work.Item) error {
	var last int64
	if err := l.engine.ScanRow(`SELECT COALESCE(max(version), 0) FROM tasks WHERE feed = ? AND kind = ?`,
		[]any{feed, work.Posted}, &last); err != nil {
		return err
	}
	w.Version = max(l.settings.Now().UnixMicro(), last+1)
	w.Due = time.UnixMicro(w.Version).UTC()
	return nil
}
