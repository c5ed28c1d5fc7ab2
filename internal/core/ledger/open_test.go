package ledger

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

func TestSecondProcessIsRefused(t *testing.T) {
	r := newRig(t)
	_, err := Open(t.Context(), r.settings())
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), "storage.path") {
		t.Fatalf("err = %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	junk := func(r *rig) {
		file := filepath.Join(r.storage.Folder, fileName)
		_ = os.Remove(file + "-wal")
		require.NoError(t, os.WriteFile(file, []byte(strings.Repeat("not a database ", 1000)), 0o600))
	}
	for name, c := range map[string]struct {
		statements []string
		afterwards func(r *rig) // once it is closed
		want       string
	}{
		"another schema": {
			[]string{`UPDATE meta SET value = '99' WHERE name = 'schema'`}, nil, "run the program that wrote it",
		},
		"a file that is no database": {nil, junk, "damaged or not an SQLite file"},
		"another program's database": {[]string{`DROP TABLE meta`, `DROP TABLE feeds`}, nil, "not a ledger"},
		"a damaged key": {
			[]string{`UPDATE meta SET value = 'x' WHERE name = 'key'`}, nil, "key is damaged",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			for _, statement := range c.statements {
				r.exec(statement)
			}
			if r.close(); c.afterwards != nil {
				c.afterwards(r)
			}
			l, err := Open(t.Context(), r.settings())
			if err == nil {
				_ = l.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("err = %v, want %q", err, c.want)
			}
		})
	}
}

// TestSchemaHasItsNumber: a program that opened a ledger of another layout would fail at its first commit. If this
// fails, raise schemaVersion and write the new hash here.
func TestSchemaHasItsNumber(t *testing.T) {
	got := fmt.Sprintf("%s: %x", schemaVersion, sha256.Sum256([]byte(strings.Join(schema, ""))))[:12]
	if want := "21: f54756f2"; got != want {
		t.Errorf("the layout is %s, want %s", got, want)
	}
}

// Without a ledger a command redacts with a random key, which nobody can guess. TestBackfillUpToLive and
// TestRecordsBesideTheDaemon of cmd/cdr-exporter read a ledger that a process has.
func TestSummaryWithoutALedger(t *testing.T) {
	none, err := ReadSummary(t.Context(), Storage{Folder: t.TempDir()})
	if err != nil || len(none.HashKey) == 0 || len(none.Origins) != 0 {
		t.Fatalf("%+v, %v", none, err)
	}
}

// The ledger holds a key: only its owner may read it.
func TestFilesArePrivate(t *testing.T) {
	r := newLiveRig(t)
	for _, suffix := range []string{"", "-wal"} {
		info, err := os.Stat(filepath.Join(r.storage.Folder, fileName+suffix))
		require.NoError(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s%s has mode %v", fileName, suffix, info.Mode())
		}
	}
}

// Derived secrets stay the same, and differ for each purpose and from the key of redaction.
func TestDerive(t *testing.T) {
	r := newRig(t)
	seen := make(map[string]string)
	for _, purpose := range []string{"subscriptions of contoso", "subscriptions of fabrikam", "privacy", ""} {
		secret := string(r.ledger.Derive(purpose))
		if other, known := seen[secret]; known || len(secret) != 32 {
			t.Errorf("%q gives %d bytes, the same as %q: %v", purpose, len(secret), other, known)
		}
		seen[secret] = purpose
	}
	if _, known := seen[string(r.ledger.hasher.Privacy())]; known {
		t.Error("a purpose gives the key of redaction")
	}
	r.reopen()
	for secret, purpose := range seen {
		if string(r.ledger.Derive(purpose)) != secret {
			t.Errorf("%q: another secret after a restart", purpose)
		}
	}
	if string(newRig(t).ledger.Derive("privacy")) == string(r.ledger.Derive("privacy")) {
		t.Error("two ledgers share a secret")
	}
}

// When a ledger was made, and its id, stay as they are over restarts, however the clock goes on.
func TestCreatedIsKept(t *testing.T) {
	r := newRig(t)
	id := r.ledger.InstanceID()
	r.clock.at = epoch.Add(100 * 24 * time.Hour)
	for range 2 {
		if got := r.ledger.Created(); !got.Equal(epoch) || r.ledger.InstanceID() != id || len(id) != 36 {
			t.Fatalf("made at %s, want %s; instance id %q, then %q", got, epoch, id, r.ledger.InstanceID())
		}
		r.reopen()
	}
}

// If a ledger's tables can't be read, for lack of permission or time, the error doesn't suggest an
// empty ledger.
func TestOpenWhatCannotBeRead(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(r *rig, dsn *url.URL)
		want    string
	}{
		"it is locked, as by a restore": {func(r *rig, dsn *url.URL) {
			b := replicaOf(r, "b")
			for _, text := range []string{`BEGIN IMMEDIATE`, `LOCK TABLE meta IN ACCESS EXCLUSIVE MODE`} {
				b.exec(text)
			}
		}, "the database can't be reached"},
		"a role without rights": {func(r *rig, dsn *url.URL) {
			schema := schemaOf(r.t, r.storage)
			role := "stranger_" + schema
			inServer(r.t, `CREATE ROLE `+role+` LOGIN; GRANT USAGE, CREATE ON SCHEMA `+schema+` TO `+role)
			r.t.Cleanup(func() { inServer(r.t, `DROP OWNED BY `+role+`; DROP ROLE `+role) })
			dsn.User = url.User(role)
		}, "the role needs the right"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			text, err := r.storage.Postgres.DSN(t.Context())
			require.NoError(t, err)
			dsn, err := url.Parse(text)
			require.NoError(t, err)
			c.prepare(r, dsn)
			s, other := r.settings(), *r.storage.Postgres
			other.StatementTimeout, other.DSN = 300*time.Millisecond,
				func(context.Context) (string, error) { return dsn.String(), nil }
			s.Storage = Storage{Postgres: &other}
			l, err := Open(t.Context(), s)
			if err == nil {
				_ = l.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "not a ledger") {
				t.Errorf("the error is %v, want one that says %q", err, c.want)
			}
		})
	}
}
