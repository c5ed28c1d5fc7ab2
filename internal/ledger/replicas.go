package ledger

import (
	"context"
	"crypto/tls"
	"errors"
	"time"
)

// Several replicas may have a ledger in PostgreSQL open at once. Each feed has one owner at a time: the column owner of its row. An
// owner that gives no sign of life for LeaseTime, by the database's clock, may be replaced: the epoch moves on with it, and no commit
// of the former owner succeeds any more (row.advance).

// LeaseTime is how long a replica owns its feeds after its last sign of life.
const LeaseTime = 10 * time.Second

// ErrNotOwner: another replica owns the feed now. The feed is to be let go with Drop.
var ErrNotOwner = errors.New("another replica owns the feed")

// Postgres says where a ledger is that several replicas share.
type Postgres struct {
	// DSN is the data source name, a URL or key=value pairs. It is asked for at each connection, so that a password may change.
	DSN func(ctx context.Context) (string, error)
	// TLS, if not nil, stands for what the DSN says of it.
	TLS *tls.Config
	// Replica names this process, and no other one, now or later; empty: it owns nothing.
	Replica string
	// Address is where the other replicas' pages say that this one can be found; it may be empty.
	Address string
}

// Cluster is who reads what, at one instant.
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

// FeedOwner is a feed of the ledger, whoever reads it.
type FeedOwner struct {
	Source, Feed string
	// Owner is the living replica that reads it; empty if there is none.
	Owner string
	// CallsPerHour is how many calls it has counted for each hour of call time: what reading it costs.
	CallsPerHour float64
	State        State
}

// Shared says whether other replicas may have the ledger open.
func (l *Ledger) Shared() bool { return l.settings.Postgres != nil }

// Renew says that this replica lives, and returns who else does and who reads what. What it owns stays its own for LeaseTime from the call on.
func (l *Ledger) Renew(ctx context.Context) (Cluster, error) { return Cluster{}, errors.ErrUnsupported }

// Holds says whether this replica still owns what it owned when Renew last succeeded. Nothing that others may own by now is to be shown.
func (l *Ledger) Holds() bool { return true }

// Register makes the row of a feed if it is missing and checks that it is of the same account, as Feed does, without owning it.
func (l *Ledger) Register(ctx context.Context, spec FeedSpec) error { return errors.ErrUnsupported }

// Acquire makes this replica the owner of a feed that no living replica owns; false if another one was faster. Feed opens it then.
func (l *Ledger) Acquire(ctx context.Context, source, feed string) (bool, error) {
	return false, errors.ErrUnsupported
}

// Drop forgets what memory has of a feed, its series and its log records that wait. Nothing is shown of it any more.
func (l *Ledger) Drop(source, feed string) {}

// Release gives a feed up that Drop has forgotten, for another replica to acquire at once.
func (l *Ledger) Release(ctx context.Context, source, feed string) error {
	return errors.ErrUnsupported
}

// Leave gives up all feeds and takes this replica off the list: it is about to close the ledger.
func (l *Ledger) Leave(ctx context.Context) error { return errors.ErrUnsupported }

// Enqueue makes tasks durable for a feed, whoever owns it, and says how many didn't wait already.
func (l *Ledger) Enqueue(ctx context.Context, source, feed string, tasks []Task) (queued int, err error) {
	return 0, errors.ErrUnsupported
}
