package ledger

import (
	"testing"
	"testing/synctest"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// A failover to a standby that lacks the last commit, while a batch of that commit is sent: the next commit has its
// number, and its log records still wait when the batch before them is acknowledged.
func TestAckOfABatchThatAFailoverLoses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.live()
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
