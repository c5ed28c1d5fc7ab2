package ledger

import (
	"context"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// TestPooler: a pooler that lends a connection for one transaction, as PgBouncer does with
// pool_mode = transaction, loses statements that were prepared: the error says what to add to the
// DSN, and nothing is prepared then.
func TestPooler(t *testing.T) {
	if server == "" {
		return // TestOnPostgres runs it
	}
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
