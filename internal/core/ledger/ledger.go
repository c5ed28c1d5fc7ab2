package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/uuid"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/engine"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/ids"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/outbox"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

const fileName = "ledger.db"

// Storage says where a ledger is.
type Storage struct {
	// Folder is storage.path: there is an SQLite file in it.
	Folder string
	// Postgres, if set, is where the ledger is instead (storage.postgres).
	Postgres *Postgres
	// Unsynced: nothing is lost when the process dies, but commits may be when the machine does. It is for
	// ledgers that are thrown away.
	Unsynced bool
}

// String says where that is, for messages.
func (s Storage) String() string {
	if s.Postgres != nil {
		return "PostgreSQL"
	}
	return s.Folder
}

func (s *Storage) database() engine.Database {
	if s.Postgres != nil {
		return s.Postgres
	}
	return engine.SQLite{File: filepath.Join(s.Folder, fileName), Unsynced: s.Unsynced}
}

// withoutTimeout is the database for reading whole tables in one transaction: a statement may take a day.
func (s *Storage) withoutTimeout() engine.Database {
	if s.Postgres == nil {
		return s.database()
	}
	p := *s.Postgres
	p.StatementTimeout = 24 * time.Hour
	return &p
}

// mustExist refuses a folder without a ledger. For a database, checkSchema looks at the tables.
func (s *Storage) mustExist() error {
	if s.Postgres != nil {
		return nil
	}
	_, err := os.Stat(filepath.Join(s.Folder, fileName))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w in %s (storage.path): the exporter makes it at its first start", errNoLedger, s.Folder)
	}
	if err != nil {
		return fmt.Errorf("open ledger: %w", err)
	}
	return nil
}

// Postgres says where a ledger is that several replicas share.
type Postgres = engine.Postgres

// Settings are what a ledger needs to be opened.
type Settings struct {
	Storage
	// Now is the local clock.
	Now func() time.Time
	// Options are the metrics' own.
	Options metrics.Options
	// OnCommit, if set, is called after each commit with how long it took.
	OnCommit func(took time.Duration)
	// OnReplaced, if set, is called once, when the opened ledger was replaced. It must not call the
	// ledger.
	OnReplaced func(err error)
	// OnSkip, if set, is called with the number of log records and spans that a commit skipped (Tuning.SkipLogs).
	OnSkip func(records, spans int)
	// Shows, if set, says whether the series of the Store are shown now.
	Shows func() bool
	// OnFact, if set, is called with each fact and what it changes, before it is known whether the
	// commit succeeds.
	OnFact func(f *facts.Fact, changed []metrics.Delta)
	// IDMemory is the most memory for blocks of ids, in bytes; a sixteenth of it bounds the journal.
	// 0 means 28 MB and 2 MB.
	IDMemory int
	// Reserve is the size of the reserve for a full disk, in bytes, at least 1 MiB; 0 means 16 MiB.
	Reserve int64
	// Tuning may change while the ledger is open.
	Tuning

	// journal, in tests, is its size in bytes.
	journal int
	// probe, in tests, is called before each write and may fail it.
	probe func(point string) error
}

// Tuning has the settings that a reload may change.
type Tuning struct {
	// Privacy says how records are redacted before they are kept.
	Privacy cdr.Policy
	// HashKey is the key of redaction by hash; nil means the ledger's own.
	HashKey []byte
	// Encoder makes log records; nil: none are kept.
	Encoder LogEncoder
	// Tracer makes spans of the calls that are counted after this; nil: none. TracesHistory says that
	// calls of a first history get spans too.
	Tracer        SpanEncoder
	TracesHistory bool
	// OutboxLimit is the most log records, and the most spans, that wait. At the limit SkipLogs skips
	// further ones; without it commits fail with ErrOutboxFull.
	OutboxLimit int64
	SkipLogs    bool
}

// Ledger is the open ledger. It is safe for concurrent use.
type Ledger struct {
	settings Settings
	lock     *flock.Flock
	store    *metrics.Store
	identity atomic.Pointer[Identity] // nil until the ledger was opened
	replaced atomic.Pointer[error]    // why nothing is committed any more
	lastRows lastRows
	created  time.Time
	unowned  map[string]int64 // the epochs of feeds that nobody had at the last adoptOutbox
	renewed  time.Time        // when the last renewal of the lease began
	unkept   sync.Map         // by source, the encrypted successors of spent secrets that aren't committed yet

	// mu is the commit lock: it orders commits and guards all below.
	mu       lock
	closed   bool
	engine   *engine.Engine // nil after a failure, until it was opened and everything below was read again
	redactor *cdr.Redactor
	hasher   counting.Hasher
	feeds    map[string]*Feed
	page     pageCommit
	reserve  reserve
	spending int // secrets that are being spent: the reserve is for their successors
	idMemory *ids.Memory
	files    map[string]fs.FileInfo // the folder's open files, by name; nil for a shared database
	failed   error                  // error of the latest failed attempt to open the database

	outboxes [outbox.Signals]outbox.Queue
	// reader is the engine's Reader; nil while the database is closed.
	reader atomic.Pointer[engine.Session]
	view   bool // nothing is committed: every feed may be looked at
}

// Open opens the ledger, creates it if it is missing, and takes its lock. Errors say what to do.
func Open(ctx context.Context, settings Settings) (*Ledger, error) {
	l := &Ledger{
		mu:       newLock(),
		settings: settings,
		store:    metrics.NewStore(settings.Options, settings.Now),
		feeds:    make(map[string]*Feed),
		files:    make(map[string]fs.FileInfo),
		page:     pageCommit{decision: counting.NewDecision()},
		idMemory: ids.NewMemory(settings.IDMemory, cmp.Or(settings.journal, settings.IDMemory/16)),
	}
	for s := range l.outboxes {
		l.outboxes[s].Open(host{l})
	}
	if !l.Shared() {
		var err error
		if l.lock, err = takeLock(settings.Folder); err != nil {
			return nil, err
		}
		l.reserve = reserve{
			file: filepath.Join(settings.Folder, reserveName),
			most: cmp.Or(settings.Reserve, mostReserve),
		}
	}
	if err := l.load(ctx); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// load opens the file and reads everything that is kept in memory.
func (l *Ledger) load(ctx context.Context) error {
	err := l.ensureOpen(ctx)
	if errors.Is(err, ErrFull) {
		l.reserve.release()
		l.mu.arrived = l.mu.failures.Load() // nobody else waits yet
		err = l.ensureOpen(ctx)
	}
	if err != nil {
		return err
	}
	err = l.commitAlone(ctx, func() error {
		_, err := l.engine.Exec(
			`INSERT INTO meta VALUES ('key', ?), ('instance', ?), ('created', ?) ON CONFLICT (name) DO NOTHING`,
			counting.NewSecret(), uuid.NewString(), l.settings.Now().UTC().Format(time.RFC3339))
		if err != nil {
			return fmt.Errorf("prepare ledger: %w", err)
		}
		return l.checkCatalogue()
	})
	if err != nil {
		return err
	}
	opened, err := readIdentity(l.engine.ScanRow)
	if err == nil {
		l.hasher, err = counting.NewHasher(opened.key)
	}
	if err != nil {
		return err
	}
	if l.created, err = readCreated(&l.engine.Session); err != nil {
		return err
	}
	l.identity.Store(&opened)
	l.setTuning(l.settings.Tuning)
	l.reserve.released = !l.fillReserve()
	return l.checkInvariants()
}

// Created is when the ledger was made, by the clock of the machine that made it.
func (l *Ledger) Created() time.Time { return l.created }

// Close closes the ledger. It may be called twice.
func (l *Ledger) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	unkept := l.keepSecrets()
	l.closed = true
	for s := range l.outboxes {
		l.outboxes[s].Wake()
	}
	err := l.closeEngine()
	if l.Shared() {
		return unkept // a connection that was broken already loses nothing else
	}
	return errors.Join(unkept, err, l.lock.Close())
}

// Store are the series that come from records.
func (l *Ledger) Store() *metrics.Store { return l.store }

// InstanceID is a UUID made with the ledger and kept in it.
func (l *Ledger) InstanceID() string { return l.identity.Load().instance }

// Derive returns a secret of 32 bytes for a purpose, the same for as long as the ledger lives. The
// secrets of two purposes reveal nothing about each other.
func (l *Ledger) Derive(purpose string) []byte { return l.hasher.Derive("purpose: " + purpose) }

// Tune applies the settings of a reload.
func (l *Ledger) Tune(tuning Tuning, options metrics.Options) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.store.Reconfigure(options)
	l.settings.Options = options
	l.setTuning(tuning)
}

func (l *Ledger) setTuning(tuning Tuning) {
	key := tuning.HashKey
	if key == nil {
		key = l.hasher.Privacy()
	}
	l.settings.Tuning, l.redactor = tuning, cdr.NewRedactor(tuning.Privacy, key)
	tune := func(q *outbox.Queue, isSent bool) {
		if !isSent { // nobody sends the rest of it
			q.Tune(0, false)
			return
		}
		q.Tune(tuning.OutboxLimit, !tuning.SkipLogs)
	}
	tune(l.Logs(), tuning.Encoder != nil)
	tune(l.Spans(), tuning.Tracer != nil)
}
