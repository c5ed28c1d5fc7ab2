package ledger

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/internal/smalldisk"
)

// breakReopen makes the next commit's end unknown, and the file impossible to open
// until restore is called.
func breakReopen(r *rig) (restore func()) {
	r.probe = func(point string) error {
		if point != "committed" {
			return nil
		}
		r.probe = failAt("open", errInjected)
		return errInjected
	}
	return func() { r.probe = nil }
}

// A handle that may only read, because it was opened while the file system was read-only, is opened
// again. Reading resumes without help.
func TestReadOnlyHandle(t *testing.T) {
	r := newLiveRig(t)
	r.records(call("a"))
	r.exec(`PRAGMA query_only = 1`)
	if _, err := r.try(call("b")); err == nil || !strings.Contains(err.Error(), "read-only") {
		t.Fatalf("a commit: %v", err)
	}
	r.records(call("b"))
	wantValues(t, r.values(), map[string]string{answered: "2"})
}

// counting.md 1: a commit that is durable though nobody could say so, and a file
// that can't be opened for a while, leave nothing behind.
func TestRule01UnknownCommitAndNoReopen(t *testing.T) {
	t.Run("of the outbox", func(t *testing.T) {
		r := newLiveRig(t)
		r.records(call("a"), call("b"))
		r.records(call("c"))
		restore := breakReopen(r)
		if err := r.ledger.Logs().Ack(t.Context(), 1); err == nil {
			t.Fatal("the end was known")
		}
		restore()
		if all := r.drain(); len(all) != 1 || !strings.HasPrefix(string(all[0].Data), "cdr.call c ") {
			t.Fatalf("next batches %+v", all)
		}
		if n, _ := r.ledger.Logs().Waiting(); n != 0 {
			t.Fatalf("%d records wait", n)
		}
	})
	t.Run("of a page", func(t *testing.T) {
		r := newLiveRig(t)
		restore := breakReopen(r)
		for range 2 { // its end is unknown; then the file can't be opened
			if _, err := r.try(call("a")); err == nil {
				t.Fatal("committed")
			}
		}
		restore()
		if got := r.records(call("a"), call("b")); got.New != 1 || got.Duplicate != 1 {
			t.Fatalf("going on: %+v", got)
		}
		wantValues(t, r.values(), map[string]string{answered: "2"})
		if n, _ := r.ledger.Logs().Waiting(); n != 2 || len(r.logs()) != 2 {
			t.Fatalf("%d records wait, logs %q", n, r.logs())
		}
	})
}

// counting.md 29: reading doesn't use up what the reserve gave back.
func TestRule29ReadingLeavesTheReserve(t *testing.T) {
	r := newLiveRig(t)
	r.records(call("before"))
	r.ledger.reserve.release()
	// A folder in its place leaves no room for a reserve.
	blocked := filepath.Join(r.storage.Folder, reserveName)
	require.NoError(t, os.MkdirAll(filepath.Join(blocked, "x"), 0o750))
	page := &counting.Page{Records: []*cdr.Record{call("a")}, ObservedAt: epoch}
	if _, err := r.tryPage(page); !errors.Is(err, ErrFull) {
		t.Fatalf("err = %v, want ErrFull", err)
	}
	if r.prune(); r.count("blocks") > 0 {
		t.Error("ids are packed in the room that is left")
	}
	r.reopen() // nor does a process that starts on the full disk
	if _, err := r.tryPage(page); !errors.Is(err, ErrFull) {
		t.Errorf("after a restart: err = %v, want ErrFull", err)
	}
	task := []work.Item{{Kind: "fetch", Key: "k", Version: 1, Due: epoch}}
	if _, err := r.ledger.Enqueue(t.Context(), r.spec, task); !errors.Is(err, ErrFull) ||
		!strings.Contains(err.Error(), "contoso/direct_routing: the disk of the ledger is full: free some space") {
		t.Fatalf("a notification is stored, or the error doesn't say what to do: %v", err)
	}
	require.NoError(t, os.RemoveAll(blocked))
	r.commit(page)
	wantValues(t, r.values(), map[string]string{answered: "2"})
	if n, err := r.ledger.Enqueue(t.Context(), r.spec, task); err != nil || n != 1 {
		t.Fatalf("%d queued, %v", n, err)
	}
}

// counting.md 5, 10, 14: a watermark that a wrong clock has moved ahead doesn't delete
// what may still be read, rows that were set aside included.
func TestRule10PruneStaysBehindOurClock(t *testing.T) {
	r := newLiveRig(t)
	page := func(ids ...string) *counting.Page {
		page := &counting.Page{Invalid: []counting.BadRow{{Content: []byte("x"), At: "page 1, row 1", Problem: "bad"}}}
		for _, id := range ids {
			page.Records = append(page.Records, call(id))
		}
		return page
	}
	r.commit(page("a"))
	r.readTo(r.clock.at.Add(365 * 24 * time.Hour))
	r.prune()
	if got := r.commit(page("a", "b")); got.TooOld != 0 || got.Duplicate != 1 || got.New != 1 || got.Invalid != 0 {
		t.Fatalf("%+v", got)
	}
}

// counting.md 5, 10: our clock was ahead when the feed was made. The first commit,
// which knows the provider's time, sets the origin by it; later ones leave it.
func TestRule05OriginByTheProvidersClock(t *testing.T) {
	r := newRig(t)
	right := epoch.Add(-72 * time.Hour)
	r.commit(&counting.Page{ObservedAt: right})
	want := right.Add(-r.spec.History)
	if got := r.feed.State(); !got.Origin.Equal(want) || !got.Floor.Equal(want) || !got.Watermark.Equal(want) {
		t.Fatalf("origin %v, floor %v, watermark %v; want %v", got.Origin, got.Floor, got.Watermark, want)
	}
	if got := r.records(call("a", start(right.Add(-time.Hour)))); got.New != 1 {
		t.Fatalf("a call of the first day: %+v", got)
	}
	r.commit(&counting.Page{Position: &counting.Position{Resume: []byte("{}"), HistoryDone: true}})
	r.commit(&counting.Page{ObservedAt: right.Add(-1000 * time.Hour)})
	r.reopen()
	if got := r.feed.State(); !got.Origin.Equal(want) {
		t.Fatalf("origin moved to %v", got.Origin)
	}
}

// counting.md 1: pruning after a commit of unknown end goes on from what the file
// has, not from what memory had.
func TestRule01PruneAfterAnUnknownCommit(t *testing.T) {
	r := newLiveRig(t)
	r.clock.add(200 * time.Hour)
	now := r.clock.at
	restore := breakReopen(r)
	page := &counting.Page{
		Records: []*cdr.Record{call("a", start(now.Add(-time.Hour)))}, ObservedAt: now,
		Position: &counting.Position{Watermark: now, Resume: []byte(`{"new":1}`)},
	}
	if _, err := r.tryPage(page); err == nil {
		t.Fatal("the end was known")
	}
	restore()
	r.prune()
	if s := r.feed.State(); s.Calls != 1 || !s.Watermark.Equal(now) || string(s.Resume) != `{"new":1}` {
		t.Fatalf("state %+v", s)
	}
}

// counting.md 10: a watermark in the future of the page steps back; one that isn't stays.
func TestRule10WatermarkStepsBack(t *testing.T) {
	r := newLiveRig(t)
	now := r.clock.at
	for _, step := range []struct{ to, want time.Duration }{
		{144 * time.Hour, 144 * time.Hour},
		{0, 0},
		{-time.Hour, 0},
		{time.Minute, time.Minute},
		{0, time.Minute},
	} {
		r.commit(&counting.Page{ObservedAt: now, Position: &counting.Position{Watermark: now.Add(step.to)}})
		if got := r.feed.State().Watermark.Sub(now); got != step.want {
			t.Errorf("after %s the watermark is at %s, want %s", step.to, got, step.want)
		}
	}
}

// counting.md 29: on a disk that is really full, reading doesn't go on in the room that the reserve gave back, and
// the outbox drains there.
func TestRule29ReadingLeavesTheReserveOfAFullDisk(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "small")
	if !smalldisk.Mount(t, folder, 80<<20) {
		return
	}
	r := openRig(t, Storage{Folder: folder})
	r.live()
	r.ledger.reserve.most = 8 << 20
	require.NoError(t, os.Remove(r.ledger.reserve.file))
	r.ledger.reserve.fill()
	junk := filepath.Join(folder, "junk")
	free, _ := r.ledger.Free()
	require.NoError(t, os.WriteFile(junk, make([]byte, free-1<<20), 0o600))
	read := func() error {
		page := counting.Page{ObservedAt: epoch}
		for range 500 {
			page.Records = append(page.Records, call(fmt.Sprint(r.count("outbox"), "/", len(page.Records))))
		}
		_, err := r.tryPage(&page)
		return err
	}
	var err error
	for err == nil {
		err = read()
	}
	if again := read(); !errors.Is(err, ErrFull) || !errors.Is(again, ErrFull) {
		t.Errorf("on a full disk: %v, then %v", err, again)
	}
	r.drain()
	require.NoError(t, os.Remove(junk))
	require.NoError(t, read())
}
