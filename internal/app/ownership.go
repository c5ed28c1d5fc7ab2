package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
)

const (
	// renewInterval is how often a replica renews its lease and reads the other replicas' leases.
	renewInterval = 2 * time.Second
	// settledAfter is how long the set of replicas must be unchanged before accounts move between
	// live replicas.
	settledAfter = time.Minute
	// After orphanedAfter without an owner, any replica may take an account: the replica that it is
	// placed on may not have it in its configuration.
	orphanedAfter = 10 * time.Second
	// holdsFor is how long after a renewal the owned series are shown: a little less than the
	// lease, because the answer to a scrape takes time.
	holdsFor = ledger.LeaseTime - time.Second
	// passTime is how long a pass may take before it leaves further accounts to the next pass, so
	// that the lease is renewed in time.
	passTime = renewInterval
	// lockTime is how long a pass waits for a feed's locked row before it continues with other
	// feeds. A commit whose process was paused keeps the lock.
	lockTime = passTime / 2
)

// sharedLedger is the part of a *ledger.Ledger, shared by several replicas, that ownership uses.
type sharedLedger interface {
	Renew(ctx context.Context) (ledger.Cluster, error)
	Register(ctx context.Context, spec ledger.FeedSpec) error
	Acquire(ctx context.Context, f *ledger.FeedOwner) (bool, error)
	Drop(source, feed string)
	Release(ctx context.Context, source, feed string) error
	Leave(ctx context.Context) error
}

// accountReader reads accounts; the daemon implements it.
type accountReader interface {
	// accounts are the accounts of the configuration.
	accounts() []account
	// isRead reports whether this replica reads a source.
	isRead(source string) bool
	// startSource starts to read a source; stopAccount stops all reading of an account.
	startSource(source string)
	stopAccount(a *account)
	// lookForTasks makes the feeds that are read here look for tasks that other replicas have
	// enqueued.
	lookForTasks()
}

// ownership decides which accounts this replica reads. Every replica runs the same algorithm:
//
//	 ┌──────────────────────── every 2 s ──────────────────────────────┐
//	 ▼                                                                  │
//	renew ─▶ drop and stop what was lost ─▶ place ─┬─▶ register or acquire, start
//	                                               └─▶ stop, drop, release
//
// The ledger has the leases and epochs. Ownership only decides which feeds to acquire; a commit of
// a feed that was lost fails in any case.
type ownership struct {
	ledger  sharedLedger // nil if it isn't shared: this process owns everything
	reader  accountReader
	replica string
	logger  *slog.Logger
	now     func() time.Time

	seen atomic.Pointer[cluster] // replicas and owners at the last renewal; empty before the first

	mu           sync.Mutex           // orders passes and reloads, guards the fields below
	leaving      bool                 // acquire nothing more
	left         bool                 // everything was released: don't renew the lease
	silent       map[string]bool      // owners that were silent at the last renewal
	held         map[feedName]bool    // acquired and not dropped; a reload may have to start reading it again
	unowned      map[string]time.Time // since when an account has had no owner
	orphans      map[string]bool      // accounts that their replica didn't take: any replica may take and keep them
	replicas     []ledger.Replica     // the live ones
	replicasFrom time.Time            // since when replicas is unchanged
}

func newOwnership(
	shared sharedLedger, reader accountReader, replica string, logger *slog.Logger, now func() time.Time,
) *ownership {
	o := &ownership{
		ledger: shared, reader: reader, replica: replica, logger: logger, now: now,
		held: make(map[feedName]bool), unowned: make(map[string]time.Time), orphans: make(map[string]bool),
	}
	o.seen.Store(new(cluster))
	return o
}

// run owns accounts until the context ends.
func (o *ownership) run(ctx context.Context) {
	ticker := time.NewTicker(renewInterval)
	defer ticker.Stop()
	problem := "" // logged last; the problem of one source must not hide that the database is down
	for {
		err := o.pass(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil && problem != "" && o.holds(): // otherwise it has left
			o.logger.Info("Sharing the ledger with other replicas works again")
			problem = ""
		case err != nil && err.Error() != problem:
			o.logger.Warn("Sharing the ledger with other replicas failed, retrying", "err", err)
			problem = err.Error()
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// holds reports whether this replica surely still owns all that it reads. Only then may it show
// series of the ledger.
func (o *ownership) holds() bool { return o.ledger == nil || o.now().Before(o.seen.Load().until) }

// stopPlacing leaves the accounts where they are, because the daemon is about to leave. Leases are
// still renewed.
func (o *ownership) stopPlacing() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.leaving = true
}

// handOver releases everything before the outbox is drained, if another replica lives: that replica
// reads and sends now. The loops have ended.
func (o *ownership) handOver() {
	c := o.seen.Load()
	if len(c.replicas) < 2 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.left = true
	o.seen.Store(&cluster{replicas: c.replicas})
	for name := range c.feeds {
		o.ledger.Drop(name.source, name.feed)
	}
	o.leave()
}

// pass renews the lease, and starts and stops reading accounts. It hides lost feeds before it
// counts the lease as renewed.
func (o *ownership) pass(ctx context.Context) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.left {
		return nil
	}
	began := o.now()
	now, err := o.ledger.Renew(ctx)
	if err != nil {
		return err
	}
	o.keepOwners(&now)
	c, accounts := newCluster(&now), o.reader.accounts()
	o.dropLost(c, accounts)
	c.until = began.Add(holdsFor)
	o.seen.Store(c)
	if !o.leaving {
		err = o.applyPlacement(ctx, c, accounts, began.Add(passTime))
	}
	o.reader.lookForTasks()
	return err
}

// keepOwners lets an owner whose lease has ended keep its feeds, unless it was already silent at
// the last renewal. If the database's clock was set, or the database was down, all leases end at
// once, and each live owner renews its own within one interval.
func (o *ownership) keepOwners(c *ledger.Cluster) {
	silent := make(map[string]bool)
	for i := range c.Feeds {
		f := &c.Feeds[i]
		silent[f.Holder] = f.Silent
		if f.Owner == "" && !o.silent[f.Holder] {
			f.Owner = f.Holder
		}
	}
	o.silent = silent
}

// dropLost drops the feeds that were acquired and have another owner now, and stops reading their
// accounts.
func (o *ownership) dropLost(c *cluster, accounts []account) {
	for i := range accounts {
		a := &accounts[i]
		feeds := slices.Concat(a.feeds...)
		if !slices.ContainsFunc(feeds, func(f ledger.FeedSpec) bool {
			return o.held[nameOf(&f)] && !c.owns(o.replica, nameOf(&f))
		}) {
			continue
		}
		o.logger.Warn("Another replica reads an account now", "account_of", feeds[0].Source)
		for i := range feeds {
			o.drop(nameOf(&feeds[i]))
		}
		o.reader.stopAccount(a)
	}
}

func (o *ownership) drop(name feedName) {
	delete(o.held, name)
	o.ledger.Drop(name.source, name.feed)
}

// applyPlacement acquires and releases accounts until this replica reads those that placeAccounts
// assigns to it, or the time is up.
func (o *ownership) applyPlacement(ctx context.Context, c *cluster, accounts []account, until time.Time) error {
	placed := placeAccounts(c, accounts, o.replicasSettled(c))
	stays := make(map[feedName]bool)
	var errs []error
	for i := range accounts {
		a := &accounts[i]
		mine, timeUp := o.isOrphaned(c, a) || placed[a.key] == o.replica, o.now().After(until)
		if !mine && !timeUp {
			o.reader.stopAccount(a)
			continue
		}
		for _, f := range slices.Concat(a.feeds...) {
			stays[nameOf(&f)] = true
		}
		if !timeUp {
			errs = append(errs, o.acquire(ctx, c, a))
		}
	}
	for name := range c.feeds {
		if stays[name] || !c.owns(o.replica, name) {
			continue
		}
		o.drop(name)
		if err := o.ledger.Release(ctx, name.source, name.feed); err != nil {
			errs = append(errs, fmt.Errorf("release feed %s/%s: %w", name.source, name.feed, err))
		}
	}
	return errors.Join(errs...)
}

// replicasSettled reports whether the set of replicas has been unchanged for settledAfter.
func (o *ownership) replicasSettled(c *cluster) bool {
	if !slices.Equal(c.replicas, o.replicas) {
		o.replicas, o.replicasFrom = c.replicas, o.now()
		clear(o.orphans)
	}
	return o.now().Sub(o.replicasFrom) >= settledAfter
}

// isOrphaned reports whether the account had no owner for orphanedAfter. It stays orphaned, and so
// stays where it is, until the replicas change.
func (o *ownership) isOrphaned(c *cluster, a *account) bool {
	switch since, waits := o.unowned[a.key]; {
	case c.ownerOf(a) != "":
		delete(o.unowned, a.key)
	case !waits:
		o.unowned[a.key] = o.now()
	case o.now().Sub(since) >= orphanedAfter:
		o.orphans[a.key] = true
	}
	return o.orphans[a.key]
}

// acquire acquires the feeds of an account, source by source, and starts to read each source. If
// the ledger refuses a source, only that one stays unread. A source with a new feed, and all
// sources after a feed that isn't free, wait for the next pass.
func (o *ownership) acquire(ctx context.Context, c *cluster, a *account) error {
	var errs []error
	for _, feeds := range a.feeds {
		source := feeds[0].Source
		if o.reader.isRead(source) {
			continue
		}
		if known, err := o.register(ctx, c, feeds); !known {
			errs = append(errs, err)
			continue
		}
		for i := range feeds {
			limited, cancel := context.WithTimeout(ctx, lockTime)
			acquired, err := o.ledger.Acquire(limited, c.feeds[nameOf(&feeds[i])])
			cancel()
			if err != nil || !acquired { // its owner hasn't released it yet, or another replica was faster
				return errors.Join(append(errs, err)...)
			}
			o.held[nameOf(&feeds[i])] = true
		}
		o.logger.Info("This replica reads a source now", collector.SourceKey, source)
		o.reader.startSource(source)
	}
	return errors.Join(errs...)
}

// register registers the feeds of a source that the cluster doesn't have, and says whether it
// already had all.
func (o *ownership) register(ctx context.Context, c *cluster, feeds []ledger.FeedSpec) (known bool, err error) {
	known = true
	for i := range feeds {
		if c.feeds[nameOf(&feeds[i])] != nil {
			continue
		}
		known = false
		if err := o.ledger.Register(ctx, feeds[i]); err != nil {
			return false, fmt.Errorf("register feed %s/%s: %w", feeds[i].Source, feeds[i].Feed, err)
		}
	}
	return known, nil
}

// leave releases everything at once, for other replicas to acquire. The loops have ended, and no
// pass runs.
func (o *ownership) leave() {
	if o.ledger == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), ledger.LeaseTime/2)
	defer cancel()
	if err := o.ledger.Leave(ctx); err != nil {
		o.logger.Warn("Can't release the feeds; other replicas read them when the lease ends", "err", err)
	}
}
