package ledger

import (
	"bytes"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/s2"
	"go.uber.org/goleak"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr/cdrtest"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/engine"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/ids"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/outbox"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

func TestMain(m *testing.M) {
	verifying = true
	var options []goleak.Option
	flag.Parse()
	if skip := flag.Lookup("test.skip").Value; server == "" {
		_ = skip.Set(strings.TrimPrefix(skip.String()+"|"+aboutServer, "|"))
	} else {
		options = append(options, goleak.IgnoreTopFunction("database/sql.(*DB).connectionOpener")) // spare.admin's
	}
	goleak.VerifyTestMain(m, options...)
}

// testReserve is small, since every test writes one.
const testReserve = 1 << 20

// clock is a test's clock.
type clock struct{ at time.Time }

func (c *clock) now() time.Time      { return c.at }
func (c *clock) add(d time.Duration) { c.at = c.at.Add(d) }

// lineEncoder makes log records that a test can read.
type lineEncoder struct{}

func (lineEncoder) AppendRecord(batch []byte, r *cdr.Record, e *counting.Event) []byte {
	if s := e.Session; s != nil {
		return fmt.Appendf(batch, "%s %s/%s v%d %s number=%s user=%s,%s,%s %v\n",
			e.Name, e.RecordID, s.ID, e.Version, s.Result, s.Number, s.UserID, s.UserName, s.UserPrincipal, s.Extra)
	}
	return fmt.Appendf(batch, "%s %s v%d %s from=%s to=%s user=%s %s\n",
		e.Name, e.RecordID, e.Version, r.Outcome, r.CallerNumber, r.CalleeNumber, r.UserName,
		strings.Join(e.Changed, ","))
}

// rig is a ledger under test.
type rig struct {
	t       *testing.T
	clock   *clock
	storage Storage
	probe   func(string) error
	tuning  Tuning
	spec    FeedSpec
	opts    metrics.Options
	// idMemory bounds the cache of blocks, journal is its size; 0 takes the usual ones.
	idMemory, journal int
	replaced          []error // what OnReplaced was called with
	ledger            *Ledger
	feed              *Feed
}

func newRig(t *testing.T, change ...func(*rig)) *rig {
	t.Helper()
	return openRig(t, newStorage(t), change...)
}

// newLiveRig is a rig whose first history is over, without calls.
func newLiveRig(t *testing.T, change ...func(*rig)) *rig {
	t.Helper()
	r := newRig(t, change...)
	r.live()
	return r
}

// openRig opens a ledger after a change of what is usual.
func openRig(t *testing.T, storage Storage, change ...func(*rig)) *rig {
	t.Helper()
	r := &rig{
		t: t, clock: &clock{at: epoch}, storage: storage,
		tuning: Tuning{
			Privacy: cdr.Policy{Numbers: cdr.Mask, Users: cdr.Hash, Addresses: cdr.Drop},
			Encoder: lineEncoder{}, OutboxLimit: 1e6,
		},
		spec: FeedSpec{
			Settings: counting.Settings{
				Source: "contoso", Provider: "msgraph", Feed: "direct_routing", History: 24 * time.Hour,
				Lookback: 48 * time.Hour, LateAfter: time.Hour, Currency: "XXX",
			},
			Fingerprint: "msgraph tenant",
		},
		opts: metrics.Options{SeriesLimit: 10000, Native: true},
	}
	for _, c := range change {
		c(r)
	}
	r.open()
	t.Cleanup(r.close)
	return r
}

func (r *rig) settings() Settings {
	return Settings{
		Storage: r.storage, Now: r.clock.now, Options: r.opts, Tuning: r.tuning, Reserve: testReserve,
		IDMemory: r.idMemory, journal: r.journal,
		OnReplaced: func(err error) { r.replaced = append(r.replaced, err) },
		probe: func(point string) error {
			if r.probe != nil {
				return r.probe(point)
			}
			return nil
		},
	}
}

func (r *rig) open() {
	r.t.Helper()
	var err error
	if r.ledger, err = Open(r.t.Context(), r.settings()); err != nil {
		r.t.Fatalf("open: %v", err)
	}
	own(r.t, r.ledger, r.spec)
	r.openFeed()
}

func (r *rig) openFeed() {
	r.t.Helper()
	var err error
	if r.feed, err = r.ledger.Feed(r.t.Context(), r.spec); err != nil {
		r.t.Fatalf("feed: %v", err)
	}
}

// reopen closes the ledger and opens it again.
func (r *rig) reopen() { r.t.Helper(); r.close(); r.open() }

func (r *rig) close() {
	r.t.Helper()
	if err := r.ledger.Close(); err != nil {
		r.t.Errorf("close: %v", err)
	}
}

// live ends the first history without calls.
func (r *rig) live() { r.commit(&counting.Page{Position: &counting.Position{HistoryDone: true}}) }

func (r *rig) commit(p *counting.Page) counting.Result {
	r.t.Helper()
	if p.ObservedAt.IsZero() {
		p.ObservedAt = r.clock.at
	}
	page, overwrite := lent(p)
	result, err := r.tryPage(page)
	if err != nil {
		r.t.Fatalf("commit: %v", err)
	}
	overwrite()
	return result
}

func (r *rig) records(all ...*cdr.Record) counting.Result {
	r.t.Helper()
	return r.commit(&counting.Page{Records: all})
}

// readTo moves the watermark.
func (r *rig) readTo(watermark time.Time) {
	r.t.Helper()
	r.commit(&counting.Page{Position: &counting.Position{Watermark: watermark}})
}

// try commits records, which may fail.
func (r *rig) try(all ...*cdr.Record) (counting.Result, error) {
	return r.tryPage(&counting.Page{Records: all, ObservedAt: r.clock.at})
}

func (r *rig) tryPage(p *counting.Page) (counting.Result, error) {
	return r.feed.Commit(r.t.Context(), p)
}

// failAt fails what the ledger does at a point, every time.
func failAt(point string, err error) func(string) error {
	return func(at string) error {
		if strings.HasPrefix(at, point) {
			return err
		}
		return nil
	}
}

// failOnce fails what the ledger does next at a point.
func (r *rig) failOnce(point string, err error) {
	r.probe = func(at string) error {
		if !strings.HasPrefix(at, point) {
			return nil
		}
		r.probe = nil
		return err
	}
}

func (r *rig) prune() {
	r.t.Helper()
	require.NoError(r.t, r.ledger.Prune(r.t.Context()))
}

// exec changes what is stored.
func (r *rig) exec(statement string, args ...any) {
	r.t.Helper()
	if _, err := r.ledger.engine.Exec(statement, args...); err != nil {
		r.t.Fatal(err)
	}
}

// count is how many rows a table has.
func (r *rig) count(table string) (n int) {
	r.t.Helper()
	require.NoError(r.t, r.ledger.engine.ScanRow(`SELECT count(*) FROM `+table, nil, &n))
	return n
}

// next is the oldest batch of log records, nil if none waits.
func (r *rig) next() *outbox.Batch {
	r.t.Helper()
	batch, err := r.ledger.Logs().Next(r.t.Context(), 0)
	require.NoError(r.t, err)
	return batch
}

func (r *rig) ack(id int64) {
	r.t.Helper()
	require.NoError(r.t, r.ledger.Logs().Ack(r.t.Context(), id))
}

// drain takes all batches of log records.
func (r *rig) drain() (all []*outbox.Batch) {
	r.t.Helper()
	for b := r.next(); b != nil; b = r.next() {
		all = append(all, b)
		r.ack(b.ID)
	}
	return all
}

// values are the shown values by `name{own labels}`; histograms by count and sum.
func (r *rig) values() map[string]string { return valuesOf(r.ledger.Store()) }

func valuesOf(s metrics.Source) map[string]string {
	all := make(map[string]string)
	for _, f := range s.Snapshot().Families {
		for _, p := range f.Points {
			key := f.Def.Name + "{" + strings.Join(p.Labels.Values[3:], ",") + "}"
			if p.Hist != nil {
				all[key] = fmt.Sprintf("%d/%g", p.Hist.Count, f.Def.InUnit(p.Hist.Sum))
				continue
			}
			all[key] = strconv.FormatFloat(p.Value, 'g', -1, 64)
		}
	}
	return all
}

// logs are the lines of the outbox, oldest first.
func (r *rig) logs() []string {
	r.t.Helper()
	var all []string
	err := r.ledger.engine.ScanAll(`SELECT data FROM outbox ORDER BY created, feed, seq, part`, nil,
		func(rows *sql.Rows) error {
			var data []byte
			err := rows.Scan(&data)
			if err != nil {
				return err
			}
			if data, err = s2.Decode(nil, data); err != nil {
				return err
			}
			for line := range bytes.Lines(data) {
				all = append(all, strings.TrimSpace(string(line)))
			}
			return nil
		})
	require.NoError(r.t, err)
	return all
}

// image copies what is stored as a crash at this instant would leave it.
func (r *rig) image() Storage {
	if r.storage.Postgres != nil {
		return copySchema(r.t, r.storage)
	}
	folder := filepath.Join(r.t.TempDir(), "image")
	require.NoError(r.t, os.MkdirAll(folder, 0o750))
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(filepath.Join(r.storage.Folder, fileName+suffix))
		if os.IsNotExist(err) {
			continue
		}
		require.NoError(r.t, err)
		require.NoError(r.t, os.WriteFile(filepath.Join(folder, fileName+suffix), data, 0o600))
	}
	return Storage{Folder: folder}
}

// crash abandons the ledger and goes on with an image of it.
func (r *rig) crash(image Storage) {
	r.t.Helper()
	r.probe = nil
	r.close()
	r.storage = image
	r.open()
}

var (
	call, start, outcome, version, alts, inGroup = cdrtest.Call, cdrtest.Start, cdrtest.Outcome, cdrtest.Version,
		cdrtest.Alts, cdrtest.InGroup
	charge, money, sessions, stream, bypass = cdrtest.Charge, cdrtest.Money, cdrtest.Sessions, cdrtest.Stream,
		cdrtest.Bypass
	provisional, settled = cdrtest.Provisional, cdrtest.Settled
	epoch                = cdrtest.Epoch
)

// moving are the rules of a feed whose starts move, and whose parts settle.
func moving(does bool) counting.Rules {
	return counting.Rules{Grows: does}
}

// The first bytes of what counting stores.
const rowRecord, rowFact, rowCall = 2, 3, 4

// factBucket is the bucket of four days in which facts of a start lie.
func factBucket(start time.Time) int64 { return -(start.Unix() / counting.BucketSeconds) }

// newMovingStartRig is a rig of a feed whose starts move, with ten days of history.
func newMovingStartRig(t *testing.T) *rig {
	return newLiveRig(t, func(r *rig) {
		r.spec.Feed, r.spec.Rules, r.spec.History = "call_records", moving(true), 240*time.Hour
		r.spec.LateAfter = 1000 * time.Hour
	})
}

// idKey is a key in a bucket.
type idKey struct {
	bucket int64
	key    counting.Hash
}

// remembered is what the feed remembers, by bucket and key, as the file has it.
func (r *rig) remembered() map[idKey][]byte {
	r.t.Helper()
	all := make(map[idKey][]byte)
	fresh := r.storedIDs()
	for _, bucket := range fresh.Buckets() {
		entries, err := fresh.Bucket(bucket)
		require.NoError(r.t, err)
		for _, entry := range entries {
			require.NoError(r.t, entry.Check())
			all[idKey{bucket, entry.Hash}] = entry.Data
		}
	}
	return all
}

// storedIDs are the feed's ids as the file has them.
func (r *rig) storedIDs() *ids.Store {
	r.t.Helper()
	fresh, err := ids.Load(&r.ledger.engine.Session, r.feed.id, ids.NewMemory(1<<30, 0))
	require.NoError(r.t, err)
	return fresh
}

// entries is how many entries lie in buckets that match.
func (r *rig) entries(match func(bucket int64) bool) int {
	r.t.Helper()
	n := 0
	for at := range r.remembered() {
		n += int(engine.Flag(match(at.bucket)))
	}
	return n
}

// The kinds of buckets.
func anyBucket(int64) bool     { return true }
func byHour(bucket int64) bool { return bucket > 0 }
func byFact(bucket int64) bool { return bucket < 0 }

// remember writes an entry to the file and reads the feed again.
func (r *rig) remember(bucket int64, key counting.Hash, data []byte) {
	r.t.Helper()
	err := r.storedIDs().Keep(int64(1_000_000+r.count("journal")),
		[]counting.Stored{{Place: counting.Place{Bucket: bucket, Hash: key}, Data: data}})
	require.NoError(r.t, errors.Join(err, r.feed.load()))
}

// packIDs moves what is remembered into blocks.
func (r *rig) packIDs() {
	r.t.Helper()
	require.NoError(r.t, r.feed.packIDs(r.t.Context()))
}

// total sums the shown values of a counter.
func (r *rig) total(name string) int {
	r.t.Helper()
	total := 0
	for key, v := range r.values() {
		if strings.HasPrefix(key, name+"{") {
			n, err := strconv.Atoi(v)
			require.NoError(r.t, err)
			total += n
		}
	}
	return total
}

func wantValues(t *testing.T, got, want map[string]string) {
	t.Helper()
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if got[key] != want[key] {
			t.Errorf("%s = %q, want %q", key, got[key], want[key])
		}
	}
}
