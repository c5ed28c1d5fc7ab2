package ledger

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/pgtest"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestCommitsThatAFailoverLoses: a standby that isn't synchronous lacks the newest commits. A reader that goes on
// behind them is refused, and reads them again.
func TestCommitsThatAFailoverLoses(t *testing.T) {
	t.Parallel()
	primary := pgtest.Start(t)
	standby := primary.Standby(t)
	dsn := pgtest.At(primary.DSN(), primary.Addr, standby.Addr) + "&synchronous_commit=local"
	r := openRig(t, inDatabase(dsn, 5*time.Second))
	r.live()
	// read commits a record with the position behind it, as a reader of files does.
	read := func(id string) error {
		_, err := r.tryPage(&counting.Page{
			ObservedAt: r.clock.at, Records: []*cdr.Record{call(id)},
			Position: &counting.Position{Resume: []byte("behind " + id)},
		})
		return err
	}
	require.NoError(t, read("a"))
	conn, err := pgx.Connect(t.Context(), primary.Admin())
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), "CREATE TABLE later ()") // a synchronous commit: then the standby has a, too
	require.NoError(t, errors.Join(err, conn.Close(t.Context())))
	standby.Kill(t)
	require.NoError(t, read("b")) // only the primary has it
	primary.Kill(t)
	standby.Restart(t, "fast")
	standby.Promote(t)
	if err := read("c"); !errors.Is(err, ErrFenced) { // read behind b
		t.Errorf("a page behind what is gone: %v", err)
	}
	if got := string(r.feed.State().Resume); got != "behind a" {
		t.Errorf("reading goes on %q, so b is never counted", got)
	}
	r.feed.Begin()
	for _, id := range []string{"b", "c"} {
		require.NoError(t, read(id))
	}
	wantValues(t, r.values(), map[string]string{answered: "3"})
}

// A failover to a standby that lacks the last commit, while a batch of that commit is sent: the next commit has its
// number, and its log records still wait when the batch before them is acknowledged.
func TestAckOfABatchThatAFailoverLoses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newLiveRig(t)
		tables := []string{"feeds", "series", "journal", "connected", "outbox", "activity", "daily_totals", "trunks"}
		for _, table := range tables {
			r.exec(`CREATE TEMP TABLE standby_` + table + ` AS SELECT * FROM ` + table)
		}
		r.records(call("a"))
		sent := r.next()
		r.ledger.mu.Lock() // the connection is gone, and both wait until there is another one
		done := make(chan error, 2)
		go func() {
			_, err := r.try(call("b"))
			done <- err
		}()
		synctest.Wait()
		go func() { done <- r.ledger.Logs().Ack(t.Context(), sent.ID) }()
		synctest.Wait()
		for _, table := range tables {
			r.exec(`DELETE FROM ` + table)
			r.exec(`INSERT INTO ` + table + ` SELECT * FROM standby_` + table)
		}
		require.NoError(t, r.ledger.reload())
		r.ledger.mu.Unlock()
		require.NoError(t, <-done)
		require.NoError(t, <-done)
		if all := r.logs(); len(all) != 1 {
			t.Errorf("%q wait to be sent", all)
		}
	})
}
