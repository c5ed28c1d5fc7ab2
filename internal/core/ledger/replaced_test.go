package ledger

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/engine"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// wantReplaced expects that nothing can be done any more, and that this was reported once.
func (r *rig) wantReplaced(how string) {
	r.t.Helper()
	_, err := r.try(call("b"))
	if !errors.Is(err, ErrReplaced) || !strings.Contains(err.Error(), how) {
		r.t.Errorf("a commit: %v, want %q", err, how)
	}
	if err := r.ledger.Replaced(); !errors.Is(err, ErrReplaced) {
		r.t.Errorf("it says %v", err)
	}
	if _, err := r.ledger.Logs().Next(r.t.Context(), 0); !errors.Is(err, ErrReplaced) {
		r.t.Errorf("the outbox: %v", err)
	}
	if len(r.replaced) != 1 {
		r.t.Errorf("reported: %v", r.replaced)
	}
	wantValues(r.t, r.values(), map[string]string{answered: "1"})
}

// TestRule34FilesAreReplaced: if a ledger's folder or files were removed or replaced, the ledger
// counts nothing more, writes nothing to the files in their place, and creates none.
func TestRule34FilesAreReplaced(t *testing.T) {
	const other = "not ours"
	removed := func(file string) func(string) error {
		return func(folder string) error { return os.Remove(filepath.Join(folder, file)) }
	}
	moved := func(folder string) error { return os.Rename(folder, folder+".moved") }
	for name, c := range map[string]struct {
		do   func(folder string) error
		want string
	}{
		"the folder is removed": {os.RemoveAll, "was removed"},
		"the folder is moved":   {moved, "was removed"},
		"the file is removed":   {removed(fileName), "ledger.db was removed"},
		"the log is removed":    {removed(fileName + "-wal"), "ledger.db-wal was removed"},
		"the lock is removed":   {removed(lockName), "lock was removed"},
		"a file takes the folder": {func(folder string) error {
			return errors.Join(os.RemoveAll(folder), os.WriteFile(folder, []byte(other), 0o600))
		}, "was removed"},
		"another file is put there": {func(folder string) error {
			file := filepath.Join(folder, fileName)
			return errors.Join(os.WriteFile(file+".new", []byte(other), 0o600), os.Rename(file+".new", file))
		}, "ledger.db is another file now"},
		"another folder is put there": {func(folder string) error {
			return errors.Join(moved(folder), os.Mkdir(folder, 0o750),
				os.WriteFile(filepath.Join(folder, fileName), []byte(other), 0o600))
		}, "another file now"},
	} {
		for _, broken := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", reopened: ", broken), func(t *testing.T) {
				r := newLiveRig(t)
				r.records(call("a"))
				require.NoError(t, c.do(r.storage.Folder))
				before := tree(t, r.storage.Folder)
				if broken {
					r.ledger.engine.MarkBroken()
				}
				_ = r.ledger.Prune(t.Context()) // fills the reserve
				if how := r.ledger.Replaced(); how == nil || !strings.Contains(how.Error(), c.want) &&
					!strings.Contains(how.Error(), "was removed") {
					t.Errorf("it says %v", how)
				}
				r.wantReplaced("")
				if err := r.ledger.Close(); err != nil {
					t.Error(err)
				}
				if after := tree(t, r.storage.Folder); !slices.Equal(before, after) {
					t.Errorf("there was %q, now there is %q", before, after)
				}
			})
		}
	}
}

// tree is what is at a path, with the content of what isn't SQLite's.
func tree(t *testing.T, path string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(path, func(path string, entry os.DirEntry, err error) error {
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if strings.HasPrefix(entry.Name(), fileName+"-") {
			data = nil
		}
		all = append(all, fmt.Sprintf("%s: %.8q", path, data))
		return err
	})
	require.NoError(t, err)
	return all
}

// TestRule34AnotherDatabase: a replica counts nothing and creates no tables if its schema was
// dropped, another replica created it again, or its DSN names another ledger by now.
func TestRule34AnotherDatabase(t *testing.T) {
	schemaName := func(r *rig) string { return schemaOf(t, r.storage) }
	dropTables := func(r *rig) {
		inServer(t, `SET search_path = `+schemaName(r)+`; DROP TABLE `+strings.Join(append(tableNames(), "replicas"),
			", "))
	}
	makeAnew := func(r *rig) *rig {
		other := replicaOf(r, "other")
		own(t, other.ledger, other.spec)
		other.openFeed()
		other.live()
		return other
	}
	for name, c := range map[string]struct {
		do   func(r *rig)
		want string
	}{
		"emptied":   {dropTables, "the ledger is gone"},
		"made anew": {func(r *rig) { dropTables(r); makeAnew(r) }, "another ledger"},
		"taken over": {func(r *rig) {
			dropTables(r)
			require.NoError(t, makeAnew(r).ledger.Leave(t.Context()))
			inServer(t, fmt.Sprintf(`UPDATE %s.feeds SET owner = 'replica', epoch = %d, seq = %d WHERE id > 0`,
				schemaName(r), r.feed.epoch, r.feed.seq))
		}, "another ledger"},
		"a newer schema": {func(r *rig) {
			inServer(t, `UPDATE `+schemaName(r)+`.meta SET value = '999' WHERE name = 'schema'; UPDATE `+schemaName(r)+
				`.feeds SET epoch = epoch + 1`)
		}, "schema version \"999\""},
	} {
		for how, notice := range map[string]func(r *rig) error{
			"in a commit":  func(r *rig) error { _, err := r.try(call("b")); return err },
			"at a renewal": func(r *rig) error { _, err := r.ledger.Renew(t.Context()); return err },
			"at a new connection": func(r *rig) error {
				r.ledger.engine.MarkBroken()
				return r.ledger.Register(t.Context(), r.spec)
			},
		} {
			t.Run(name+", "+how, func(t *testing.T) {
				r := newLiveRig(t)
				r.records(call("a"))
				c.do(r)
				err := notice(r)
				if err == nil {
					t.Error("it went well")
				}
				if name == "emptied" && how == "in a commit" { // which finds no table; a renewal comes soon
					_, err = r.ledger.Renew(t.Context())
				}
				if !errors.Is(err, ErrReplaced) {
					t.Errorf("the error is %v", err)
				}
				r.wantReplaced(c.want)
				var tables, known int
				if name == "emptied" {
					if err := spare.admin.QueryRowContext(t.Context(),
						`SELECT count(*) FROM pg_tables WHERE schemaname = $1`, schemaName(r)).
						Scan(&tables); err != nil || tables > 0 {
						t.Errorf("there are %d tables, %v", tables, err)
					}
				} else if err := spare.admin.QueryRowContext(t.Context(), `SELECT count(*) FROM `+schemaName(r)+
					`.journal`).Scan(&known); err != nil || known > int(engine.Flag(name == "a newer schema")) {
					t.Errorf("%d commits brought ids, %v", known, err)
				}
				if name == "emptied" {
					makeAnew(r) // for the test that has the schema next
				}
			})
		}
	}
	t.Run("the DSN names another one", func(t *testing.T) {
		r, other := newRig(t), newRig(t)
		r.live()
		r.records(call("a"))
		r.storage.Postgres.DSN = func(ctx context.Context) (string, error) { return other.storage.Postgres.DSN(ctx) }
		r.records(call("a")) // by the connection that it has
		r.ledger.engine.MarkBroken()
		r.wantReplaced("another ledger")
		if other.total("cdr_calls_total") != 0 {
			t.Error("it counted in the other one")
		}
	})
}

// TestRule34AnotherVersion: once a newer program on another replica has changed a metric, an older
// replica writes no series by its own definition, neither for its feeds nor for feeds that it acquires.
func TestRule34AnotherVersion(t *testing.T) {
	for name, write := range map[string]func(r *rig) error{
		"a feed that it has": func(r *rig) error {
			for range 2 { // the first finds that its epoch is over
				if _, err := r.try(call("b")); errors.Is(err, ErrReplaced) {
					return err
				}
			}
			return nil
		},
		"a feed that it acquires": func(r *rig) error {
			spec := r.spec
			spec.Feed = "pstn"
			own(t, r.ledger, spec)
			_, err := r.ledger.Feed(t.Context(), spec)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newLiveRig(t)
			r.records(call("a"))
			inServer(t, `SET search_path = `+schemaOf(t, r.storage)+`; BEGIN;
				UPDATE feeds SET epoch = epoch + 1 WHERE id > 0;
				UPDATE catalogue SET definition = 'another' WHERE metric = 'cdr_call_duration_seconds'; COMMIT`)
			if err := write(r); !errors.Is(err, ErrReplaced) ||
				!strings.Contains(err.Error(), "cdr_call_duration_seconds") {
				t.Errorf("the error is %v", err)
			}
			r.wantReplaced("another version")
		})
	}
}

// TestRule34VerifyFindsAnotherKey: ids that were counted under another key than the ledger's are
// found, and no feed of them is read.
func TestRule34VerifyFindsAnotherKey(t *testing.T) {
	r := newLiveRig(t)
	r.records(call("a"))
	r.exec(`UPDATE meta SET value = ? WHERE name = 'key'`, counting.NewSecret())
	i, err := r.storage.Inspect(t.Context())
	require.NoError(t, err)
	problems := i.Verify(func(string, int) {})
	if err := errors.Join(problems...); len(problems) != 1 || !strings.Contains(err.Error(), "another key") {
		t.Errorf("verify finds %v", err)
	}
	require.NoError(t, errors.Join(i.Close(), r.ledger.Close()))
	l, err := Open(t.Context(), r.settings())
	if err == nil {
		own(t, l, r.spec)
		_, err = l.Feed(t.Context(), r.spec)
		_ = l.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "another key") {
		t.Errorf("it was opened: %v", err)
	}
}
