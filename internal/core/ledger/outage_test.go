package ledger

import (
	"context"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/pgtest"
)

// TestRule21ZeroForOfAnOutage: a replica without its lease shows nothing, so that time doesn't count.
func TestRule21ZeroForOfAnOutage(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	r := openRig(t, Storage{Postgres: &Postgres{
		DSN: func(context.Context) (string, error) { return dsn, nil }, Replica: "replica",
	}})
	r.opts.ZeroFor = 2 * time.Minute
	r.reopen()
	r.live()
	r.records(call("a"))
	r.clock.add(3 * time.Minute) // the database is away
	r.owner()
	r.show()
	wantValues(t, r.values(), map[string]string{answered: "0"})
	for range 60 {
		r.clock.add(2 * time.Second)
		r.owner()
	}
	r.show()
	wantValues(t, r.values(), map[string]string{answered: "1"})
}
