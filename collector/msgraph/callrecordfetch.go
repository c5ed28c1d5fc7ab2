package msgraph

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// The kinds of work that call records leave (counting.md 4).
const (
	// taskRecord is a version that a list has named.
	taskRecord = collector.TaskRecord
	// taskNotified is a record that a notification has named, without a version.
	taskNotified = "told"
	// taskSettle is a record that is to be read once more when nothing is waited for.
	taskSettle = "settle"
)

const (
	// parallelRecords is how many records are fetched at once.
	parallelRecords = 8
	// staleTries is how often an answer that is older than what was read before is
	// refused, for one of Graph's servers may lag behind.
	staleTries = 3
)

// callRecords fetches call records by id. It is safe for concurrent use.
type callRecords struct {
	client    *httpclient.Client
	paces     *paces
	countries *cdr.Countries
	emergency *cdr.EmergencyNumbers
	settle    time.Duration
	now       func() time.Time
}

// Parallel implements collector.Fetcher.
func (c *callRecords) Parallel() int { return parallelRecords }

// Fetch implements collector.Fetcher.
func (c *callRecords) Fetch(ctx context.Context, tasks []collector.Task) (*collector.Page, error) {
	id := tasks[0].Key
	record, err := c.get(ctx, id)
	if bad, ok := errors.AsType[*badShape](err); ok {
		return &collector.Page{Invalid: []collector.BadRow{{Content: bad.raw, At: "call record " + id, Problem: bad.problem}}}, nil
	}
	switch {
	case httpclient.KindOf(err) == httpclient.KindNotFound && !c.forgotten(tasks):
		return nil, fmt.Errorf("%w: %w", collector.ErrNotYet, err)
	case httpclient.KindOf(err) == httpclient.KindNotFound, httpclient.KindOf(err) == httpclient.KindGone:
		return nil, fmt.Errorf("%w: %w", collector.ErrGone, err)
	case err != nil:
		return nil, err
	case stale(record, tasks):
		return nil, collector.ErrStale
	}
	return c.page(record, tasks), nil
}

// forgotten says whether Graph can't have the record any more.
func (c *callRecords) forgotten(tasks []collector.Task) bool {
	return !slices.ContainsFunc(tasks, func(w collector.Task) bool {
		return w.Kind != taskSettle || c.now().Sub(w.Due) < callRecordRetention
	})
}

// stale says whether a record came in an older version than it is known to have, by the
// list or by what was read before: what only the newer one has may never be named again,
// and media count only once.
func stale(record *callRecord, tasks []collector.Task) bool {
	return slices.ContainsFunc(tasks, func(w collector.Task) bool {
		return w.Kind != taskNotified && record.Version < w.Version && w.Attempts < staleTries && !w.SetAside
	})
}

// page is what a record comes to: counted, and read again when it has settled.
func (c *callRecords) page(record *callRecord, tasks []collector.Task) *collector.Page {
	end, now := endOf(record), c.now().UTC()
	ahead := now.Before(end)
	if ahead {
		end = now // whatever is wrong with its end, it is known already
	}
	settles := end.Add(c.settle).Truncate(time.Microsecond) // as the ledger keeps it
	due := !now.Before(settles) || slices.ContainsFunc(tasks, func(w collector.Task) bool {
		// By Graph's clock, or waited for once already.
		return w.Kind == taskSettle && (ahead || !w.Due.Before(settles))
	})
	m := &callMapper{countries: c.countries, emergency: c.emergency}
	r := m.record(record, due)
	// With no time to wait, the media are those of the first version that has a session.
	r.Settled = due && (c.settle > 0 || len(record.Sessions) > 0)
	p := &collector.Page{Records: []*cdr.Record{r}, Unmapped: m.unmapped}
	if !due {
		p.Enqueue = []collector.Task{{Kind: taskSettle, Key: record.ID, Version: record.Version, Due: settles}}
	}
	return p
}

// lookUp fetches a call record for people to read.
func (c *callRecords) lookUp(ctx context.Context, id string) (*collector.CallTree, error) {
	record, err := c.get(ctx, strings.ToLower(id))
	if kind := httpclient.KindOf(err); kind == httpclient.KindNotFound || kind == httpclient.KindGone {
		return nil, fmt.Errorf("%w: %w", collector.ErrNotYet, err)
	}
	if err != nil {
		return nil, err
	}
	m := &callMapper{countries: c.countries, emergency: c.emergency}
	return m.tree(record), nil
}
