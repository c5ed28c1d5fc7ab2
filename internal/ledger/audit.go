package ledger

import (
	"fmt"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/counting"
)

// What an audit asks of a ledger that another process may have open.

// findFeed is a feed by its present name or the one that it had, nil if the ledger has neither.
func (i *Inspector) findFeed(spec *FeedSpec) (found *Feed) {
	for _, f := range i.feeds {
		switch {
		case f.spec.Feed != spec.Feed:
		case f.spec.Source == spec.Source:
			return f
		case f.spec.Source == spec.RenamedFrom:
			found = f
		}
	}
	return found
}

// State is what was committed of a feed, and whether the ledger has it.
func (i *Inspector) State(spec FeedSpec) (counting.State, bool) {
	f := i.findFeed(&spec)
	if f == nil {
		return counting.State{}, false
	}
	return f.State(), true
}

// Audit finds what is known of the records of a page.
func (i *Inspector) Audit(spec FeedSpec, page *counting.Page) (*counting.Findings, error) {
	f := i.findFeed(&spec)
	if f == nil {
		return nil, fmt.Errorf("audit: the ledger doesn't have %s/%s", spec.Source, spec.Feed)
	}
	if f.keyCheck != i.ledger.hasher.Check() {
		return nil, fmt.Errorf("audit: %w", errOtherKey)
	}
	p := pageCommit{Feed: f, page: page, now: page.ObservedAt, settings: spec.pageSettings(), decision: counting.NewDecision()}
	p.keys = p.decision.Keys(page, &p.settings, &i.ledger.hasher)
	if err := p.readKnown(); err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	return p.decision.Audit(&p.known)
}

// Counted calls use with the key of each record of a feed that is remembered in the hour from a start.
func (i *Inspector) Counted(spec FeedSpec, hour time.Time, use func(counting.Hash)) error {
	f := i.findFeed(&spec)
	if f == nil {
		return nil
	}
	entries, err := f.ids.Bucket(counting.HourBucket(hour))
	for _, entry := range entries {
		if entry.IsRecord() {
			use(entry.Hash)
		}
	}
	return err
}
