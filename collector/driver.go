package collector

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// Driver hands the pages of a reader to a consumer: a ledger, a history or a printer. It isn't safe for concurrent use.
type Driver struct {
	// Reader yields the pages.
	Reader RangeReader
	// Commit takes a page. It must not keep the page or its records.
	Commit func(ctx context.Context, page *Page) error

	// Fetcher fetches the records that the pages only name, after the list was read to its end,
	// each version once; nil: Commit handles them.
	Fetcher Fetcher
	// Missing is called for each record that the provider names and doesn't have.
	Missing func(task work.Item, err error)
	// Waits is called with a part of a stream that isn't written to its end, such as half a line. Each span reads all
	// of a stream, so it is called again. nil: such a part is an error.
	Waits func(part error)

	named map[work.Item]bool // by key and version
	// unfetched are those of them that are still to be fetched. A read that fails leaves them to the next one.
	unfetched []work.Item
}

// FewerRowsReads is how often a span is read if it has fewer rows than the provider's own total.
const FewerRowsReads = 5

// FewerRows is the error after the last page of a read that has fewer rows than the provider's own
// total.
type FewerRows struct {
	From, To    time.Time // what was asked for
	Rows, Total int
}

func (e *FewerRows) Error() string {
	span := plan.Span{From: e.From, To: e.To}
	return fmt.Sprintf("the provider gave %d rows of %s, and its own total says %d: the span isn't complete",
		e.Rows, span, e.Total)
}

// Read pulls the pages of a span of time, rounded outward, and hands each to Commit. It returns the
// first error of either as it is; after an error of Commit it pulls no further page. A span with
// FewerRows is read again at once, each time from its first page, at most FewerRowsReads times.
func (d *Driver) Read(ctx context.Context, from, to time.Time) (err error) {
	for range FewerRowsReads {
		if err = d.readOnce(ctx, from, to); !IsFewerRows(err) || ctx.Err() != nil {
			break
		}
	}
	return err
}

// IsFewerRows says whether an error is a *FewerRows.
func IsFewerRows(err error) bool {
	_, is := errors.AsType[*FewerRows](err)
	return is
}

func (d *Driver) readOnce(ctx context.Context, from, to time.Time) error {
	from, to = plan.ToWholeSeconds(from, to)
	seen := Twins{} // of this read: the largest number seen in one complete read is the count (counting.md 18)
	for page, err := range d.Reader.Pages(ctx, from, to) {
		switch {
		case d.Waits != nil && onlyWaits(err):
			d.Waits(err)
			continue
		case err != nil:
			return err
		}
		page.Position = nil // a reader may use the page's memory again
		seen.Number(page.Records)
		if d.Fetcher != nil {
			d.addNamed(page.Enqueue)
		}
		if err := d.Commit(ctx, page); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err() // the page in hand is safe
		}
	}
	for len(d.unfetched) > 0 {
		n := min(len(d.unfetched), d.Fetcher.Parallel())
		if err := d.fetch(ctx, d.unfetched[:n]); err != nil {
			return err
		}
		d.unfetched = d.unfetched[n:]
	}
	return nil
}

// Probe is a FeedInfo.Probe that reads the first page of the last minute.
func Probe(r RangeReader, now func() time.Time) func(ctx context.Context) (rows int, err error) {
	return func(ctx context.Context) (rows int, err error) {
		from, to := plan.ToWholeSeconds(now().Add(-time.Minute), now())
		for range FewerRowsReads {
			if rows, err = readFirstPage(r.Pages(ctx, from, to)); !IsFewerRows(err) {
				break
			}
		}
		return rows, err
	}
}

func readFirstPage(pages iter.Seq2[*Page, error]) (rows int, err error) {
	next, stop := iter.Pull2(pages)
	defer stop()
	page, err, ok := next()
	if !ok || err != nil {
		return 0, err
	}
	return len(page.Records) + len(page.Invalid) + len(page.Enqueue), nil
}

// Named is how many versions of records the lists have named.
func (d *Driver) Named() int { return len(d.named) }

// addNamed notes what a page names, each version once.
func (d *Driver) addNamed(tasks []work.Item) {
	for _, task := range tasks {
		task.Kind, task.Key = strings.Clone(task.Kind), strings.Clone(task.Key)
		version := work.Item{Key: task.Key, Version: task.Version}
		if d.named == nil {
			d.named = make(map[work.Item]bool)
		}
		if !d.named[version] {
			d.named[version] = true
			d.unfetched = append(d.unfetched, task)
		}
	}
}

// fetch fetches some records at once and commits them in the order of the list. The first error
// that isn't about one record cancels the other fetches, which may be waiting for a limit.
func (d *Driver) fetch(ctx context.Context, tasks []work.Item) error {
	jobs := groupByKey(tasks)
	group, fetching := errgroup.WithContext(ctx)
	for _, j := range jobs {
		group.Go(func() error {
			if j.fetch(fetching, d.Fetcher); isMissing(j.err) {
				return nil
			}
			return j.err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for _, j := range jobs {
		switch {
		case j.err != nil:
			d.Missing(j.tasks[0], j.err)
		case j.page != nil:
			if err := d.Commit(ctx, j.page); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// isMissing says whether an error of a fetch is about that one record.
func isMissing(err error) bool {
	if errors.Is(err, ErrNotYet) || errors.Is(err, ErrGone) || errors.Is(err, ErrStale) || errors.Is(err, ErrTooLarge) {
		return true
	}
	kind := httpclient.KindOf(err)
	return kind == httpclient.KindBadRequest || kind == httpclient.KindNotFound || kind == httpclient.KindGone
}

// SyntheticKey identifies a record without an id by its content (counting.md 18): type, start in
// whole seconds, and the numbers of both parties, normalised.
func SyntheticKey(r *cdr.Record) string {
	start := r.Start.Truncate(time.Second).Format(time.RFC3339)
	// which no number holds
	return strings.Join([]string{r.CallType, start, normalised(r.CallerNumber), normalised(r.CalleeNumber)}, "\x1f")
}

func normalised(number string) string {
	return strings.ToLower(strings.TrimPrefix(strings.Join(strings.Fields(number), ""), "+"))
}

// Twins numbers the records of one complete read that have no id and say the same
// (counting.md 18). It keeps a digest for each, so only feeds whose rows lack ids pay for it.
type Twins map[[16]byte]int

// Number numbers the records of the read's next page.
func (seen Twins) Number(records []*cdr.Record) {
	for _, r := range records {
		if r.Synthetic == "" {
			continue
		}
		sum := sha256.Sum256([]byte(r.Synthetic))
		key := [16]byte(sum[:])
		r.Twin = seen[key]
		seen[key]++
	}
}
