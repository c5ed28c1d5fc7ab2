package ledger

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/engine"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// contents are all rows of all tables, as text.
func contents(t *testing.T, s Storage) (all []string) {
	t.Helper()
	e, err := s.openTables(t.Context(), s.database(), engine.Access{View: true})
	require.NoError(t, err)
	defer e.Close() //nolint:errcheck // nothing was written
	for _, table := range tableNames() {
		if err := e.ScanAll(`SELECT * FROM `+table, nil, func(rows *sql.Rows) error {
			_, row, err := scanAny(rows)
			all = append(all, fmt.Sprintf("%s %v", table, row))
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(all)
	return all
}

// leave closes the ledger for good.
func (r *rig) leave() {
	r.t.Helper()
	if r.ledger.Shared() {
		require.NoError(r.t, r.ledger.Leave(r.t.Context()))
	}
	r.close()
}

// A ledger is copied to the other database and back without any difference, and goes on counting there.
func TestCopy(t *testing.T) {
	r := newCallRig(t)
	r.records(call("a", alts("a2"), sessions("s")), call("b", inGroup("counted"), charge(t, "usage", "EUR", "1.25")),
		call("c", outcome(2)))
	r.settled()
	r.packIDs()
	r.commit(&counting.Page{
		Enqueue: []work.Item{{Kind: "fetch", Key: "k", Version: 1, Due: epoch}},
		Invalid: []counting.BadRow{{Content: []byte("x"), Problem: "no id"}},
	})
	r.records(call("d"), call("f", inGroup("waits"), outcome(cdr.Busy)))
	want := r.values()
	silent := func(string, int64, int64) {}
	other := Storage{Folder: t.TempDir()}
	if err := Copy(t.Context(), r.storage, other, silent); err == nil || !strings.Contains(err.Error(), "stop") {
		t.Fatalf("copied a ledger in use: %v", err)
	}
	r.leave()
	back := newStorage(t)
	for _, step := range [][2]Storage{{r.storage, other}, {other, back}} {
		require.NoError(t, Copy(t.Context(), step[0], step[1], silent))
		if err := Copy(t.Context(), step[0], step[1], silent); err == nil || !strings.Contains(err.Error(), "already") {
			t.Fatalf("copied over a ledger: %v", err)
		}
		before, after := contents(t, step[0]), contents(t, step[1])
		if !slices.Equal(before, after) {
			t.Fatalf("%v\nbecame\n%v", before, after)
		}
	}
	r.storage = back
	r.open()
	wantValues(t, r.values(), want)
	if got := r.records(call("c", outcome(2)), call("d"), call("e")); got.New != 1 || got.Duplicate != 2 {
		t.Fatalf("the copy counted %+v", got)
	}
	r.wantCalls("the copy", 5, 1)
	r.records(call("g", inGroup("waits")), call("h", inGroup("counted"), outcome(cdr.Busy)))
	r.settled()
	r.wantCalls("the copy has settled", 6, 0)
	wantValues(t, r.values(), map[string]string{"cdr_call_failures_total": ""})
}

// A replica that reads nothing yet takes over what others have given up: both ledgers would count the same calls.
func TestCopyBesideAnIdleReplica(t *testing.T) {
	r := newRig(t)
	if !r.ledger.Shared() {
		return // only one process opens a SQLite ledger
	}
	r.live()
	replicaOf(r, "idle")
	r.leave()
	err := Copy(t.Context(), r.storage, newStorage(t), func(string, int64, int64) {})
	if err == nil || !strings.Contains(err.Error(), "stop") {
		t.Errorf("copied while a replica lives: %v", err)
	}
}

// While a ledger is copied to, nobody else can begin one there, whose ids would be known by another key.
func TestCopyKeepsOthersOut(t *testing.T) {
	r := newRig(t)
	if !r.ledger.Shared() {
		return // SQLite has one transaction at a time
	}
	r.live()
	r.records(call("a"))
	r.leave()
	target, asked := newStorage(t), false
	err := Copy(t.Context(), r.storage, target, func(string, int64, int64) {
		if asked {
			return
		}
		asked = true
		e, err := target.openTables(t.Context(), target.database(), engine.Access{})
		if err != nil {
			t.Error(err)
			return
		}
		defer e.Close() //nolint:errcheck // nothing was written
		var id int64
		err = e.ScanRow(`SELECT id FROM feeds WHERE id = 0 FOR UPDATE SKIP LOCKED`, nil, &id)
		if !errors.Is(err, sql.ErrNoRows) {
			t.Errorf("another one can have the ledger while it is copied to: %v", err)
		}
	})
	if err != nil || !asked {
		t.Errorf("copied: %t, error %v", asked, err)
	}
}
