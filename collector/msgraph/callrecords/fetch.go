package callrecords

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/graph"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/subscriptions"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

const (
	// taskSettle is the kind of task that reads a record once more, when it has settled. The other
	// kinds are work.Record and subscriptions.TaskNotified.
	taskSettle = "settle"
	// parallelRecords is how many records are fetched at once.
	parallelRecords = 8
	// staleTries is how often an answer older than the known version is refused: one of Graph's
	// servers may lag behind.
	staleTries = 3
)

// Parallel implements collector.Fetcher.
func (r *Records) Parallel() int { return parallelRecords }

// Fetch implements collector.Fetcher.
func (r *Records) Fetch(ctx context.Context, tasks []work.Item) (*collector.Page, error) {
	id, now := tasks[0].Key, r.now() // before it is asked: a record that settles meanwhile is read once more
	record, err := r.read(ctx, id)
	if bad, ok := errors.AsType[*graph.TypeError](err); ok {
		return &collector.Page{Invalid: []collector.BadRow{{
			Content: bad.Body, At: "call record " + id,
			Problem: bad.Problem,
		}}}, nil
	}
	switch {
	case httpclient.KindOf(err) == httpclient.KindNotFound:
		return nil, fmt.Errorf("%w: %w", collector.ErrNotYet, err)
	case httpclient.KindOf(err) == httpclient.KindGone:
		return nil, fmt.Errorf("%w: %w", collector.ErrGone, err)
	case httpclient.KindOf(err) == httpclient.KindTooLarge:
		return nil, fmt.Errorf("%w: %w", collector.ErrTooLarge, err)
	case err != nil:
		return nil, err
	case isStale(record, tasks):
		return nil, collector.ErrStale
	}
	return r.page(record, tasks, now.UTC()), nil
}

// isStale says whether a record is older than the version that the list named or that was read
// before. It can't be used: no list might name the newer version again, and media count only once.
func isStale(record *callRecord, tasks []work.Item) bool {
	return slices.ContainsFunc(tasks, func(t work.Item) bool {
		return t.Kind != subscriptions.TaskNotified && record.Version < t.Version && t.Attempts < staleTries &&
			!t.SetAside
	})
}

// page makes a page of a record as it was at an instant, with a task to read it again if it hadn't settled then.
func (r *Records) page(record *callRecord, tasks []work.Item, now time.Time) *collector.Page {
	end := endOf(record)
	ahead := now.Before(end)
	if ahead {
		end = now // an end in the future is wrong: the record exists already
	}
	settles := end.Add(r.settle).Truncate(time.Microsecond) // as the ledger keeps it
	due := !now.Before(settles) || slices.ContainsFunc(tasks, func(t work.Item) bool {
		// It settled by Graph's clock, or was waited for once already.
		return t.Kind == taskSettle && (ahead || !t.Due.Before(settles))
	})
	m := r.mapper
	mapped := m.mapRecord(record, due)
	// If settle is zero, the media come from the first version that has a session.
	mapped.Settled = due && (r.settle > 0 || len(record.Sessions) > 0)
	p := &collector.Page{Records: []*cdr.Record{mapped}, Unmapped: m.unmapped}
	for i := range p.Unmapped {
		p.Unmapped[i].Record = mapped
	}
	if !due {
		p.Enqueue = []work.Item{{Kind: taskSettle, Key: record.ID, Version: record.Version, Due: settles}}
	}
	return p
}

// LookUp fetches a call record to be shown.
func (r *Records) LookUp(ctx context.Context, id string) (*collector.CallTree, error) {
	text, err := r.readDocument(ctx, id)
	if kind := httpclient.KindOf(err); kind == httpclient.KindNotFound || kind == httpclient.KindGone {
		return nil, fmt.Errorf("%w: %w", collector.ErrNotYet, err)
	}
	if err != nil {
		return nil, err
	}
	record, err := decodeRecord(text)
	if err != nil {
		return nil, err
	}
	m := r.mapper
	return m.tree(record, text), nil
}
