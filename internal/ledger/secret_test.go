package ledger

import (
	"errors"
	"testing"
)

// TestSecret: what is kept for a source is there after an opening, for a command, and under the source's new name; another source has none.
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
		if err := r.ledger.StoreSecret(t.Context(), "office", []byte(text)); err != nil {
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
	r.probe = func(string) error { return errors.New("the disk is broken") }
	if err := r.ledger.StoreSecret(t.Context(), "office", []byte("third")); err == nil {
		t.Error("a secret was kept on a broken disk")
	}
	r.probe = nil
	want("\x00second", "office")
	if got, err := ReadSecret(t.Context(), Storage{Folder: t.TempDir()}, "office"); got != nil || err != nil {
		t.Errorf("without a ledger there is %q, %v", got, err)
	}
}
