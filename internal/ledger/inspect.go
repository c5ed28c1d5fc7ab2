package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/klauspost/compress/s2"

	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// Inspector reads a ledger as it was at one instant, without its lock: another process may write to it meanwhile.
type Inspector struct {
	ledger *Ledger
	feeds  []*Feed
}

// FeedReport is what a ledger holds of a feed.
type FeedReport struct {
	Source, Provider, Feed string
	State                  State
	// Journal is how many ids the journal has that aren't in blocks yet.
	Journal int
	// Buckets are in order of their time: records by hour, then what is kept by four days.
	Buckets []BucketReport
	// Waiting are the tasks that wait, but for those set aside, which are SetAside.
	Waiting  int
	SetAside []Task
	// BadRows are the rows that were set aside, by their problem, the most frequent first.
	BadRows []BadRowReport
}

// BucketReport is what is remembered of an hour, or of four days.
type BucketReport struct {
	Start time.Time
	Hour  bool // it is of an hour
	// Blocks is how many rows of SQL there are, IDs how many keys are in them and in the journal; a key may be in several.
	Blocks, IDs int
	// Bytes is what the blocks take on disk.
	Bytes int64
}

// BadRowReport is how many rows were set aside for a reason, and when one was last.
type BadRowReport struct {
	Problem string
	Rows    int
	Last    time.Time
}

// Inspect opens the ledger of a folder for reading.
func Inspect(ctx context.Context, folder string) (*Inspector, error) {
	file := filepath.Join(folder, fileName)
	if _, err := os.Stat(file); err != nil {
		return nil, noLedger(folder, err)
	}
	e, err := openView(ctx, file)
	if err != nil {
		return nil, err
	}
	i := &Inspector{ledger: &Ledger{
		settings: Settings{Folder: folder, Now: time.Now}, engine: e, feeds: make(map[string]*Feed), idCache: newIDCache(cacheBytes),
		store: metrics.NewStore(metrics.Options{BypassWindow: time.Hour}, time.Now),
	}}
	if err := i.ledger.root.load(e, 0); err != nil {
		return nil, errors.Join(err, i.Close())
	}
	if i.feeds, err = i.ledger.everyFeed(); err != nil {
		return nil, errors.Join(err, i.Close())
	}
	return i, nil
}

func noLedger(folder string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no ledger in %s (storage.path): the exporter makes it at its first start", folder)
	}
	return fmt.Errorf("open ledger: %w", err)
}

// everyFeed are all feeds of the file, configured or not, in order of their names.
func (l *Ledger) everyFeed() ([]*Feed, error) {
	rows, err := l.engine.query(`SELECT id, source, provider, feed FROM feeds WHERE id > 0 ORDER BY source, feed`)
	if err != nil {
		return nil, err
	}
	var all []*Feed
	if err := scanAll(rows, func() error {
		f := &Feed{ledger: l}
		all = append(all, f)
		return rows.Scan(&f.id, &f.spec.Source, &f.spec.Provider, &f.spec.Feed)
	}); err != nil {
		return nil, err
	}
	for _, f := range all {
		if err := f.load(f.id); err != nil {
			return nil, fmt.Errorf("%s: %w", f.name(), err)
		}
	}
	return all, nil
}

func (f *Feed) name() string { return f.spec.Source + "/" + f.spec.Feed }

// Close ends reading.
func (i *Inspector) Close() error { return i.ledger.engine.close() }

// Size is how many bytes the ledger's files take, the write-ahead log included.
func (i *Inspector) Size() (int64, error) { return i.ledger.Size() }

// Outbox is how many log records wait to be sent.
func (i *Inspector) Outbox() (records int64, err error) {
	err = i.ledger.engine.scanRow(`SELECT COALESCE(sum(records), 0) FROM outbox`, nil, &records)
	return records, err
}

// Feeds reports what there is of every feed.
func (i *Inspector) Feeds() ([]FeedReport, error) {
	var all []FeedReport
	for _, f := range i.feeds {
		r, err := i.report(f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.name(), err)
		}
		all = append(all, r)
	}
	return all, nil
}

func (i *Inspector) report(f *Feed) (r FeedReport, err error) {
	r = FeedReport{Source: f.spec.Source, Provider: f.spec.Provider, Feed: f.spec.Feed, State: f.State(), Journal: len(f.ids.pending)}
	if r.Buckets, err = i.buckets(f); err != nil {
		return r, err
	}
	rows, err := i.ledger.engine.query(`SELECT kind, key, version, due, attempts, set_aside, problem FROM tasks WHERE feed = ? ORDER BY due, kind, key`, f.id)
	if err != nil {
		return r, err
	}
	if err := scanAll(rows, func() error {
		var task Task
		var due int64
		if err := rows.Scan(&task.Kind, &task.Key, &task.Version, &due, &task.Attempts, &task.SetAside, &task.Problem); err != nil {
			return err
		}
		if !task.SetAside {
			r.Waiting++
			return nil
		}
		task.Due = fromMicros(due)
		r.SetAside = append(r.SetAside, task)
		return nil
	}); err != nil {
		return r, err
	}
	r.BadRows, err = i.badRows(f)
	return r, err
}

// buckets are those of the feed, but for rows set aside.
func (i *Inspector) buckets(f *Feed) ([]BucketReport, error) {
	byBucket := make(map[int64]*BucketReport)
	of := func(bucket int64) *BucketReport {
		if byBucket[bucket] == nil {
			byBucket[bucket] = &BucketReport{Start: time.Unix(max(3600*bucket, -bucketSeconds*bucket), 0).UTC(), Hour: bucket > 0}
		}
		return byBucket[bucket]
	}
	for at := range f.ids.pending {
		of(at.bucket).IDs++
	}
	rows, err := i.ledger.engine.query(`SELECT bucket, ids, length(keys) + length(states) FROM blocks WHERE feed = ?`, f.id)
	if err != nil {
		return nil, err
	}
	if err := scanAll(rows, func() error {
		var bucket, bytes int64
		var ids int
		if err := rows.Scan(&bucket, &ids, &bytes); err != nil {
			return err
		}
		b := of(bucket)
		b.Blocks, b.IDs, b.Bytes = b.Blocks+1, b.IDs+ids, b.Bytes+bytes
		return nil
	}); err != nil {
		return nil, err
	}
	var all []BucketReport
	for bucket, b := range byBucket {
		if bucket > lastSetAside {
			all = append(all, *b)
		}
	}
	slices.SortFunc(all, func(a, b BucketReport) int {
		return cmp.Or(cmp.Compare(flag(b.Hour), flag(a.Hour)), a.Start.Compare(b.Start))
	})
	return all, nil
}

// badRows counts the rows that were set aside.
func (i *Inspector) badRows(f *Feed) ([]BadRowReport, error) {
	byProblem := make(map[string]*BadRowReport)
	for _, bucket := range f.ids.bucketsIn(minBucket, lastSetAside) {
		err := f.ids.each(i.ledger.engine, bucket, func(e idEntry) error {
			at, problem, _ := parseBadRow(e.data)
			b := byProblem[problem]
			if b == nil {
				b = &BadRowReport{Problem: problem}
				byProblem[problem] = b
			}
			if b.Rows++; at.After(b.Last) {
				b.Last = at
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	var all []BadRowReport
	for _, b := range byProblem {
		all = append(all, *b)
	}
	slices.SortFunc(all, func(a, b BadRowReport) int {
		return cmp.Or(cmp.Compare(b.Rows, a.Rows), cmp.Compare(a.Problem, b.Problem))
	})
	return all, nil
}

// Verify checks everything that must hold within the file and returns what doesn't. progress, if not nil, is called with each feed's
// name and how many ids were checked.
func (i *Inspector) Verify(progress func(feed string, ids int)) []error {
	var problems []error
	for _, f := range i.feeds {
		ids, err := i.verifyFeed(f)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", f.name(), err))
		}
		if progress != nil {
			progress(f.name(), ids)
		}
	}
	if err := i.verifyOutbox(); err != nil {
		problems = append(problems, err)
	}
	if err := i.verifyFile(); err != nil {
		problems = append(problems, err)
	}
	return problems
}

// verifyFeed checks the form of every id, that further ids lead to records, and that as many calls are counted as there are records.
func (i *Inspector) verifyFeed(f *Feed) (ids int, err error) {
	e, s := i.ledger.engine, f.row.state
	calls, gone := uint64(0), forgottenBelow(s.Floor, s.Floor)
	for _, bucket := range f.ids.bucketsIn(minBucket, maxBucket) {
		err := f.ids.each(e, bucket, func(entry idEntry) error {
			ids++
			if err := checkState(entry.data); err != nil {
				return err
			}
			if entry.data[0] == rowRecord && flagsOf(entry.data)&rowFurther == 0 {
				calls++
			}
			of, key, ok := parseAlias(entry.data)
			if !ok || gone.has(of) {
				return nil
			}
			if data, err := f.ids.lookup(e, of, key); err != nil || data == nil {
				return errors.Join(err, fmt.Errorf("the id of a record leads nowhere: %w", errRow))
			}
			return nil
		})
		if err != nil {
			return ids, err
		}
	}
	var problems []error
	pruned := s.Floor.After(s.Origin)
	if calls > s.Records || calls < s.Records && !pruned {
		problems = append(problems, fmt.Errorf("%d calls are remembered, %d were counted", calls, s.Records))
	}
	if s.Floor.Before(s.Origin) {
		problems = append(problems, errors.New("the floor lies before the origin"))
	}
	f.spec.Parents = true // what the file doesn't say: a parent's failure may stand for its child's
	return ids, errors.Join(append(problems, f.verifyTotals())...)
}

// verifyOutbox checks that every batch that waits can be read.
func (i *Inspector) verifyOutbox() error {
	rows, err := i.ledger.engine.query(`SELECT id, records, data FROM outbox ORDER BY id`)
	if err != nil {
		return err
	}
	return scanAll(rows, func() error {
		var id, records int64
		var data []byte
		if err := rows.Scan(&id, &records, &data); err != nil {
			return err
		}
		if _, err := s2.Decode(nil, data); err != nil || records <= 0 {
			return fmt.Errorf("batch %d of the outbox is damaged: its %d log records will be set aside", id, records)
		}
		return nil
	})
}

// verifyFile has SQLite check its file.
func (i *Inspector) verifyFile() error {
	rows, err := i.ledger.engine.query(`PRAGMA integrity_check`)
	if err != nil {
		return err
	}
	var problems []error
	err = scanAll(rows, func() error {
		var text string
		if err := rows.Scan(&text); err != nil {
			return err
		}
		if text != "ok" {
			problems = append(problems, fmt.Errorf("SQLite: %s", text))
		}
		return nil
	})
	return errors.Join(append(problems, err)...)
}
