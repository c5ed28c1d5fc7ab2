package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/outbox"
)

// counting.md 26: batches leave in order, and only the oldest may go.
func TestRule26OutboxInOrder(t *testing.T) {
	r := newRig(t)
	r.live()
	for i := range 5 {
		r.records(call(fmt.Sprint(i)))
	}
	r.reopen()
	if n, oldest := r.ledger.Logs().Waiting(); n != 5 || !oldest.Equal(epoch) {
		t.Fatalf("outbox %d since %v", n, oldest)
	}
	for i := range 5 {
		b, err := r.ledger.Logs().Next(t.Context(), 0)
		if err != nil || b == nil || !strings.HasPrefix(string(b.Data), fmt.Sprintf("cdr.call %d ", i)) {
			t.Fatalf("batch %d: %+v, %v", i, b, err)
		}
		if i == 2 {
			r.reopen() // not acknowledged: it comes again
			again, err := r.ledger.Logs().Next(t.Context(), 0)
			if err != nil || !bytes.Equal(again.Data, b.Data) {
				t.Fatalf("after restart: %+v, %v", again, err)
			}
			b = again
		}
		if err := r.ledger.Logs().Ack(t.Context(), b.ID); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := r.ledger.Logs().Next(t.Context(), 0); b != nil || err != nil {
		t.Fatalf("empty: %+v, %v", b, err)
	}
	if n, oldest := r.ledger.Logs().Waiting(); n != 0 || !oldest.IsZero() {
		t.Fatalf("outbox %d since %v", n, oldest)
	}
}

// counting.md 26: a feed's batches leave in their order, also after a restart before which the clock was set back.
func TestRule26InOrderWhenTheClockIsSetBack(t *testing.T) {
	r := newRig(t)
	r.live()
	r.records(call("first"))
	r.clock.add(-time.Hour)
	r.records(call("second"))
	r.reopen()
	for _, want := range []string{"first", "second"} {
		b, err := r.ledger.Logs().Next(t.Context(), 0)
		if err != nil || b == nil || !strings.HasPrefix(string(b.Data), "cdr.call "+want+" ") {
			t.Fatalf("next batch %+v, %v; want that of %s", b, err, want)
		}
		if err := r.ledger.Logs().Ack(t.Context(), b.ID); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOutboxSplitsBatches(t *testing.T) {
	r := newRig(t)
	r.live()
	var all []*cdr.Record
	for i := range outbox.BatchRecords*2 + 1 {
		all = append(all, call(fmt.Sprint(i)))
	}
	r.records(all...)
	var sizes []int
	for {
		b, err := r.ledger.Logs().Next(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		if b == nil {
			break
		}
		sizes = append(sizes, b.Records)
		if err := r.ledger.Logs().Ack(t.Context(), b.ID); err != nil {
			t.Fatal(err)
		}
	}
	if fmt.Sprint(sizes) != fmt.Sprint([]int{outbox.BatchRecords, outbox.BatchRecords, 1}) {
		t.Fatalf("batches of %v", sizes)
	}
}

// A full outbox pauses reading and loses nothing, or skips logs and counts them.
func TestOutboxFull(t *testing.T) {
	t.Run("pause", func(t *testing.T) {
		r := newRig(t)
		r.tuning.OutboxLimit = 2
		r.reopen()
		r.live()
		r.records(call("a"), call("b"))
		page := &counting.Page{Records: []*cdr.Record{call("c")}, ObservedAt: epoch}
		if _, err := r.feed.Commit(t.Context(), page); !errors.Is(err, ErrOutboxFull) ||
			!errors.Is(r.ledger.Paused(), ErrOutboxFull) {
			t.Fatalf("err = %v, paused: %v", err, r.ledger.Paused())
		}
		b, err := r.ledger.Logs().Next(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.ledger.Logs().Ack(t.Context(), b.ID); err != nil {
			t.Fatal(err)
		}
		r.commit(page)
		wantValues(t, r.values(), map[string]string{answered: "3"})
	})
	t.Run("skip_logs", func(t *testing.T) {
		r := newRig(t)
		r.tuning.OutboxLimit, r.tuning.SkipLogs = 2, true
		r.reopen()
		r.live()
		r.records(call("a"), call("b"))
		if got := r.records(call("c")); got.SkippedLogs != 1 || got.New != 1 {
			t.Fatalf("%+v", got)
		}
		wantValues(t, r.values(), map[string]string{answered: "3"})
		if logs := r.logs(); len(logs) != 2 {
			t.Fatalf("logs %q", logs)
		}
	})
}

func TestOutboxWait(t *testing.T) {
	r := newRig(t)
	r.live()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	woken := make(chan error, 1)
	go func() {
		r.ledger.Logs().Wait(ctx)
		woken <- ctx.Err()
	}()
	r.records(call("a"))
	if err := <-woken; err != nil {
		t.Fatal(err)
	}
	if err := r.ledger.Logs().Ack(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	cancel()
	r.ledger.Logs().Wait(ctx) // the context has ended: it returns
}

// counting.md 29: a full disk pauses reading, the outbox drains from the reserve,
// and reading resumes by itself.
func TestRule29FullDisk(t *testing.T) {
	r := newRig(t)
	r.live()
	r.records(call("a"))
	if info, err := os.Stat(filepath.Join(r.storage.Folder, reserveName)); err != nil || info.Size() != testReserve {
		t.Fatalf("reserve: %v, %v", info, err)
	}
	var pages int64
	if err := r.ledger.engine.ScanRow(`PRAGMA page_count`, nil, &pages); err != nil {
		t.Fatal(err)
	}
	limit := func(n int64) {
		if _, err := r.ledger.engine.Exec(
			fmt.Sprintf(`PRAGMA max_page_count = %d`, n)); err != nil {
			t.Fatal(err)
		}
	}
	limit(pages)
	var page counting.Page
	for i := range 3000 {
		page.Records = append(page.Records, call(fmt.Sprint("full", i)))
	}
	page.ObservedAt = epoch
	if _, err := r.feed.Commit(t.Context(), &page); !errors.Is(err, ErrFull) {
		t.Fatalf("err = %v, want ErrFull", err)
	}
	if _, err := os.Stat(filepath.Join(r.storage.Folder, reserveName)); !os.IsNotExist(err) {
		t.Fatalf("the reserve wasn't given up: %v", err)
	}
	b, err := r.ledger.Logs().Next(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.ledger.Logs().Ack(t.Context(), b.ID); err != nil {
		t.Fatalf("the outbox can't drain: %v", err)
	}
	limit(1 << 30)
	r.commit(&page)
	wantValues(t, r.values(), map[string]string{answered: "3001"})
}
