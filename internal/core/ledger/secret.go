package ledger

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/engine"
)

// A source may have one secret that its provider changes whenever it is spent, such as a refresh
// token. The caller encrypts it; the ledger can't decrypt it. Losing the successor of a spent
// secret locks the account out, so the ledger must be able to keep one first:
//
//	commit the intent, with the reserve in place
//	  └─▶ spend ─▶ commit the successor, in the reserve's room if there is no other
//	                 └─ fails: it stays in memory; each second and Close try again

// ErrUnkept says that the successor of a spent secret couldn't be committed yet.
var ErrUnkept = errors.New(
	"the secret that the provider gave for the one that was spent is in memory only: a restart would lock the " +
		"account out",
)

func secretName(source string) string { return "secret of " + source }

const setMeta = `INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`

// ReplaceSecret calls spend once, and keeps the encrypted secret that it returns in place of the
// source's. The successor is durable if the error is nil. If the ledger can't be written, or has no
// room for it, spend isn't called. After ErrUnkept the ledger keeps trying.
func (l *Ledger) ReplaceSecret(ctx context.Context, source string, spend func() (sealed []byte, err error)) error {
	if err := l.beginSpending(ctx, source); err != nil {
		return err
	}
	defer l.endSpending()
	sealed, err := spend()
	if err != nil {
		return err
	}
	l.unkept.Store(source, sealed)
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.keepSecrets()
}

// beginSpending commits that a source's secret is about to be spent. The reserve isn't given up for
// anything else until its successor is here.
func (l *Ledger) beginSpending(ctx context.Context, source string) error {
	if err := l.mu.LockWithin(ctx); err != nil {
		return err
	}
	defer l.mu.Unlock()
	if err := l.checkFiles(); err != nil {
		return err
	}
	if !l.reserve.fill() {
		return fmt.Errorf("%w: free some space; a secret is spent when there is room for its successor", ErrFull)
	}
	err := l.commitAlone(ctx, func() error {
		_, err := l.engine.Exec(setMeta, "spending the "+secretName(source),
			l.settings.Now().UTC().Format(time.RFC3339))
		return err
	})
	if err == nil {
		l.spending++
	}
	return err
}

func (l *Ledger) endSpending() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.spending--
}

// keepSecrets commits the successors that are in memory only. The commit lock is held.
func (l *Ledger) keepSecrets() (err error) {
	for source, sealed := range l.unkept.Range {
		keep := func() error {
			return l.commitAlone(context.Background(), func() error {
				_, err := l.engine.Exec(setMeta, secretName(source.(string)),
					base64.StdEncoding.EncodeToString(sealed.([]byte)))
				return err
			})
		}
		failed := keep()
		if errors.Is(failed, ErrFull) {
			l.reserve.release()
			failed = keep()
		}
		if failed != nil {
			err = errors.Join(err, fmt.Errorf("keep the secret of %s: %w: %w", source, ErrUnkept, failed))
			continue
		}
		l.unkept.Delete(source)
	}
	return err
}

// SecretIsUnkept says whether the successor of a source's secret is in memory only.
func (l *Ledger) SecretIsUnkept(source string) bool {
	_, is := l.unkept.Load(source)
	return is
}

// LoadSecret reads what ReplaceSecret kept last for the first of the names that has something; nil:
// none has. While one of them is in memory only, it returns ErrUnkept.
func (l *Ledger) LoadSecret(ctx context.Context, sources ...string) ([]byte, error) {
	if slices.ContainsFunc(sources, l.SecretIsUnkept) {
		return nil, ErrUnkept
	}
	reader, err := l.readSession(ctx)
	if err != nil {
		return nil, err
	}
	former, err := formerNames(reader, sources)
	switch {
	case err != nil:
		return nil, err
	case slices.ContainsFunc(former, l.SecretIsUnkept):
		return nil, ErrUnkept
	}
	return findSecret(reader, slices.Concat(sources, former))
}

// formerNames are the names from which sources were renamed: renamed_from may be gone since.
func formerNames(s *engine.Session, sources []string) (names []string, err error) {
	for _, source := range sources {
		all, err := engine.ReadRows(s, `SELECT DISTINCT former FROM feeds WHERE source = ? AND former <> ''`,
			[]any{source}, func(name *string) []any { return []any{name} })
		if err != nil {
			return nil, fmt.Errorf("read the former names of a source: %w", err)
		}
		names = append(names, all...)
	}
	return names, nil
}

// ReadSecret is LoadSecret for a command, without the ledger's lock. It returns nil if the ledger
// doesn't exist.
func ReadSecret(ctx context.Context, s Storage, sources ...string) (sealed []byte, err error) {
	e, err := s.openTables(ctx, s.database(), engine.Access{View: true})
	if errors.Is(err, errNoLedger) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer e.Close() //nolint:errcheck // nothing was written
	former, err := formerNames(&e.Session, sources)
	if err != nil {
		return nil, err
	}
	return findSecret(&e.Session, slices.Concat(sources, former))
}

func findSecret(s *engine.Session, sources []string) ([]byte, error) {
	for _, source := range sources {
		var value string
		err := s.ScanRow(`SELECT value FROM meta WHERE name = ?`, []any{secretName(source)}, &value)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read the secret of a source: %w", err)
		}
		sealed, err := base64.StdEncoding.DecodeString(value)
		if err != nil {
			return nil, errors.New("the ledger's secret of a source is damaged")
		}
		return sealed, nil
	}
	return nil, nil
}
