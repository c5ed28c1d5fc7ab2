package ledger

import (
	"context"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/pgtest"
)

// A commit that only the primary has, because its synchronous standby is gone, isn't taken for
// durable: a failover takes it back, and what was shown of it would go down (guarantee 2).
func TestUnreplicatedCommit(t *testing.T) {
	if server != "" {
		return // the test starts its own servers
	}
	t.Parallel()
	primary := pgtest.Start(t)
	standby := primary.Standby(t)
	dsn := pgtest.At(primary.DSN(), primary.Addr, standby.Addr)
	r := openRig(t, Storage{Postgres: &Postgres{
		DSN:     func(context.Context) (string, error) { return dsn, nil },
		Replica: "replica", StatementTimeout: 2 * time.Second,
	}})
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
