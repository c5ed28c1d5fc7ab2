package ledger

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestSecret: what is kept for a source is there after an opening, for a command, and under the
// source's new name; another source has none.
func TestSecret(t *testing.T) {
	r := newRig(t)
	want := func(want string, sources ...string) {
		t.Helper()
		got, err := r.ledger.LoadSecret(t.Context(), sources...)
		if string(got) != want || err != nil {
			t.Errorf("the secret of %q is %q, %v; want %q", sources, got, err, want)
		}
		if got, err = ReadSecret(t.Context(), r.storage, sources...); string(got) != want || err != nil {
			t.Errorf("a command reads %q of %q, %v; want %q", got, sources, err, want)
		}
	}
	store := func(text string) {
		t.Helper()
		if err := r.ledger.ReplaceSecret(t.Context(), "office",
			func() ([]byte, error) { return []byte(text), nil }); err != nil {
			t.Fatal(err)
		}
	}
	want("", "office")
	store("\x00first")
	store("\x00second")
	r.reopen()
	want("\x00second", "office")
	want("\x00second", "renamed", "office")
	want("", "other", "")
	if got, err := ReadSecret(t.Context(), Storage{Folder: t.TempDir()}, "office"); got != nil || err != nil {
		t.Errorf("without a ledger there is %q, %v", got, err)
	}
}

// TestSecretIsSpentOnce: whatever fails around the spending of a secret, either it isn't spent, or
// its successor reaches the ledger.
func TestSecretIsSpentOnce(t *testing.T) {
	broken, full := errors.New("the disk is broken"), fmt.Errorf("%w: free some space", ErrFull)
	failing := func(err error) func(string) error { return failAt("INSERT INTO meta", err) }
	withoutReserve := func(r *rig) {
		r.ledger.reserve.release()
		require.NoError(t, os.MkdirAll(filepath.Join(r.storage.Folder, reserveName, "x"), 0o750))
	}
	refused := errors.New("refused")
	for name, c := range map[string]struct {
		before, during, after func(r *rig)
		refused, spent        bool
		want                  error
	}{
		"nothing fails":               {spent: true},
		"the provider refuses it":     {refused: true, want: refused},
		"the intent can't be written": {before: func(r *rig) { r.probe = failing(broken) }, want: broken},
		"the disk is full before":     {before: func(r *rig) { r.probe = failing(full) }, want: ErrFull},
		"there is no reserve":         {before: withoutReserve, want: ErrFull},
		"the disk is full during it": {during: func(r *rig) {
			r.probe = func(point string) error { // there is room once the reserve is gone
				if _, err := os.Stat(filepath.Join(r.storage.Folder, reserveName)); err == nil {
					return failing(full)(point)
				}
				return nil
			}
		}, spent: true},
		"another commit finds the disk full during it": {during: func(r *rig) {
			r.probe = func(point string) error { return full }
			if err := r.ledger.ReplaceSecret(t.Context(), "other", nil); !errors.Is(err, ErrFull) {
				t.Errorf("got %v", err)
			}
			if info, err := os.Stat(filepath.Join(r.storage.Folder, reserveName)); server == "" &&
				(err != nil || info.Size() < leastReserve) {
				t.Errorf("the reserve was given up: %v", err)
			}
			r.probe = nil
		}, spent: true},
		"the disk breaks during it; it works again afterwards": {
			during: func(r *rig) { r.probe = failing(broken) },
			after: func(r *rig) {
				r.probe = nil
				if err := r.ledger.checkFilesAndSecrets(t.Context()); err != nil {
					t.Error(err)
				}
			},
			spent: true, want: ErrUnkept,
		},
		"the disk breaks during it; it works again before the end": {
			during: func(r *rig) { r.probe = failing(broken) }, after: func(r *rig) { r.probe = nil; r.reopen() },
			spent: true, want: ErrUnkept,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			if server != "" && name == "there is no reserve" {
				return // a server's disk has none
			}
			run := func(f func(*rig)) {
				if f != nil {
					f(r)
				}
			}
			run(c.before)
			spent := false
			err := r.ledger.ReplaceSecret(t.Context(), "office", func() ([]byte, error) {
				if c.refused {
					return nil, refused
				}
				spent = true
				run(c.during)
				return []byte("successor"), nil
			})
			if !errors.Is(err, c.want) || spent != c.spent || c.refused && r.ledger.spending != 0 {
				t.Errorf("spent %t, %v; want %t, %v; %d being spent", spent, err, c.spent, c.want, r.ledger.spending)
			}
			if unkept := errors.Is(c.want, ErrUnkept); r.ledger.SecretIsUnkept("office") != unkept {
				t.Errorf("unkept is %t", !unkept)
			} else if _, err := r.ledger.LoadSecret(t.Context(), "renamed", "office"); unkept &&
				!errors.Is(err, ErrUnkept) {
				t.Errorf("read with %v while it isn't kept", err)
			}
			run(c.after)
			r.probe = nil
			want := map[bool]string{true: "successor"}[spent]
			if got, err := r.ledger.LoadSecret(t.Context(), "office"); string(got) != want || err != nil {
				t.Errorf("kept %q, %v; want %q", got, err, want)
			}
			if got, err := ReadSecret(t.Context(), r.storage, "office"); string(got) != want || err != nil {
				t.Errorf("the file has %q, %v; want %q", got, err, want)
			}
		})
	}
}

// TestSecretOfAFormerName: a source that was renamed keeps its secret when renamed_from is removed.
func TestSecretOfAFormerName(t *testing.T) {
	r := newRig(t)
	r.records(call("a"))
	require.NoError(t, r.ledger.ReplaceSecret(t.Context(), r.spec.Source,
		func() ([]byte, error) { return []byte("successor"), nil }))
	r.spec.RenamedFrom, r.spec.Source = r.spec.Source, "fabrikam"
	r.reopen()
	r.spec.RenamedFrom = ""
	r.reopen()
	if got, err := r.ledger.LoadSecret(t.Context(), r.spec.Source, ""); string(got) != "successor" || err != nil {
		t.Errorf("the secret is %q, %v", got, err)
	}
}
