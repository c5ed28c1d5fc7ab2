package wavix

import (
	"context"
	"iter"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// book takes pages as the driver and the ledger do: each record counts once by its keys, rows
// without an id that say the same are numbered within a read (counting.md 18).
type book struct {
	known    map[string]bool
	came     []string // the ids that came, or the caller of a row without one, in order
	pages    int
	last     int
	invalid  []string
	unmapped []collector.Unmapped
	totals   map[string]collector.DayTotal // of the last read, by date
	count    func(*cdr.Record)             // of a new one; nil: nothing
	fail     func(*collector.Page) error   // instead of a commit; nil: never
}

func newBook() *book { return &book{known: map[string]bool{}} }

// pagesOf are the pages of a reader.
func pagesOf(ctx context.Context, reader any, from, to time.Time) iter.Seq2[*collector.Page, error] {
	return reader.(interface { //nolint:forcetypeassert // a test
		Pages(ctx context.Context, from, to time.Time) iter.Seq2[*collector.Page, error]
	}).Pages(ctx, from, to)
}

func (b *book) read(ctx context.Context, reader any, from, to time.Time) error {
	twins := map[string]int{}
	b.totals = map[string]collector.DayTotal{}
	for page, err := range pagesOf(ctx, reader, from, to) {
		if err != nil {
			return err
		}
		if b.fail != nil {
			if err := b.fail(page); err != nil {
				return err
			}
		}
		b.pages++
		if len(page.Totals) > 0 {
			b.last++
		}
		b.take(page, twins)
	}
	return nil
}

func (b *book) take(page *collector.Page, twins map[string]int) {
	for _, r := range page.Records {
		keys := append([]string{r.ID}, r.AltIDs...)
		name := r.ID
		if r.ID == "" {
			keys, name = []string{r.Synthetic + " " + strconv.Itoa(twins[r.Synthetic])}, r.CallerNumber
			twins[r.Synthetic]++
		}
		b.came = append(b.came, name)
		isNew := !slices.ContainsFunc(keys, func(key string) bool { return b.known[key] })
		for _, key := range keys {
			b.known[key] = true
		}
		if isNew && b.count != nil {
			b.count(r)
		}
	}
	for _, bad := range page.Invalid {
		if !b.known[string(bad.Content)] {
			b.known[string(bad.Content)] = true
			b.invalid = append(b.invalid, bad.At+": "+bad.Problem)
		}
	}
	b.unmapped = append(b.unmapped, page.Unmapped...)
	for _, total := range page.Totals {
		b.totals[total.Day.Format(time.DateOnly)] = total
	}
}

var books sync.Map // of readers, for ids

// ids reads a range and returns the ids in order. The same reader knows the ids of earlier calls.
func ids(ctx context.Context, reader any, from, to time.Time) ([]string, error) {
	found, _ := books.LoadOrStore(reader, newBook())
	b := found.(*book) //nolint:forcetypeassert // a test
	began := len(b.came)
	err := b.read(ctx, reader, from, to)
	return slices.Clone(b.came[began:]), err
}
