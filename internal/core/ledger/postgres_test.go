package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
	"github.com/cdr-exporter/cdr-exporter/internal/pgtest"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// serverVariable, in the environment, has the tests of this package run on PostgreSQL: it is the URL of a database.
const serverVariable = "CDR_LEDGER_POSTGRES"

var server = os.Getenv(serverVariable)

// aboutFiles are the tests of what only SQLite has (a folder, a file, a full disk), and of servers that they start
// themselves. aboutMemory are those of what is decided before anything is written; the statements that write it run in
// other tests too. aboutServer are the tests of what only PostgreSQL has.
const (
	aboutFiles = "^(TestASilentServerIsWaitedForOnce|TestCompact|TestFileSystems|TestFilesArePrivate|" +
		"TestOnPostgres|TestOpenRefuses|TestPrivacyNothingInTheFiles|" +
		"TestReadOnlyHandle|TestRenewGivesUpInTime|TestRule29FullDisk|TestRule29ReadingLeavesTheReserve|" +
		"TestRule29ReadingLeavesTheReserveOfAFullDisk|TestRule34FilesAreReplaced|TestSecondProcessIsRefused|" +
		"TestUnreplicatedCommit)$"
	aboutMemory = "^(TestActivity|TestClocksAreKeptApart|TestConflict|TestDerive|" +
		"TestExemplars|TestExemplarsAreShownWithTheirSeries|TestExemplarsOfCalls|TestExemplarsOfRedactedCalls|" +
		"TestLoggedCurrencyIsTheCountedOne|TestMostCallsWait|TestOlderCallsAreInNoReadsWay|TestOutboxFull|" +
		"TestOutboxSplitsBatches|TestPeakAfterAClockThatWasAhead|TestPeakByTheProvidersClock|TestPeakConcurrency|" +
		"TestPeakModel|TestPeakOfAFirstHistory|TestPeakOfAnHourBeforeTheOrigin|TestPeakOverflow|" +
		"TestReloadedReasons|TestRule04KnownRecords|TestRule05OriginByTheProvidersClock|" +
		"TestRule10WatermarkStepsBack|TestRule15MovingStartExpiry|TestRule20NearOrigin|TestRule21ZeroFor|" +
		"TestRule22Overflow|TestRule25TrailingRatio|TestRule37FailedCommit|TestRule37Lookup|TestRule37RoomForRows|" +
		"TestStartsInTheFuture)$"
	aboutServer = "^(TestAcquireAtOnce|TestAcquireFromWhoIsBack|TestCatalogueChangesBesideAnOwner|" +
		"TestEnqueueAnywhere|TestFeedAfterALostConnection|TestFencedInMidCommit|TestFencing|" +
		"TestIdleConnectionThatIsClosed|TestInspectEndsWithItsContext|TestOldestOfATakenOverFeed|" +
		"TestOpenWhatCannotBeRead|TestOutboxOfAFeedIsReadInTheEnd|TestOutboxOfARemovedSource|" +
		"TestPausedRegistration|TestPooler|TestRule34AnotherDatabase|TestRule34AnotherVersion|TestStartAtOnce|" +
		"TestWaitingLegsMoveToAnotherReplica)$"
)

// TestOnPostgres runs the tests of this package once more, with each ledger in a schema of a real PostgreSQL.
func TestOnPostgres(t *testing.T) {
	if testing.Short() {
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.skip="+aboutFiles+"|"+aboutMemory)
	cmd.Env = append(os.Environ(), serverVariable+"="+pgtest.StartTrusting(t, "fsync = off").Admin())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// spare are the emptied schemas of tests that ended: making a new one takes longer than most tests.
var spare struct {
	sync.Mutex
	names []string
	made  int
	admin *sql.DB
}

// newStorage is an empty folder, or a schema without a ledger.
func newStorage(t testing.TB) Storage {
	if server == "" {
		return Storage{Folder: t.TempDir()}
	}
	spare.Lock()
	defer spare.Unlock()
	var name string
	if last := len(spare.names) - 1; last >= 0 {
		name, spare.names = spare.names[last], spare.names[:last]
	} else {
		spare.made++
		name = fmt.Sprintf("ledger_%d_%d", os.Getpid(), spare.made)
		inServer(t, `CREATE SCHEMA `+name)
	}
	t.Cleanup(func() { empty(t, name) })
	return inSchema(t, name)
}

// empty brings a schema back to what opening a ledger makes first.
func empty(t testing.TB, name string) {
	spare.Lock()
	defer spare.Unlock()
	var all strings.Builder
	fmt.Fprintf(&all, "SET search_path = %s;", name)
	for _, table := range append(tableNames(), "replicas") {
		fmt.Fprintf(&all, "DELETE FROM %s;", table)
	}
	for _, statement := range schema {
		if strings.HasPrefix(statement, "INSERT") {
			all.WriteString(statement + ";")
		}
	}
	inServer(t, all.String())
	spare.names = append(spare.names, name)
}

func inSchema(t testing.TB, name string) Storage {
	dsn, err := url.Parse(server)
	require.NoError(t, err)
	query := dsn.Query()
	query.Set("search_path", name)
	dsn.RawQuery = query.Encode()
	return inDatabase(dsn.String(), 0)
}

// inDatabase is a ledger of this replica in a database; a timeout of 0 is the usual one.
func inDatabase(dsn string, timeout time.Duration) Storage {
	return Storage{Postgres: &Postgres{
		DSN:     func(context.Context) (string, error) { return dsn, nil },
		Replica: "replica", StatementTimeout: timeout,
	}}
}

func schemaOf(t testing.TB, s Storage) string {
	t.Helper()
	dsn, err := s.Postgres.DSN(t.Context())
	require.NoError(t, err)
	parsed, err := url.Parse(dsn)
	require.NoError(t, err)
	return parsed.Query().Get("search_path")
}

// inServer runs statements as the server's owner.
func inServer(t testing.TB, statements string) {
	t.Helper()
	if spare.admin == nil {
		var err error
		if spare.admin, err = sql.Open("pgx", server); err != nil {
			t.Fatal(err)
		}
		spare.admin.SetMaxOpenConns(1)
	}
	if _, err := spare.admin.ExecContext(context.WithoutCancel(t.Context()), statements); err != nil {
		t.Fatal(err)
	}
}

// copySchema is a copy of what is committed.
func copySchema(t testing.TB, from Storage) Storage {
	to := newStorage(t)
	var all strings.Builder
	l, err := Open(t.Context(), Settings{Storage: to, Now: time.Now}) // it makes the tables
	if err == nil {
		err = l.Close()
	}
	require.NoError(t, err)
	for _, table := range append(tableNames(), "replicas") {
		fmt.Fprintf(&all, "DELETE FROM %[2]s.%[3]s; INSERT INTO %[2]s.%[3]s SELECT * FROM %[1]s.%[3]s;",
			schemaOf(t, from), schemaOf(t, to), table)
	}
	inServer(t, all.String())
	return to
}

// own makes the replica the owner of a feed, where that matters.
func own(t testing.TB, l *Ledger, spec FeedSpec) {
	t.Helper()
	if !l.Shared() {
		return
	}
	require.NoError(t, l.Register(t.Context(), spec))
	if _, err := l.Acquire(t.Context(), ownerOf(t, l, spec)); err != nil {
		t.Fatal(err)
	}
}

// inWords is a statement with bytes as the database writes them.
func inWords(statement string) string {
	if server == "" {
		return statement
	}
	return strings.ReplaceAll(statement, "x'", `'\x`)
}

// ownerOf renews the replica's lease and says who owns a feed.
func ownerOf(t testing.TB, l *Ledger, spec FeedSpec) *FeedOwner {
	t.Helper()
	c, err := l.Renew(t.Context())
	require.NoError(t, err)
	i := slices.IndexFunc(c.Feeds, func(f FeedOwner) bool { return f.Source == spec.Source && f.Feed == spec.Feed })
	if i < 0 {
		t.Fatalf("no feed %s/%s", spec.Source, spec.Feed)
	}
	return &c.Feeds[i]
}

// TestIdleConnectionThatIsClosed: a server, or what is between, that closes idle connections makes no commit fail.
func TestIdleConnectionThatIsClosed(t *testing.T) {
	r := newLiveRig(t)
	r.records(call("a"))
	r.terminate()
	r.records(call("b"))
	r.records(call("a"), call("b"))
	wantValues(t, r.values(), map[string]string{answered: "2"})
}

// TestPooler: a pooler that lends a connection for one transaction, as PgBouncer does with
// pool_mode = transaction, loses statements that were prepared: the error says what to add to the
// DSN, and nothing is prepared then.
func TestPooler(t *testing.T) {
	for mode, want := range map[string]string{
		"": "add default_query_exec_mode=exec", "exec": "",
		"simple_protocol": "",
	} {
		t.Run(mode, func(t *testing.T) {
			storage := newStorage(t)
			direct := storage.Postgres.DSN
			if mode != "" {
				storage.Postgres.DSN = func(ctx context.Context) (string, error) {
					dsn, err := direct(ctx)
					return dsn + "&default_query_exec_mode=" + mode, err
				}
			}
			r := openRig(t, storage)
			r.live()
			charged := func(id string) *cdr.Record {
				return call(id, sessions("s"+id), charge(t, "usage", "USD", "0.10"))
			}
			r.records(charged("a"), charged("b"))
			r.commit(&counting.Page{
				Enqueue: []work.Item{{Kind: "fetch", Key: "k", Due: epoch}},
				Invalid: []counting.BadRow{{Content: []byte("x"), Problem: "bad"}},
			})
			r.exec(`DEALLOCATE ALL`)
			_, err := r.try(charged("c"))
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("a commit on another connection: %v, want %q", err, want)
			}
			r.packIDs()
			r.reopen()
			r.records(charged("a"), charged("c"))
			wantValues(t, r.values(), map[string]string{answered: "3"})
			if due, err := r.feed.Due(t.Context(), epoch, 10); err != nil || len(due) != 1 {
				t.Errorf("due are %v, %v", due, err)
			}
			r.inspect(func(i *Inspector) { wantSound(t, i) })
		})
	}
}

// A commit that only the primary has, because its synchronous standby is gone, isn't taken for
// durable: a failover takes it back, and what was shown of it would go down (guarantee 2).
func TestUnreplicatedCommit(t *testing.T) {
	t.Parallel()
	primary := pgtest.Start(t)
	standby := primary.Standby(t)
	dsn := pgtest.At(primary.DSN(), primary.Addr, standby.Addr)
	r := openRig(t, inDatabase(dsn, 2*time.Second))
	r.live()
	commit := func(minutes int) error {
		_, err := r.feed.Commit(t.Context(), &counting.Page{
			ObservedAt: epoch,
			Position:   &counting.Position{Watermark: epoch.Add(time.Duration(minutes) * time.Minute)},
		})
		return err
	}
	before := r.feed.State().Watermark
	standby.Kill(t)
	for range 2 {
		if err := commit(1); err == nil {
			t.Fatal("a commit succeeded that only the primary has")
		}
	}
	if got := r.feed.State().Watermark; !got.Equal(before) {
		t.Errorf("the watermark is %s, not %s, before the commit is durable", got, before)
	}
	primary.Kill(t)
	standby.Restart(t, "fast")
	standby.Promote(t)
	if err := commit(2); err != nil {
		t.Fatalf("commit after the failover: %v", err)
	}
	if got, want := r.feed.State().Watermark, epoch.Add(2*time.Minute); !got.Equal(want) {
		t.Errorf("watermark %s, want %s", got, want)
	}
}
